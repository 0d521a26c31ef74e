"""Names of the exits to the hypervisor, and of the #VC exceptions that cause them.

Source: GHCB specification (56421), 4 (NAE events); APM volume 2, appendix C (exit codes).
"""

# SPDX-License-Identifier: BSD-3-Clause

_NAMES = {
    0x27: "DR7 read", 0x37: "DR7 write", 0x6E: "RDTSC", 0x6F: "RDPMC", 0x72: "CPUID", 0x76: "INVD", 0x7B: "port", 0x7C: "MSR",
    0x81: "VMMCALL", 0x87: "RDTSCP", 0x89: "WBINVD", 0x8A: "MONITOR", 0x8B: "MWAIT", 0x400: "MMIO", 0x404: "page not validated",
    0x80000001: "MMIO read", 0x80000002: "MMIO write", 0x80000003: "NMI complete", 0x80000004: "AP reset hold",
    0x80000010: "page state change", 0x80000011: "guest request", 0x80000012: "extended guest request", 0x80000013: "AP creation",
    0x8000FFFD: "hypervisor features", 0x8000FFFE: "termination", "msr": "MSR protocol", "other": "others",
}  # fmt: skip


def counts_text(counts):
    """-> "MSR protocol 12, CPUID 3", the most frequent first, of {code: number}; "none" for none."""
    pairs = sorted([(-number, _NAMES.get(code) or "%#x" % code) for code, number in counts.items()])
    return ", ".join(["%s %d" % (name, -number) for number, name in pairs]) or "none"
