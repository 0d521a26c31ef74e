"""sev/psp_names.py: a status as text."""

from check import run, same
from sev.psp_names import status_text


def test_names():
    same([status_text(code) for code in (0, 0xB, 0x16, 0x1D, 0x27)], ["success (0x0)", "bad measurement (0xb)", "invalid parameter (0x16)", "AEAD overflow (0x1d)", "invalid key (0x27)"])
    same([code for code in range(0x30) if "unknown" in status_text(code)], [0x1E] + list(range(0x28, 0x30)))
    same(status_text(0xFFFFFFFF), "unknown status (0xffffffff)")


run(globals())
