"""This machine as an SEV-SNP guest, for the shell: opened when first asked for, kept as long as the interpreter lives."""

# SPDX-License-Identifier: BSD-3-Clause

_guest = None


def available():
    """-> True in an SEV-SNP guest."""
    try:
        import ghcb
    except ImportError:
        return False
    return bool(ghcb.sev_status() & 4)


def guest():
    """-> its sev.guest.Guest. SevError, in one line: there is none, or the firmware's tables are wrong."""
    global _guest
    if not _guest:
        from sev.error import SevError

        if not available():
            raise SevError("SEV-SNP is not available")
        import efi
        from drivers.efi import SystemTable
        from sev.guest import Guest

        _guest = Guest(SystemTable(efi.system_table()).tables())
    return _guest


def forget():
    """Open it anew when it is next asked for. Only for who changed the machine under it, as tests do."""
    global _guest
    _guest = None
