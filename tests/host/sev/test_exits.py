"""sev/exits.py: names and order."""

from check import run, same
from sev.exits import counts_text


def test_counts():
    same(counts_text({}), "none")
    same(counts_text({0x72: 3, "msr": 40, 0x80000011: 3, 0x1234: 1}), "MSR protocol 40, CPUID 3, guest request 3, 0x1234 1")


run(globals())
