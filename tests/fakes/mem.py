"""Fake of the C module mem: regions of bytes at made-up addresses; all else is not mapped.

An access that is not inside one region raises OSError(EFAULT), as the real one does for a page
that is not mapped. accesses records (operation, address), to check widths.
"""

import struct

_EFAULT = 14

regions = []  # (start, bytearray, attributes)
devices = []  # (start, length, read(offset, bits) -> value, write(offset, bits, value))
accesses = []
memory_map = []  # entries of map()


def reset():
    regions.clear()
    devices.clear()
    accesses.clear()
    memory_map.clear()


def add(start, data, attributes="rw-"):
    """Map bytes (or a length of zeroes) at an address. -> the bytearray."""
    data = bytearray(data)
    regions.append((start, data, attributes))
    return data


def _find(addr, n):
    for start, data, attributes in regions:
        if start <= addr and addr + n <= start + len(data):
            return data, addr - start, attributes
    raise OSError(_EFAULT)


def view(addr, n):
    data, offset, _ = _find(addr, n)
    return memoryview(data)[offset : offset + n]


def _device(addr, n):
    for start, length, read, write in devices:
        if start <= addr and addr + n <= start + length:
            return start, read, write
    return None


def mmio(addr, length):
    if not _device(addr, length):
        raise ValueError("no device memory")
    return addr


def attr(addr):
    if _device(addr, 1):
        return "rw-u"
    try:
        return _find(addr, 1)[2]
    except OSError:
        return None


def _read(addr, form, n):
    accesses.append(("r%d" % (8 * n), addr))
    device = _device(addr, n)
    if device:
        return device[1](addr - device[0], 8 * n)
    data, offset, _ = _find(addr, n)
    return struct.unpack_from(form, data, offset)[0]


def _write(addr, form, n, value):
    accesses.append(("w%d" % (8 * n), addr))
    device = _device(addr, n)
    if device:
        device[2](addr - device[0], 8 * n, value)
        return
    data, offset, attributes = _find(addr, n)
    if attributes[1] != "w":
        raise OSError(_EFAULT)
    struct.pack_into(form, data, offset, value)


def r8(addr):
    return _read(addr, "<B", 1)


def r16(addr):
    return _read(addr, "<H", 2)


def r32(addr):
    return _read(addr, "<I", 4)


def r64(addr):
    return _read(addr, "<Q", 8)


def w8(addr, value):
    _write(addr, "<B", 1, value)


def w16(addr, value):
    _write(addr, "<H", 2, value)


def w32(addr, value):
    _write(addr, "<I", 4, value)


def w64(addr, value):
    _write(addr, "<Q", 8, value)


def info():
    return (512 << 20, 480 << 20, 470 << 20, 400 << 20)


def map(i):
    return memory_map[i] if i < len(memory_map) else None


def text():
    return (0x1E001000, 0x1E0A0000)


def image():
    return (0x1E000000, 0x110000)
