"""A PCI bus in Python: configuration space behind CF8 and CFC, or as memory for ECAM."""

import struct

import mem


def header(vendor, device, code, kind=0, bars=(), secondary=0, capabilities=()):
    """-> 256 bytes of configuration space. capabilities: (offset, id, next)."""
    data = bytearray(256)
    struct.pack_into("<HH", data, 0, vendor, device)
    struct.pack_into("<I", data, 8, code << 8)
    data[0x0E] = kind
    for i, bar in enumerate(bars):
        struct.pack_into("<I", data, 0x10 + 4 * i, bar)
    if kind & 0x7F == 1:
        data[0x19] = secondary
    if capabilities:
        data[0x06] = 0x10
        data[0x34] = capabilities[0][0]
        for offset, kind, following in capabilities:
            data[offset] = kind
            data[offset + 1] = following
    return data


class Ports:
    """For cpu.ports. functions: (bus, device, function) -> bytes."""

    def __init__(self, functions):
        self.functions = functions
        self.address = 0
        self.reads = 0

    def write(self, port, width, value):
        assert (port, width) == (0xCF8, 32) and value & 0x80000003 == 0x80000000
        self.address = value

    def read(self, port, width):
        assert (port, width) == (0xCFC, 32)
        self.reads += 1
        key = (self.address >> 16 & 0xFF, self.address >> 11 & 0x1F, self.address >> 8 & 7)
        data = self.functions.get(key)
        return struct.unpack_from("<I", data, self.address & 0xFC)[0] if data else 0xFFFFFFFF


def ecam(base, buses, functions):
    """Map the configuration space of buses 0 to buses - 1 at base; only 32-bit reads are answered."""

    def read(offset, bits):
        assert bits == 32 and offset % 4 == 0
        data = functions.get((offset >> 20, offset >> 15 & 0x1F, offset >> 12 & 7))
        if data is None:
            return 0xFFFFFFFF
        return struct.unpack_from("<I", data, offset & 0xFFF)[0]

    mem.devices.append((base, buses << 20, read))
