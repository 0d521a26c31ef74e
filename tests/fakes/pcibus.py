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
    """For cpu.ports. functions: (bus, device, function) -> bytes; lengths: (bus, device, function) -> {register: BAR's bytes}.

    others: what answers at all other ports, as cpu.ports.
    """

    def __init__(self, functions, lengths=None, others=None):
        self.functions = functions
        self.lengths = lengths or {}
        self.others = others
        self.address = 0
        self.reads = 0

    def _key(self):
        return (self.address >> 16 & 0xFF, self.address >> 11 & 0x1F, self.address >> 8 & 7)

    def write(self, port, width, value):
        if port == 0xCF8:
            assert width == 32 and value & 0x80000003 == 0x80000000
            self.address = value
        elif port & ~2 == 0xCFC:
            data = self.functions.get(self._key())
            if data:
                store(data, (self.address & 0xFC) + (port & 2), width, value, self.lengths.get(self._key(), {}))
        else:
            self.others.write(port, width, value)

    def read(self, port, width):
        if port != 0xCFC:
            return self.others.read(port, width)
        assert width == 32
        self.reads += 1
        data = self.functions.get(self._key())
        return struct.unpack_from("<I", data, self.address & 0xFC)[0] if data else 0xFFFFFFFF


def store(data, offset, width, value, lengths):
    """Write to a function's configuration space; of a BAR only the bits above its length take the value."""
    register = offset - 0x10 >> 2
    if width == 32 and 0 <= register < 6:
        old = struct.unpack_from("<I", data, offset)[0]
        if register in lengths:
            flags = 3 if old & 1 else 15
            value = value & -lengths[register] & ~flags | old & flags
        elif register - 1 in lengths and data[offset - 4] & 6 == 4:
            value &= -(lengths[register - 1] >> 32 or 1)
        else:
            value = old
    struct.pack_into("<I" if width == 32 else "<H", data, offset, value & 0xFFFFFFFF)


def ecam(base, buses, functions, lengths=None):
    """Map the configuration space of buses 0 to buses - 1 at base; only aligned accesses are answered, reads of 32 bits."""

    def find(offset):
        return (offset >> 20, offset >> 15 & 0x1F, offset >> 12 & 7)

    def read(offset, bits):
        assert bits == 32 and offset % 4 == 0
        data = functions.get(find(offset))
        if data is None:
            return 0xFFFFFFFF
        return struct.unpack_from("<I", data, offset & 0xFFF)[0] if len(data) > offset & 0xFFF else 0

    def write(offset, bits, value):
        assert bits in (16, 32) and offset % (bits // 8) == 0
        store(functions[find(offset)], offset & 0xFFF, bits, value, (lengths or {}).get(find(offset), {}))

    mem.devices.append((base, buses << 20, read, write))
