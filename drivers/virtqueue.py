"""Split virtqueues: the rings, and queues with a buffer of its own for each head, for frames that go one way.

Source: Virtual I/O Device 1.2, 2.7 (layout; 2.7.2: legacy; 2.7.7 and 2.7.10: event index), 5.1.6 (header of a frame).
Buffer i always belongs to descriptor i, so the table is written once; what the device may hold is kept in private
memory (`held`), and no answer of the device is used before it is found there. Ring memory and buffers are DMA memory;
the device writes the used ring, and the buffers of a queue for receiving. Each word of it is read once.
The hot paths are viper: measured against bytecode, which costs ten times as much a frame.
"""

# SPDX-License-Identifier: BSD-3-Clause

import array

import cpu
import mem
import micropython
import uctypes
from micropython import const

_DESC_NEXT = const(1)
_DESC_WRITE = const(2)
_AVAIL_NO_INTERRUPT = const(1)
_USED_NO_NOTIFY = const(1)
_CHECKED = const(3)  # flags of a header: 1 a checksum to complete, of a frame that never was on a wire, 2 one that is right

# The words of Ring.state, 32 bits each; addresses take two.
_DESC = const(0)
_AVAIL = const(2)
_USED = const(4)
_BUFFERS = const(6)
_NOTIFY = const(8)
_NOTIFY_PORT = const(10)  # it is a port, not memory
_INDEX = const(11)  # of the queue, what a notification says
_SIZE = const(12)
_EVENT_IDX = const(13)
_POSTED = const(14)  # available index, ours
_SEEN = const(15)  # used index, ours
_KICKED = const(16)  # available index at the last look whether to notify
_COUNT = const(17)  # buffers
_BUFFER_LEN = const(18)
_HEADER_LEN = const(19)
_MERGE = const(20)  # a frame may come in several buffers
_SECOND = const(21)  # a header has a descriptor of its own, and this many further on is that of its frame
_FREE = const(22)  # transmit: buffers that the device does not hold
_TX = const(23)  # transmit: address of what names the next buffer
_STACK = const(25)  # transmit: the buffers that are free, as many as _FREE says, the next one last


class Ring:
    """The memory of one queue. size: descriptors, a power of two; align: bytes, of the used ring."""

    def __init__(self, size, event_idx, align, more=0):
        """more: words of state behind those that every ring has."""
        self.size = size
        avail, used = 16 * size, (18 * size + 6 + align - 1) & ~(align - 1)
        self._ring = mem.dma(used + 8 * size + 6)
        self.desc = self._ring.addr
        self.avail = self.desc + avail
        self.used = self.desc + used
        self.state = array.array("I", bytes(4 * (_STACK + more)))
        for word, addr in ((_DESC, self.desc), (_AVAIL, self.avail), (_USED, self.used)):
            self._address(word, addr)
        self.state[_SIZE] = size
        self.state[_EVENT_IDX] = event_idx

    def _address(self, word, addr):
        self.state[word] = addr & 0xFFFFFFFF
        self.state[word + 1] = addr >> 32

    def describe(self, number, addr, length, flags=0, following=0):
        """Write one descriptor."""
        at = self.desc + 16 * number
        mem.w64(at, addr)
        mem.w32(at + 8, length)
        mem.w32(at + 12, flags | following << 16)

    def bind(self, notify, port, index):
        """Where the device is told of what was posted, a port or not, and by which number (attach())."""
        self._address(_NOTIFY, notify)
        self.state[_NOTIFY_PORT] = port
        self.state[_INDEX] = index

    def post(self, number):
        """Give one descriptor's chain to the device."""
        posted = self.state[_POSTED]
        mem.w16(self.avail + 4 + 2 * (posted & self.size - 1), number)
        self.state[_POSTED] = posted + 1 & 0xFFFF
        cpu.fence()
        mem.w16(self.avail + 2, posted + 1 & 0xFFFF)

    def kick(self):
        """Tell the device of what was posted since the last time, if it wants to know."""
        _kick(self.state)

    def listen(self, ahead=0):
        """Ask to be interrupted when `ahead` more buffers were used than one; -1: never. -> True if some were meanwhile."""
        return _listen(self.state, ahead)

    def release(self):
        """Give the memory back. The device must have been reset."""
        self._ring.free()


