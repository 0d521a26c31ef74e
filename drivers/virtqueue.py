"""One split virtqueue with a buffer of its own for each descriptor, for frames that go one way.

Source: Virtual I/O Device 1.2, 2.7 (layout, 2.7.7 and 2.7.10: event index). Buffer i is always
descriptor i, so the table is written once; what the device may hold is kept in private memory
(`held`) and no answer of the device is used before it is found there. Ring memory and buffers are
DMA memory; the device writes the used ring, and the buffers of a queue for receiving.
The hot paths are viper: measured against bytecode, which costs ten times as much a frame.
"""

# SPDX-License-Identifier: BSD-3-Clause

import array

import cpu
import mem
import micropython
from micropython import const

BUFFER_LEN = const(2048)  # bytes for each descriptor
_DESC_WRITE = const(2)
_AVAIL_NO_INTERRUPT = const(1)
_USED_NO_NOTIFY = const(1)

# The words of Queue.state, 32 bits each; addresses take two.
_DESC = const(0)
_AVAIL = const(2)
_USED = const(4)
_BUFFERS = const(6)
_NOTIFY = const(8)
_INDEX = const(10)  # of the queue, what a notification says
_SIZE = const(11)
_POSTED = const(12)  # available index, ours
_SEEN = const(13)  # used index, ours
_FREE = const(14)  # transmit: buffers that the device does not hold
_KICKED = const(15)  # available index at the last look whether to notify
_EVENT_IDX = const(16)
_WORDS = const(17)


class Queue:
    """size: descriptors, a power of two. receiving: the device writes. event_idx: the feature was negotiated."""

    def __init__(self, size, receiving, event_idx):
        self.size = size
        avail, used = 16 * size, (18 * size + 6 + 3) & ~3
        self._ring = mem.dma(used + 8 * size + 6)
        self._buffers = mem.dma(BUFFER_LEN * size)
        self.desc = self._ring.addr
        self.avail = self.desc + avail
        self.used = self.desc + used
        self.state = array.array("I", bytes(4 * _WORDS))
        self.held = bytearray(size)
        self.free = array.array("H", range(size))
        for word, addr in ((_DESC, self.desc), (_AVAIL, self.avail), (_USED, self.used), (_BUFFERS, self._buffers.addr)):
            self._address(word, addr)
        self.state[_SIZE] = size
        self.state[_FREE] = size
        self.state[_EVENT_IDX] = event_idx
        for i in range(size):
            at = self.desc + 16 * i
            mem.w64(at, self._buffers.addr + BUFFER_LEN * i)
            mem.w32(at + 8, BUFFER_LEN)
            mem.w32(at + 12, _DESC_WRITE if receiving else 0)
        if not receiving:
            mem.w16(self.avail, 0 if event_idx else _AVAIL_NO_INTERRUPT)

    def _address(self, word, addr):
        self.state[word] = addr & 0xFFFFFFFF
        self.state[word + 1] = addr >> 32

    def bind(self, notify, index):
        """Where the device is told of what was posted, and by which number (Device.attach)."""
        self._address(_NOTIFY, notify)
        self.state[_INDEX] = index

    def release(self):
        """Give the memory back. The device must have been reset."""
        self._ring.free()
        self._buffers.free()

    def post_all(self):
        """Give every buffer to the device, to be written."""
        for i in range(self.size):
            self.held[i] = 1
            mem.w16(self.avail + 4 + 2 * i, i)
        self.state[_POSTED] = self.size
        mem.w16(self.avail + 2, self.size)

    def kick(self):
        """Tell the device of what was posted since the last time, if it wants to know."""
        _kick(self.state)

    def receive(self, handle, header_len, budget):
        """Call handle(address, length, checked) for up to budget frames and post their buffers again.

        -> frames, or -1: the device broke a promise.
        """
        return _receive(self.state, self.held, handle, header_len, budget)

    def listen(self):
        """Ask to be interrupted by the next used buffer. -> True if one has come in meanwhile."""
        return _listen(self.state, 0)


@micropython.viper
def _kick(state):
    s = ptr32(state)
    posted = int(s[_POSTED]) & 0xFFFF
    kicked = int(s[_KICKED]) & 0xFFFF
    cpu.fence()
    used = int(s[_USED]) | int(s[_USED + 1]) << 32
    if int(s[_EVENT_IDX]):
        event = int(ptr16(used + 4 + 8 * int(s[_SIZE]))[0])
        wanted = (posted - event - 1) & 0xFFFF < (posted - kicked) & 0xFFFF
    else:
        wanted = int(ptr16(used)[0]) & _USED_NO_NOTIFY == 0
    s[_KICKED] = posted
    if wanted:
        ptr16(int(s[_NOTIFY]) | int(s[_NOTIFY + 1]) << 32)[0] = int(s[_INDEX])


