"""The control queue of a virtio network card: filters, the card's address, and the answer to a request to announce us.

Source: Virtual I/O Device 1.2, 5.1.6.5 (commands; 5.1.6.5.1: filters, .2: MAC, .4: announcements).
Not here: VLANs, several queue pairs, offloads at run time. One command is under way at a time, in two descriptors:
what we ask, which the device reads, and one byte that it writes.
"""

# SPDX-License-Identifier: BSD-3-Clause

import time

import cpu
import mem
from drivers.virtqueue import Queue
from micropython import const

_RX = const(0)  # class and command
_RX_PROMISC = const(0)
_RX_ALLMULTI = const(1)
_MAC = const(1)
_MAC_ADDR_SET = const(1)
_ANNOUNCE = const(3)
_ANNOUNCE_ACK = const(0)

_OK = const(0)
_NO_ANSWER = const(0xA5)  # none of the device's
_ANSWER = const(64)  # where it writes, in our buffer
_DESC_NEXT = const(1)
_DESC_WRITE = const(2)
_WAIT_MS = const(1000)
_SIZE = const(64)  # descriptors at most


class Control(Queue):
    """The queue. ring: size, event index and alignment, as virtqueue.Queue takes them."""

    SIZE = _SIZE
    LEAST = const(2)

    def __init__(self, ring):
        super().__init__(*ring)
        try:
            self._buffer = mem.dma(4096)
        except MemoryError:
            super().release()
            raise
        self._seen = 0
        self._pending = False
        self.describe(1, self._buffer.addr + _ANSWER, 1, _DESC_WRITE)
        self.ring.listen(-1)

    def release(self):
        super().release()
        self._buffer.free()

    def filter(self):
        """Let in what is for us and what is for many, instead of everything. A device that will not filter goes on as it was."""
        self._command(_RX, _RX_ALLMULTI, b"\x01") and self._command(_RX, _RX_PROMISC, b"\x00")

    def set_mac(self, mac):
        """Give the card another address. -> False: it refuses."""
        return self._command(_MAC, _MAC_ADDR_SET, mac)

    def announced(self):
        """Say that we have announced ourselves; the answer is not waited for, this runs in an interrupt's function."""
        if self._finish():
            self._begin(_ANNOUNCE, _ANNOUNCE_ACK, b"")

    def _command(self, kind, command, data):
        """-> True if the device did as it was told. OSError(ETIMEDOUT): it said nothing; OSError(EIO): nothing that makes sense."""
        if not self._finish():
            return False
        self._begin(kind, command, data)
        return self._finish()

    def _begin(self, kind, command, data):
        view = self._buffer.view
        view[0], view[1] = kind, command
        view[2 : 2 + len(data)] = data
        view[_ANSWER] = _NO_ANSWER
        self.describe(0, self._buffer.addr, 2 + len(data), _DESC_NEXT, 1)
        self._pending = True
        self.ring.post(0)
        self.ring.kick()

    def _finish(self):
        """Wait for the end of what is under way. -> True if nothing was, or it was done."""
        if not self._pending:
            return True
        start = time.ticks_ms()
        while mem.r16(self.used + 2) == self._seen:
            cpu.fence()
            if time.ticks_diff(time.ticks_ms(), start) > _WAIT_MS:
                raise OSError(110, "control queue: no answer")  # ETIMEDOUT
        number = mem.r32(self.used + 4 + 8 * (self._seen % self.size))
        if number != 0 or mem.r16(self.used + 2) != self._seen + 1 & 0xFFFF:
            raise OSError(5, "control queue: an answer to nothing")  # EIO
        self._seen = self._seen + 1 & 0xFFFF
        self._pending = False
        return self._buffer.view[_ANSWER] == _OK