class Queue(Ring):
    """A ring with `count` buffers of `buffer_len` bytes, a multiple of 8, each a header of `header_len` and a frame.

    apart: the header has a descriptor of its own; the ring must have two for each buffer."""

    def __init__(self, ring, count, buffer_len, header_len, apart=False):
        super().__init__(*ring, more=count)
        self.count = count
        try:
            self._buffers = mem.dma(buffer_len * count)
        except MemoryError:
            self._ring.free()
            raise
        self.held = bytearray(count)
        self._address(_BUFFERS, self._buffers.addr)
        for word, value in ((_COUNT, count), (_BUFFER_LEN, buffer_len), (_HEADER_LEN, header_len), (_SECOND, count * apart)):
            self.state[word] = value

    def release(self):
        super().release()
        self._buffers.free()


class Receiver(Queue):
    """Frames in. merge: one frame may take several buffers, whose number stands in its header."""

    def __init__(self, ring, count, buffer_len, header_len, apart=False, merge=False):
        super().__init__(ring, count, buffer_len, header_len, apart)
        self.state[_MERGE] = merge
        self._pieces = array.array("I", bytes(8 * count))
        _describe(self.state, _DESC_WRITE)

    def post_all(self):
        """Give every buffer to the device, to be written; once."""
        _post_all(self.state, self.held)

    def receive(self, handle, budget):
        """Call handle(address, length, info) for up to budget frames and post their buffers again. -> frames; -1: a broken promise.

        info: 1 where the device vouches for the checksums, and twice the bytes of the same frame that further calls bring.
        """
        return _receive(self.state, self.held, self._pieces, handle, budget)