@micropython.viper
def _listen(state, ahead: int) -> bool:
    s = ptr32(state)
    seen = int(s[_SEEN]) & 0xFFFF
    avail = int(s[_AVAIL]) | int(s[_AVAIL + 1]) << 32
    used = int(s[_USED]) | int(s[_USED + 1]) << 32
    ptr16(avail + 4 + 2 * int(s[_SIZE]))[0] = seen + ahead
    cpu.fence()
    return int(ptr16(used)[1]) != seen


@micropython.viper
def _receive(state, held, handle, header_len: int, budget: int) -> int:
    s = ptr32(state)
    holds = ptr8(held)
    size = int(s[_SIZE])
    buffers = int(s[_BUFFERS]) | int(s[_BUFFERS + 1]) << 32
    avail = ptr16(int(s[_AVAIL]) | int(s[_AVAIL + 1]) << 32)
    used = int(s[_USED]) | int(s[_USED + 1]) << 32
    ring = ptr32(used + 4)
    count = 0
    while count < budget:
        seen = int(s[_SEEN])
        waiting = (int(ptr16(used)[1]) - seen) & 0xFFFF
        if waiting == 0:
            break
        entry = (seen & (size - 1)) * 2
        number = int(ring[entry])
        length = int(ring[entry + 1])
        if waiting > size or number >= size or int(holds[number]) == 0 or length < header_len or length > BUFFER_LEN:
            return -1
        s[_SEEN] = (seen + 1) & 0xFFFF
        holds[number] = 0
        at = buffers + number * BUFFER_LEN
        # The header's flags: 1 a checksum to complete, of a frame that never was on a wire, 2 a checksum that is right.
        checked = 1 if int(ptr8(at)[0]) & 3 else 0
        if length > header_len:
            handle(at + header_len, length - header_len, checked)
        holds[number] = 1
        posted = int(s[_POSTED])
        avail[2 + (posted & (size - 1))] = number
        s[_POSTED] = (posted + 1) & 0xFFFF
        avail[1] = posted + 1
        count += 1
    return count


@micropython.viper
def send(state, held, free, tx, header_len: int, length: int, csum: int):
    """Post the frame behind the header of the buffer that tx[0] names, then name the next one, or 0: none.

    csum: 0, or start << 16 | offset of the checksum that the device completes (5.1.6.2).
    """
    s = ptr32(state)
    holds = ptr8(held)
    stack = ptr16(free)
    left = int(s[_FREE]) - 1
    number = int(stack[left])
    at = (int(s[_BUFFERS]) | int(s[_BUFFERS + 1]) << 32) + number * BUFFER_LEN
    words = ptr32(at)
    words[0] = 1 if csum else 0
    words[1] = (csum >> 16) << 16
    words[2] = csum & 0xFFFF
    ptr32((int(s[_DESC]) | int(s[_DESC + 1]) << 32) + 16 * number)[2] = header_len + length
    avail = ptr16(int(s[_AVAIL]) | int(s[_AVAIL + 1]) << 32)
    posted = int(s[_POSTED])
    avail[2 + (posted & (int(s[_SIZE]) - 1))] = number
    holds[number] = 1
    s[_POSTED] = (posted + 1) & 0xFFFF
    avail[1] = posted + 1
    s[_FREE] = left
    _kick(state)
    next_tx(state, free, tx, header_len)


@micropython.viper
def next_tx(state, free, tx, header_len: int):
    """Name the buffer that send() takes next in tx[0], 0 where the device holds all."""
    s = ptr32(state)
    out = ptr32(tx)
    stack = ptr16(free)
    left = int(s[_FREE])
    at = 0
    if left != 0:
        number = int(stack[left - 1])
        at = (int(s[_BUFFERS]) | int(s[_BUFFERS + 1]) << 32) + number * BUFFER_LEN + header_len
    out[0] = at  # its lower half
    out[1] = at >> 32


@micropython.viper
def reclaim(state, held, free) -> int:
    """Take back what the device has sent. -> buffers, or -1: it broke a promise."""
    s = ptr32(state)
    holds = ptr8(held)
    stack = ptr16(free)
    size = int(s[_SIZE])
    used = int(s[_USED]) | int(s[_USED + 1]) << 32
    ring = ptr32(used + 4)
    seen = int(s[_SEEN])
    waiting = (int(ptr16(used)[1]) - seen) & 0xFFFF
    if waiting > size:
        return -1
    left = int(s[_FREE])
    for i in range(waiting):
        number = int(ring[(seen & (size - 1)) * 2])
        if number >= size or int(holds[number]) == 0:
            return -1
        holds[number] = 0
        stack[left] = number
        left += 1
        seen += 1
    s[_SEEN] = seen & 0xFFFF
    s[_FREE] = left
    return waiting
