"""Names of PCI class codes. Source: PCI Code and ID Assignment 1.11, 1 (base classes, subclasses)."""

# SPDX-License-Identifier: BSD-3-Clause

_BASE = (
    "Unclassified device",
    "Mass storage controller",
    "Network controller",
    "Display controller",
    "Multimedia device",
    "Memory controller",
    "Bridge",
    "Communication controller",
    "System peripheral",
    "Input device",
    "Docking station",
    "Processor",
    "Serial bus controller",
    "Wireless controller",
    "Intelligent controller",
    "Satellite controller",
    "Encryption controller",
    "Signal processing controller",
    "Processing accelerator",
    "Non-essential instrumentation",
)

_SUBCLASS = {
    0x0001: "VGA-compatible device",
    0x0100: "SCSI controller",
    0x0101: "IDE controller",
    0x0102: "Floppy controller",
    0x0104: "RAID controller",
    0x0105: "ATA controller",
    0x0106: "SATA controller",
    0x0107: "SAS controller",
    0x0108: "NVM controller",
    0x0200: "Ethernet controller",
    0x0207: "InfiniBand controller",
    0x0208: "Fabric controller",
    0x0300: "VGA controller",
    0x0301: "XGA controller",
    0x0302: "3D controller",
    0x0400: "Video device",
    0x0401: "Audio device",
    0x0403: "HD audio device",
    0x0500: "RAM controller",
    0x0501: "Flash memory controller",
    0x0502: "CXL memory",
    0x0600: "Host bridge",
    0x0601: "ISA bridge",
    0x0604: "PCI-to-PCI bridge",
    0x0607: "CardBus bridge",
    0x0609: "Semi-transparent bridge",
    0x0700: "Serial controller",
    0x0701: "Parallel controller",
    0x0703: "Modem",
    0x0800: "Interrupt controller",
    0x0801: "DMA controller",
    0x0802: "Timer",
    0x0803: "Real-time clock",
    0x0804: "Hot-plug controller",
    0x0805: "SD host controller",
    0x0806: "IOMMU",
    0x0900: "Keyboard controller",
    0x0902: "Mouse controller",
    0x0C00: "FireWire controller",
    0x0C03: "USB controller",
    0x0C04: "Fibre Channel controller",
    0x0C05: "SMBus controller",
    0x0C07: "IPMI interface",
    0x1000: "Network and computing encryption",
}


def class_name(code):
    """-> the name of a class code (24 bits): its subclass's, else its base class's."""
    base = code >> 16
    name = _SUBCLASS.get(code >> 8)
    if name:
        return name
    return _BASE[base] if base < len(_BASE) else "Class %02x%02x" % (base, code >> 8 & 0xFF)