class Sender(Queue):
    """Frames out. tx: array of one address, of the place where the next frame goes; 0: the device holds all buffers."""

    def __init__(self, ring, count, buffer_len, header_len, tx, apart=False):
        super().__init__(ring, count, buffer_len, header_len, apart)
        state = self.state
        state[_FREE] = count
        state[_STACK : _STACK + count] = array.array("I", range(count))
        self.tx = tx
        self._address(_TX, uctypes.addressof(tx))
        _describe(self.state, 0)
        self.listen(-1)
        _next_tx(state)

    def free(self):
        """-> the buffers that the device does not hold."""
        return list(self.state[_STACK : _STACK + self.state[_FREE]])

    def reclaim(self):
        """Take back what was sent, and ask for an interrupt where the device still holds all. -> False: it broke a promise."""
        state = self.state
        for _ in range(2):
            if _reclaim(state, self.held) < 0:
                return False
            _next_tx(state)
            if self.tx[0] or not _listen(state, self.count // 2):
                break  # else some came back between the look and the wish
        return True


# ---- both ways ------------------------------------------------------------------------------------------


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
        notify = int(s[_NOTIFY]) | int(s[_NOTIFY + 1]) << 32
        if int(s[_NOTIFY_PORT]):
            cpu.out16(notify, int(s[_INDEX]))
        else:
            ptr16(notify)[0] = int(s[_INDEX])


@micropython.viper
def _listen(state, ahead: int) -> bool:
    s = ptr32(state)
    seen = int(s[_SEEN]) & 0xFFFF
    avail = int(s[_AVAIL]) | int(s[_AVAIL + 1]) << 32
    used = int(s[_USED]) | int(s[_USED + 1]) << 32
    if int(s[_EVENT_IDX]):
        ptr16(avail + 4 + 2 * int(s[_SIZE]))[0] = seen + ahead
    else:
        ptr16(avail)[0] = _AVAIL_NO_INTERRUPT if ahead < 0 else 0
    cpu.fence()
    return int(ptr16(used)[1]) != seen


@micropython.viper
def _describe(state, flags: int):
    """Write the descriptors of all buffers; in bytecode they were a third of bringing a card up."""
    s = ptr32(state)
    table = int(s[_DESC]) | int(s[_DESC + 1]) << 32
    buffers = int(s[_BUFFERS]) | int(s[_BUFFERS + 1]) << 32
    second = int(s[_SECOND])
    head = int(s[_HEADER_LEN]) if second else 0  # what has a descriptor of its own
    for i in range(int(s[_COUNT])):
        at = buffers + int(s[_BUFFER_LEN]) * i
        words = ptr32(table + 16 * (second + i))
        words[0] = at + head
        words[1] = (at + head) >> 32
        words[2] = int(s[_BUFFER_LEN]) - head
        words[3] = flags
        if second:
            words = ptr32(table + 16 * i)
            words[0] = at
            words[1] = at >> 32
            words[2] = head
            words[3] = flags | _DESC_NEXT | (second + i) << 16


@micropython.viper
def _post_all(state, held):
    s = ptr32(state)
    avail = ptr16(int(s[_AVAIL]) | int(s[_AVAIL + 1]) << 32)
    for i in range(int(s[_COUNT])):
        avail[2 + i] = i
        ptr8(held)[i] = 1
    s[_POSTED] = int(s[_COUNT])
    avail[1] = int(s[_COUNT])


# ---- frames in --------------------------------------------------------------------------------------------


@micropython.viper
def _receive(state, held, pieces, handle, budget: int) -> int:
    s = ptr32(state)
    holds = ptr8(held)
    parts = ptr32(pieces)
    size = int(s[_SIZE])
    header_len = int(s[_HEADER_LEN])
    buffer_len = int(s[_BUFFER_LEN])
    buffers = int(s[_BUFFERS]) | int(s[_BUFFERS + 1]) << 32
    avail = ptr16(int(s[_AVAIL]) | int(s[_AVAIL + 1]) << 32)
    used = int(s[_USED]) | int(s[_USED + 1]) << 32
    ring = ptr32(used + 4)
    if int(s[_EVENT_IDX]) == 0:
        avail[0] = _AVAIL_NO_INTERRUPT  # until listen()
    count = 0
    while count < budget:
        seen = int(s[_SEEN])
        waiting = (int(ptr16(used)[1]) - seen) & 0xFFFF
        if waiting == 0:
            break
        if waiting > int(s[_COUNT]):
            return -1
        need = 1
        rest = -header_len
        i = 0
        while i < need:  # copy and check the entries of one frame
            entry = ((seen + i) & (size - 1)) * 2
            number = int(ring[entry])
            length = int(ring[entry + 1])
            least = 1 if i else header_len
            if number >= int(s[_COUNT]) or int(holds[number]) == 0 or length < least or length > buffer_len:
                return -1
            if i == 0:
                header = buffers + number * buffer_len
                checked = 1 if int(ptr8(header)[0]) & _CHECKED else 0
                if int(s[_MERGE]):
                    need = int(ptr16(header)[5])
                    if need == 0 or need > waiting:
                        return -1
            holds[number] = 0
            parts[2 * i] = number
            parts[2 * i + 1] = length
            rest += length
            i += 1
        s[_SEEN] = (seen + need) & 0xFFFF
        skip = header_len
        for i in range(need):  # hand its pieces on, and post their buffers again
            number = int(parts[2 * i])
            length = int(parts[2 * i + 1]) - skip
            if rest:
                rest -= length
                handle(buffers + number * buffer_len + skip, length, checked | rest << 1)
            skip = 0
            holds[number] = 1
            posted = int(s[_POSTED])
            avail[2 + (posted & (size - 1))] = number
            s[_POSTED] = (posted + 1) & 0xFFFF
            avail[1] = posted + 1
        count += 1
    return count


# ---- frames out -------------------------------------------------------------------------------------------


@micropython.viper
def send(state, held, length: int, csum: int) -> bool:
    """Post the frame behind the header of the buffer that tx[0] names, then name the next one. -> False: there is none.

    csum: 0, or start << 16 | offset of the checksum that the device completes (5.1.6.2).
    One function, with the notification in it: measured, calls among viper functions were half of its instructions.
    """
    s = ptr32(state)
    left = int(s[_FREE]) - 1
    number = int(s[_STACK + left])
    at = (int(s[_BUFFERS]) | int(s[_BUFFERS + 1]) << 32) + number * int(s[_BUFFER_LEN])
    words = ptr32(at)
    words[0] = 1 if csum else 0
    words[1] = (csum >> 16) << 16
    ptr16(at)[4] = csum
    second = int(s[_SECOND])
    ptr32((int(s[_DESC]) | int(s[_DESC + 1]) << 32) + 16 * (second + number))[2] = length if second else int(s[_HEADER_LEN]) + length
    avail = ptr16(int(s[_AVAIL]) | int(s[_AVAIL + 1]) << 32)
    posted = int(s[_POSTED])
    avail[2 + (posted & (int(s[_SIZE]) - 1))] = number
    ptr8(held)[number] = 1
    s[_POSTED] = (posted + 1) & 0xFFFF
    avail[1] = posted + 1
    s[_FREE] = left
    out = ptr32(int(s[_TX]) | int(s[_TX + 1]) << 32)
    at = 0
    if left:
        at = (int(s[_BUFFERS]) | int(s[_BUFFERS + 1]) << 32) + int(s[_STACK + left - 1]) * int(s[_BUFFER_LEN]) + int(s[_HEADER_LEN])
    out[0] = at  # its lower half
    out[1] = at >> 32
    cpu.fence()
    used = int(s[_USED]) | int(s[_USED + 1]) << 32
    posted = (posted + 1) & 0xFFFF
    if int(s[_EVENT_IDX]):
        wanted = (posted - int(ptr16(used + 4 + 8 * int(s[_SIZE]))[0]) - 1) & 0xFFFF < (posted - int(s[_KICKED])) & 0xFFFF
    else:
        wanted = int(ptr16(used)[0]) & _USED_NO_NOTIFY == 0
    if wanted:
        _kick(state)
    else:
        s[_KICKED] = posted
    return left != 0


@micropython.viper
def _next_tx(state):
    """Name the buffer that send() takes next, 0 where the device holds all."""
    s = ptr32(state)
    out = ptr32(int(s[_TX]) | int(s[_TX + 1]) << 32)
    left = int(s[_FREE])
    at = 0
    if left:
        at = (int(s[_BUFFERS]) | int(s[_BUFFERS + 1]) << 32) + int(s[_STACK + left - 1]) * int(s[_BUFFER_LEN]) + int(s[_HEADER_LEN])
    out[0] = at
    out[1] = at >> 32


@micropython.viper
def _reclaim(state, held) -> int:
    """Take back what the device has sent. -> buffers, or -1: it broke a promise."""
    s = ptr32(state)
    holds = ptr8(held)
    size = int(s[_SIZE])
    used = int(s[_USED]) | int(s[_USED + 1]) << 32
    ring = ptr32(used + 4)
    seen = int(s[_SEEN])
    waiting = (int(ptr16(used)[1]) - seen) & 0xFFFF
    left = int(s[_FREE])
    if waiting > int(s[_COUNT]) - left:
        return -1
    if int(s[_EVENT_IDX]) == 0:
        ptr16(int(s[_AVAIL]) | int(s[_AVAIL + 1]) << 32)[0] = _AVAIL_NO_INTERRUPT
    for i in range(waiting):
        number = int(ring[(seen & (size - 1)) * 2])
        if number >= int(s[_COUNT]) or int(holds[number]) == 0:
            return -1
        holds[number] = 0
        s[_STACK + left] = number
        left += 1
        seen += 1
    s[_SEEN] = seen & 0xFFFF
    s[_FREE] = left
    return waiting
