"""First inputs of the fuzzers that libFuzzer steers: sound ones, or long ones, since from nothing it gets to long inputs late."""

import random
import struct

MESSAGES = [(3, 1, 32), (3, 2, 40), (5, 1, 96), (17, 1, 128), (13, 1, 64)]  # type, version, bytes of a guest message
INSTRUCTIONS = ["0fa2", "0f30", "66ed", "f36e", "e460", "488b4310", "66410fb64c8801", "c7840510000000efbeadde", "a1efcdab8967452301", "660f6f05aabbccdd", "f348ab"]
LEAVES = [(0, 0), (1, 0), (4, 0), (7, 0), (0xB, 0), (0xD, 0), (0xD, 1), (0xD, 2), (0x80000000, 0), (0x8000001E, 0), (0x8000001F, 0)]
SETTINGS = b"""# a comment
target = \\efi\\linux.efi
args=console=ttyS0 quiet
unaccepted=0x4000000
split=64M
rdtsc=yes
log_serial=no
end=halt
fault=busy:2
product=turin
certs=der
report=5
used=2K
mask_chip=off
"""


def inputs(name, most):
    """Return [bytes] to begin with, none longer than most."""
    made = {"insn": _instructions, "cpuid_page": _cpuid_pages, "ghcb_page": _ghcb_pages, "options": _settings, "psp_request": _requests}.get(name, lambda: _random(name, most))()
    assert all(len(data) <= most for data in made)
    return made


def _random(name, most):
    chance = random.Random(name)
    return [chance.randbytes(most >> i) for i in range(4)]


def _instructions():
    return [bytes.fromhex(text) for text in INSTRUCTIONS]


def _settings():
    return [b"\0" + SETTINGS, *(b"\1" + line for line in SETTINGS.splitlines())]


def _cpuid_pages():
    entries = b"".join(struct.pack("<IIQQIIIIQ", leaf, sub, leaf == 0xD, 0, 0x8000001F if leaf >> 31 else 0x1F, 0x240, 3, 4, 0) for leaf, sub in LEAVES)
    return [struct.pack("<IIQQQ", leaf, sub, 0x40000, 7, 0) + struct.pack("<IIQ", len(LEAVES), 0, 0) + entries for leaf, sub in LEAVES]


def _ghcb_pages():
    """Page state changes done, half done and not begun, and two exceptions asked for: the fields that flat/ghcb_page.c puts first."""
    ones = (1 << 64) - 1
    answers = [(0, 0, current | 9 << 16) for current in (10, 4, 0)] + [(1, 0x80000300 | vector, 0) for vector in (13, 6)]
    return [bytes((9, first)) + struct.pack("<9Q", ones, ones, info1, info2, header, 1, 2, 3, 4) for info1, info2, header in answers for first in (0, 4)]


def _requests():
    pages = []
    for kind, version, size in MESSAGES:
        header = struct.pack("<BBHBBHIB", 1, 1, 0x60, kind, version, size, 0, 0)
        pages.append((b"\1" + bytes(0x20) + struct.pack("<Q", 1) + bytes(8) + header).ljust(1 + 0x60 + size, b"\0"))
    return pages
