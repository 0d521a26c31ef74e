"""Split virtqueues: their memory, and queues with a buffer of its own for each head, for frames that go one way.

Source: Virtual I/O Device 1.2, 2.7 (layout; 2.7.2: legacy), 5.1.6 (header of a frame). What happens for every frame,
and the checks of what the device answers, are in the C module virtq (port/virtq.h).
Ring memory and buffers are DMA memory; the device writes the used ring, and the buffers of a queue for receiving.
"""

# SPDX-License-Identifier: BSD-3-Clause

import cpu
import mem
import virtq


class Queue:
    """The memory of one queue, and `ring`, a virtq.Ring on it. size: descriptors, a power of two; align: bytes, of the used ring."""

    def __init__(self, size, event_idx, align):
        self.size = size
        avail, used = 16 * size, (18 * size + 6 + align - 1) & ~(align - 1)
        self._memory = mem.dma(used + 8 * size + 6)
        self.desc = self._memory.addr
        self.avail = self.desc + avail
        self.used = self.desc + used
        self._layout = (self.desc, self.avail, self.used, size, event_idx)
        self.ring = virtq.Ring(*self._layout)

    def describe(self, number, addr, length, flags=0, following=0):
        """Write one descriptor."""
        at = self.desc + 16 * number
        mem.w64(at, addr)
        mem.w32(at + 8, length)
        mem.w32(at + 12, flags | following << 16)

    def bind(self, notify, port, index):
        """Where the device is told of what was posted, a port or not, and by which number (attach())."""
        self.ring.bind(notify, index, cpu.out16 if port else None)

    def release(self):
        """Give the memory back. The device must have been reset."""
        self._memory.free()


class _Buffers(Queue):
    """A queue with `count` buffers of `buffer_len` bytes, a multiple of 8, each a header of `header_len` and a frame.

    apart: the header has a descriptor of its own; the ring must have two for each buffer."""

    def __init__(self, ring, make, count, buffer_len, header_len, apart, *more):
        super().__init__(*ring)
        self.count = count
        try:
            self._buffers = mem.dma(buffer_len * count, 4096, False)  # virtq clears what the device gets to write, and writes what it reads
        except MemoryError:
            self._memory.free()
            raise
        self.ring = make(*self._layout, self._buffers.addr, count, buffer_len, header_len, apart, *more)

    def release(self):
        super().release()
        self._buffers.free()


class Receiver(_Buffers):
    """Frames in: `ring` is a virtq.Receiver. merge: one frame may take several buffers, whose number stands in its header."""

    def __init__(self, ring, count, buffer_len, header_len, apart=False, merge=False):
        super().__init__(ring, virtq.Receiver, count, buffer_len, header_len, apart, merge)


class Sender(_Buffers):
    """Frames out: `ring` is a virtq.Sender. tx: array of one address, of the place where the next frame goes; 0: the device
    holds all buffers. report(None) is called softly when sending finds that the device broke a promise."""

    def __init__(self, ring, count, buffer_len, header_len, tx, report=None, apart=False):
        super().__init__(ring, virtq.Sender, count, buffer_len, header_len, apart, tx, report)
