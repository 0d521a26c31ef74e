"""Fake of the C module cpu: a table of leaves, registers and ports. Unknown ones fault or float."""

_EFAULT, _EIO = 14, 5

leaves = {}  # (leaf, subleaf) -> (eax, ebx, ecx, edx)
msrs = {0x1B: 0xFEE00900, 0xC0000080: 0xD01}
ports = None  # an object with read(port, width) and write(port, width, value)


def brand(text):
    """Make the brand string leaves say text."""
    import struct

    leaves[(0x80000000, 0)] = (0x80000008, 0, 0, 0)
    data = text.encode() + bytes(48 - len(text))
    for i in range(3):
        leaves[(0x80000002 + i, 0)] = struct.unpack_from("<IIII", data, i * 16)


brand("AMD EPYC-Milan Processor")


def cpuid(leaf, subleaf=0):
    return leaves.get((leaf, subleaf), (0, 0, 0, 0))


def rdmsr(msr):
    if msr not in msrs:
        raise OSError(_EIO)
    return msrs[msr]


def wrmsr(msr, value):
    if msr not in msrs:
        raise OSError(_EIO)
    msrs[msr] = value


def _in(port, width):
    return ports.read(port, width) if ports else (1 << width) - 1


def _out(port, width, value):
    if ports:
        ports.write(port, width, value)


def in8(port):
    return _in(port, 8)


def in16(port):
    return _in(port, 16)


def in32(port):
    return _in(port, 32)


def out8(port, value):
    _out(port, 8, value)


def out16(port, value):
    _out(port, 16, value)


def out32(port, value):
    _out(port, 32, value)


def count():
    return 4
