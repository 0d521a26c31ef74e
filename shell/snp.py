"""This machine as an SEV-SNP guest, for the shell: opened when first asked for, kept as long as the interpreter lives."""

# SPDX-License-Identifier: BSD-3-Clause

import ghcb
from micropython import const

_SNP = const(1 << 2)  # sev.status.SNP, without importing what else is there

_guest = None


def available():
    """-> True in an SEV-SNP guest."""
    return bool(ghcb.sev_status() & _SNP)


def guest():
    """-> its sev.guest.Guest. SevError, in one line: there is none, or the firmware's tables are wrong."""
    global _guest
    if not _guest:
        from sev.error import SevError

        if not available():
            raise SevError("SEV-SNP is not available")
        import efi

        if efi.boot_services():
            raise SevError("the firmware has the GHCB until boot services are exited: `exit-boot-services`")
        from drivers.efi import SystemTable
        from sev.guest import Guest

        _guest = Guest(SystemTable(efi.system_table()).tables())
    return _guest


def forget():
    """Open it anew when it is next asked for: for tests, which change the machine below."""
    global _guest
    _guest = None
