"""Real memory behind the fakes of mem and cpu: what viper code and a device made of Python both touch.

install() puts DMA memory of this process at its real address in place of mem.dma and the writes and reads of mem;
addresses below 2**32 stay those of the fake. DMA memory has canaries around it, which check() looks at.
"""

import struct

import cpu
import mem
import uctypes

_GUARD = 64  # bytes of canary at either end

live = []  # DMA memory that was not given back
windows = []  # DMA memory that stands for registers which viper code writes to


class DMA:
    """What mem.dma() gives."""

    def __init__(self, size, align=4096, zeroed=True):
        self._bytes = bytearray((b"\0" if zeroed else b"\xee") * (size + align + 2 * _GUARD))
        start = uctypes.addressof(self._bytes) + _GUARD
        self.addr = (start + align - 1) & ~(align - 1)
        self.size = size
        offset = self.addr - start + _GUARD
        self._before, self._behind = offset - _GUARD, offset + size
        self.view = memoryview(self._bytes)[offset : offset + size]
        for at in (self._before, self._behind):
            self._bytes[at : at + _GUARD] = b"\xc5" * _GUARD
        live.append(self)

    def free(self):
        if self in live:
            live.remove(self)
            self.check()
            self.view[:] = bytes(self.size)

    def check(self):
        """Fail if something was written around it."""
        for at in (self._before, self._behind):
            assert self._bytes[at : at + _GUARD] == b"\xc5" * _GUARD, "written outside of DMA memory"


def get(code, addr):
    return struct.unpack(code, uctypes.bytes_at(addr, struct.calcsize(code)))[0]


def put(code, addr, value):
    uctypes.bytearray_at(addr, struct.calcsize(code))[:] = struct.pack(code, value)


def _reader(code, otherwise):
    return lambda addr: get(code, addr) if addr >> 32 else otherwise(addr)


def _writer(code, otherwise):
    return lambda addr, value: put(code, addr, value) if addr >> 32 else otherwise(addr, value)


def install():
    """Once, before the driver is imported."""
    mem.dma = DMA
    for bits, code in ((8, "<B"), (16, "<H"), (32, "<I"), (64, "<Q")):
        for name, make in (("r%d" % bits, _reader), ("w%d" % bits, _writer)):
            setattr(mem, name, make(code, getattr(mem, name)))
    cpu.fence = lambda: None
    otherwise = mem.mmio
    mem.mmio = lambda addr, length: _window(addr, length) if addr >> 32 else otherwise(addr, length)


def _window(addr, length):
    for memory in windows:
        if memory.addr <= addr and addr + length <= memory.addr + memory.size:
            return addr
    raise ValueError("no device memory")


def holder(addr, length):
    """-> the DMA memory in which all of that lies, or None."""
    for memory in live:
        if memory.addr <= addr and addr + length <= memory.addr + memory.size:
            return memory
    return None
