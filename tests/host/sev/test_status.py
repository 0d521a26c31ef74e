"""sev/status.py: bits by name, and which a guest refuses."""

from check import raises, run, same
from sev import status
from sev.error import SevError
from sev.status import DEBUG_SWAP, SECURE_TSC

BOTH = DEBUG_SWAP | SECURE_TSC


def test_numbers():
    same((status.MSR, status.LEAF, status.SEV, status.ES, status.SNP), (0xC0010131, 0x8000001F, 1, 2, 4))
    same((DEBUG_SWAP, SECURE_TSC), (0x80, 0x800))


def test_names():
    same(status.names(0), [])
    same(status.names(7), ["SEV", "SEV-ES", "SEV-SNP"])
    same(status.names(1 << 7 | 1 << 11 | 1 << 15 | 1 << 23 | 1 << 63), ["DebugSwap", "SecureTSC", "bit15", "IbpbOnEntry", "bit63"])
    same(status.features(0x0007FD3B & ~(1 << 12)), [
        "SME", "SEV", "SEV-ES", "SEV-SNP", "VMPL", "SecureTSC", "HwEnforcedCacheCoherency", "64BitHost", "AlternateInjection", "DebugSwap",
        "PreventHostIBS", "VTE", "VmgexitParameter", "VirtualTomMSR"])  # fmt: skip
    same(status.features(1 << 20 | 1 << 28), ["bit20", "SVSM"])


def test_memory():
    same(status.memory(0x1A, 51 | 5 << 6 | 4 << 12), (True, True, True, 51, 5, 4, True))
    same(status.memory(0x02, 47 | 1 << 31), (True, False, False, 47, 0, 0, False))
    same(status.memory(0, 0)[:3], (False, False, False))


def test_sev_features():
    same([status.sev_features(s) for s in (7, 7 | DEBUG_SWAP)], [1, 0x21])


def test_refused():
    """Of a guest without code for anything: as Linux' list has it."""
    refused = [bit for bit in range(64) if status.refused(1 << bit, 0)]
    same(refused, [3, 4, 5, 6, 7, 10, 11, 12, 13, 15, 16, 18, 19, 20, 21, 22] + list(range(24, 64)))
    same(status.refused(7 | BOTH, BOTH), [])
    same(status.refused(7 | BOTH | 1 << 5, BOTH), ["RestrictedInjection"])
    same(status.refused(7 | BOTH, DEBUG_SWAP), ["SecureTSC"])


def test_check():
    for value, blob in ((0, False), (1, False), (3, False), (7, True), (7 | BOTH, True), (7 | 1 << 23, True), (3 | 1 << 5, False)):
        status.check(value, blob, BOTH)
    table = (
        (0, True, "SEV_STATUS 0x0, but the firmware has a confidential-computing blob"),
        (3, True, "SEV_STATUS 0x3, but the firmware has a confidential-computing blob"),
        (7, False, "SEV_STATUS 0x7, but the firmware has no confidential-computing blob"),
        (4, True, "SEV_STATUS 0x4 is impossible"),
        (5, True, "SEV_STATUS 0x5 is impossible"),
        (6, True, "SEV_STATUS 0x6 is impossible"),
        (2, False, "SEV_STATUS 0x2 is impossible"),
        (7 | 1 << 5 | 1 << 40, True, "SEV features without support here: RestrictedInjection bit40"),
    )
    for value, blob, text in table:
        same(str(raises(SevError, status.check, value, blob, BOTH)), text)


run(globals())
