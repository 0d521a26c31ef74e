"""shell/about.py: the name on the banner."""

from check import run, same
from shell import about


def test_banner():
    same(about.version(), "1.25.0")
    same(about.banner(), "keelback • micropython/x86_64 (v1.25.0) • UEFI x64")


run(globals())
