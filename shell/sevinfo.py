"""What `sev` shows. Labels and order as documented by the peer (tamago-sev-example); what it does not have stands behind that."""

# SPDX-License-Identifier: BSD-3-Clause

from _repl import HARDENED

from shell import snp

WIDTH = 20  # columns up to the colon


def rows(verbose):
    """-> [(label, value)], None for an empty line. SevError: there is no SEV-SNP."""
    import ghcb

    guest = snp.guest()
    from sev import status

    shown = [("SEV", _bool(guest.status & status.SEV)), ("SEV-ES", _bool(guest.status & status.ES)), ("SEV-SNP", _bool(guest.status & status.SNP))]
    shown += [("Encrypted bit", ghcb.c_bit()), ("SNP Version", guest.blob.version), None]
    secrets = guest.secrets
    shown += [("Secrets Page", "%#x (%d bytes)" % (guest.blob.secrets_addr, guest.blob.secrets_len)), ("Secrets Version", secrets.version)]
    shown += [("TSC Factor", "%#x" % secrets.tsc_factor), ("Launch Mitigations", "%#x" % secrets.launch_mit_vector)]
    shown += [("VMPCK%d" % i, _key(secrets.key(i))) for i in range(4)]
    shown += [None, ("vCPU", ghcb.vcpu()), ("GHCB GPA", "%#x" % ghcb.addr()), ("Hypervisor Features", "%#x" % ghcb.features())]
    return shown + (_more(guest) if verbose else [])


def _more(guest):
    import ghcb
    from sev import status
    from sev.exits import counts_text

    blob, svsm = guest.blob, guest.secrets.svsm
    (eax, ebx, _, _) = guest.cpuid.cpuid(status.LEAF)
    return [
        None,
        ("VMPL", guest.vmpl),
        ("SVSM", "none" if svsm is None else "%#x (%d bytes), calling area %#x" % (svsm.base_addr, svsm.base_len, svsm.calling_addr)),
        ("GHCB protocol", "%d (host: %d to %d)" % (ghcb.protocol()[2], ghcb.protocol()[0], ghcb.protocol()[1])),
        ("Active", " ".join(status.names(guest.status))),
        ("Supported", " ".join(status.features(eax))),
        ("VMPLs", ebx >> 12 & 0xF),
        ("CPUID Page", "%#x (%d entries)" % (blob.cpuid_addr, len(guest.cpuid.entries))),
        ("Family/Model", "%#x" % guest.secrets.fms),
        ("Workarounds", guest.secrets.gosvw.hex()),
        ("Exits", counts_text(ghcb.counts()["exits"])),
        ("#VC", counts_text(ghcb.counts()["vc"])),
        ("Message numbers", ", ".join(["%d" % guest.secrets.key(i).used for i in range(4)])),
    ]


def _key(key):
    """A key's ends tell it from others; to a hardened build's console not even these are shown."""
    if not key.present:
        return key.why[len("was ") :] if key.why.startswith("was ") else "absent"
    return "present" if HARDENED else "0x%02x -- 0x%02x" % key.ends


def _bool(bit):
    return "true" if bit else "false"
