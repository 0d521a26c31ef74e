"""drivers/pci_names.py: subclasses, base classes, the unknown."""

from check import run, same
from drivers.pci_names import class_name

NAMES = (
    (0x020000, "Ethernet controller"),
    (0x010802, "NVM controller"),
    (0x060400, "PCI-to-PCI bridge"),
    (0x028000, "Network controller"),
    (0x120000, "Processing accelerator"),
    (0x000000, "Unclassified device"),
    (0xFF1234, "Class ff12"),
)


def test_names():
    for code, name in NAMES:
        same((code, class_name(code)), (code, name))


run(globals())
