"""What SEV features are active: MSR SEV_STATUS and CPUID Fn8000_001F, by name.

The hypervisor cannot forge SEV_STATUS; a CPUID answer it can, unless that comes out of the CPUID page.
Source: APM volume 2, 15.34 and volume 3, E.4.17; names as Linux has them (msr-index.h).
"""

# SPDX-License-Identifier: BSD-3-Clause

from collections import namedtuple

from micropython import const

from sev.error import SevError

MSR = const(0xC0010131)  # read-only, never intercepted
LEAF = const(0x8000001F)

# SEV_STATUS.
SEV = const(1 << 0)
ES = const(1 << 1)
SNP = const(1 << 2)
DEBUG_SWAP = const(1 << 7)
SECURE_TSC = const(1 << 11)

_STATUS = (
    (0, "SEV"), (1, "SEV-ES"), (2, "SEV-SNP"), (3, "vTOM"), (4, "ReflectVC"), (5, "RestrictedInjection"), (6, "AlternateInjection"),
    (7, "DebugSwap"), (8, "PreventHostIBS"), (9, "BTBIsolation"), (10, "VmplSSS"), (11, "SecureTSC"), (12, "VmgexitParameter"),
    (13, "PmcVirtualization"), (14, "IbsVirtualization"), (16, "VmsaRegisterProtection"), (17, "SmtProtection"), (18, "SecureAVIC"),
    (23, "IbpbOnEntry"),
)  # fmt: skip

# Bits that change nothing which a guest must handle: SEV to SNP, PreventHostIBS, BTBIsolation, IbsVirtualization,
# SmtProtection, IbpbOnEntry. Every other one, reserved ones too, needs code in the guest.
_HARMLESS = const(0x824307)

_CPUID_EAX = (
    (0, "SME"), (1, "SEV"), (2, "PageFlushMSR"), (3, "SEV-ES"), (4, "SEV-SNP"), (5, "VMPL"), (6, "RMPQUERY"), (7, "VmplSSS"),
    (8, "SecureTSC"), (9, "TscAuxVirtualization"), (10, "HwEnforcedCacheCoherency"), (11, "64BitHost"), (12, "RestrictedInjection"),
    (13, "AlternateInjection"), (14, "DebugSwap"), (15, "PreventHostIBS"), (16, "VTE"), (17, "VmgexitParameter"), (18, "VirtualTomMSR"),
    (19, "IbsVirtualization"), (21, "RMPREAD"), (23, "SegmentedRMP"), (24, "VmsaRegisterProtection"), (25, "SmtProtection"),
    (26, "SecureAVIC"), (27, "AllowedSevFeatures"), (28, "SVSM"), (31, "IbpbOnEntry"),
)  # fmt: skip

# cbit: position in a page-table entry. reduction: bits of an address that encryption takes. evict: must pages be read
# after PVALIDATE, because cache lines are not kept coherent (EBX bit 31 clear)?
Memory = namedtuple("Memory", ("sev", "es", "snp", "cbit", "reduction", "vmpls", "evict"))


def names(status):
    """-> names of the bits of SEV_STATUS that are on; `bitN` where it has none."""
    return _named(status, _STATUS)


def features(eax):
    """-> names of the bits of CPUID Fn8000_001F EAX that are on."""
    return _named(eax, _CPUID_EAX)


def _named(value, table):
    known = dict(table)
    return [known.get(bit, "bit%d" % bit) for bit in range(64) if value >> bit & 1]


def memory(eax, ebx):
    """-> Memory of CPUID Fn8000_001F."""
    return Memory(bool(eax & 2), bool(eax & 8), bool(eax & 16), ebx & 0x3F, ebx >> 6 & 0x3F, ebx >> 12 & 0xF, not ebx >> 31 & 1)


def sev_features(status):
    """-> SEV_FEATURES of a VMSA, as SEV_STATUS says of this one."""
    return status >> 2


def refused(status, implemented):
    """-> names of the active features that a guest must not run under, because it has no code for them.

    implemented: the bits of SEV_STATUS that it has code for, such as DEBUG_SWAP | SECURE_TSC.
    Source: Linux, SNP_FEATURES_IMPL_REQ and SNP_RESERVED_MASK.
    """
    return names(status & ~(_HARMLESS | implemented))


def check(status, has_blob, implemented):
    """Raise SevError where a guest must not go on: features without code, or a firmware that tells another story.

    has_blob: is there a confidential-computing blob?
    """
    if status & SNP and status & (SEV | ES) != SEV | ES or status & ES and not status & SEV:
        raise SevError("SEV_STATUS %#x is impossible" % status)
    if bool(status & SNP) != has_blob:
        raise SevError("SEV_STATUS %#x, but the firmware has %s confidential-computing blob" % (status, "a" if has_blob else "no"))
    wrong = refused(status, implemented) if status & SNP else []
    if wrong:
        raise SevError("SEV features without support here: %s" % " ".join(wrong))
