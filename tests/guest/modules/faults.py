"""Faults on request from inside a guest of the SEV-SNP emulator, for scripts that say `# with: faults`.

    faults.next("bad-tag")     the next answer is wrong in that way
    faults.renew()             a new launch: new keys, which a new Guest finds
"""

import ghcb

_VMMCALL = 0x81
_NUMBER = 0x534E5046  # docs/emulator.md


def next(name, count=1):
    """Ask for a fault, for the next count occasions."""
    text = name.encode() + bytes(16 - len(name))
    info1, info2 = int.from_bytes(text[:8], "little"), int.from_bytes(text[8:], "little")
    assert ghcb.call(_VMMCALL, info1, info2, _NUMBER, count)[2] == 0, "no emulator"


def renew():
    """Have the secure processor launch the guest anew."""
    next("renew")
