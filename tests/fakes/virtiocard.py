"""A virtio network card in Python behind a fake PCI bus: honest, for others to make it lie.

Source: Virtual I/O Device 1.2, 4.1 (PCI), 2.7 (split rings), 5.1 (network). It takes what is posted from real memory
(ram.py), and fails where the driver posts what is not DMA memory. Fields that a lie may change: features, config,
status, sizes, generation, and through `answer` every value that a register gives.
"""

import struct

import cpu
import mem
import pcibus
import ram
from drivers import pci
from drivers.virtio_legacy import Legacy
from ram import get, put

Legacy.reach = 1 << 48  # this process's memory lies higher than a machine's

CSUM, GUEST_CSUM, MTU, MAC = 1 << 0, 1 << 1, 1 << 3, 1 << 5
HOST_TSO4, HOST_TSO6 = 1 << 11, 1 << 12
GUEST_TSO4, GUEST_TSO6, MRG_RXBUF, STATUS = 1 << 7, 1 << 8, 1 << 15, 1 << 16
CTRL_VQ, CTRL_RX, ANNOUNCE, CTRL_MAC = 1 << 17, 1 << 18, 1 << 21, 1 << 23
ANY_LAYOUT, EVENT_IDX, VERSION_1, PLATFORM = 1 << 27, 1 << 29, 1 << 32, 1 << 33
NETWORK = CSUM | GUEST_CSUM | MTU | MAC | GUEST_TSO4 | GUEST_TSO6 | MRG_RXBUF | STATUS | CTRL_VQ | CTRL_RX | ANNOUNCE | CTRL_MAC
LEGACY = NETWORK | ANY_LAYOUT | EVENT_IDX
MODERN = NETWORK | EVENT_IDX | VERSION_1 | PLATFORM

_REGISTERS, _TABLE = 0xFE000000, 0xFE010000  # BARs 2 and 1: common and device configuration; MSI-X
_PORT = 0xC040  # BAR 0
_MULTIPLIER = 4
OWN_MAC = b"\x52\x54\x00\x12\x34\x56"


class Queue:
    """What the device knows of one queue."""

    lied = False  # the driver believes something else

    def __init__(self, size):
        self.most = self.size = size
        self.desc = self.avail = self.used = 0
        self.vector = 0xFFFF
        self.enabled = False
        self.taken = self.done = 0

    def available(self):
        """-> heads that were posted and not taken yet, at most the ring's size."""
        if not self.enabled:
            return 0
        count = get("<H", self.avail + 2) - self.taken & 0xFFFF
        if self.lied and count > self.size:
            return 0
        assert count <= self.size, "more posted than there is room for"
        return count

    def take(self):
        """-> (head, list of (address, length, the device writes)) of the next chain."""
        head = number = get("<H", self.avail + 4 + 2 * (self.taken % self.size))
        self.taken = self.taken + 1 & 0xFFFF
        chain = []
        for _ in range(self.size):
            addr, length, flags, following = struct.unpack("<QIHH", ram.uctypes.bytes_at(self.desc + 16 * number, 16))
            assert ram.holder(addr, length), "a descriptor of what is no DMA memory"
            chain.append((addr, length, flags & 2 != 0))
            if not flags & 1:
                return head, chain
            number = following
        raise AssertionError("a chain without end")

    def give(self, head, length):
        """Put one entry into the used ring, unseen as yet."""
        at = self.used + 4 + 8 * (self.done % self.size)
        put("<I", at, head)
        put("<I", at + 4, length)
        self.done = self.done + 1 & 0xFFFF

    def show(self):
        put("<H", self.used + 2, self.done)


class Card:
    """The device. legacy: the older interface alone. vectors: entries of MSI-X, 0: none."""

    def __init__(self, legacy=False, features=None, sizes=(16, 16, 8), vectors=3, mtu=1500):
        self.legacy = legacy
        self.features = (LEGACY if legacy else MODERN) if features is None else features
        self.config = bytearray(OWN_MAC + struct.pack("<HHH", 1, 1, mtu))
        self.sizes = sizes
        self.answer = lambda name, value: value  # what a register gives
        self.filters, self.table = [], {}
        self.bell = ram.DMA(4096)
        ram.live.remove(self.bell)
        ram.windows.append(self.bell)
        self.space = self._space(vectors)
        self.lengths = {0: 64} if legacy else {2: 0x2000, 4: 4096}
        self.lengths[1] = 0x1000
        mem.devices.append((_REGISTERS, 0x2000, self._read, self._write))
        mem.devices.append((_TABLE, 0x1000, lambda offset, bits: self.table.get(offset, 0), self._route))
        cpu.ports = pcibus.Ports({(0, 3, 0): self.space}, {(0, 3, 0): self.lengths}, self)
        self.reset()

    def function(self):
        return pci.Function(pci.ConfigPorts(), 0, 3, 0)

    def _space(self, vectors):
        bars = (_PORT | 1 if self.legacy else 0, _TABLE, _REGISTERS, 0, self.bell.addr & 0xFFFFFFFF | 4, self.bell.addr >> 32)
        chain = [(0x40, 0x11, 0x50)] if vectors else []
        chain += [] if self.legacy else [(0x50, 9, 0x60), (0x60, 9, 0x74), (0x74, 9, 0)]
        space = pcibus.header(0x1AF4, 0x1000 if self.legacy else 0x1041, 0x020000, bars=bars, capabilities=chain)
        struct.pack_into("<H", space, 0x2E, 1)
        if vectors:
            struct.pack_into("<HI", space, 0x42, vectors - 1, 1)
        if not self.legacy:
            for at, kind, bar, offset, length in ((0x50, 1, 2, 0, 56), (0x60, 2, 4, 0, 4096), (0x74, 4, 2, 0x1000, 12)):
                space[at + 2 : at + 5] = bytes((16, kind, bar))
                struct.pack_into("<II", space, at + 8, offset, length)
            struct.pack_into("<I", space, 0x60 + 16, _MULTIPLIER)
        return space

    def reset(self):
        self.status = self.selected = self.feature_select = self.driver_select = 0
        self.accepted = 0
        self.generation = 0
        self.config_vector = 0xFFFF
        self.queues = [Queue(size) for size in self.sizes]

    # -- registers -----------------------------------------------------------------------------

    @property
    def queue(self):
        """The queue that is selected; one that nobody has where it is none of them."""
        return self.queues[self.selected] if self.selected < len(self.queues) else Queue(0)

    def _read(self, offset, bits):
        if offset >= 0x1000:
            return self._config(offset - 0x1000) & (1 << bits) - 1
        return self.answer(offset, self._common(offset)) & (1 << bits) - 1

    def _config(self, offset):
        return self.answer("config", self.config[offset] if offset < len(self.config) else 0)

    def _common(self, offset):
        queue = self.queue
        names = {0x04: self.features >> 32 * min(self.feature_select, 1), 0x10: self.config_vector, 0x12: len(self.queues), 0x14: self.status}
        names.update({0x15: self.generation, 0x18: queue.size, 0x1A: queue.vector, 0x1C: queue.enabled, 0x1E: self.selected})
        return names.get(offset, 0)

    def _write(self, offset, bits, value):
        queue = self.queue
        if offset == 0x00:
            self.feature_select = value
        elif offset == 0x08:
            self.driver_select = value
        elif offset == 0x0C:
            self.accepted = self.accepted & ~(0xFFFFFFFF << 32 * self.driver_select) | value << 32 * self.driver_select
        elif offset == 0x10:
            self.config_vector = value
        elif offset == 0x14:
            self._set_status(value)
        elif offset == 0x16:
            self.selected = value
        elif offset == 0x18:
            queue.size = value
        elif offset == 0x1A:
            queue.vector = value
        elif offset == 0x1C:
            queue.enabled = True
        elif 0x20 <= offset < 0x38:
            name = ("desc", "avail", "used")[offset - 0x20 >> 3]
            shift = 32 if offset & 4 else 0
            setattr(queue, name, getattr(queue, name) & ~(0xFFFFFFFF << shift) | value << shift)

    def _set_status(self, value):
        if value == 0:
            self.reset()
        else:
            self.status = value

    def _route(self, offset, bits, value):
        self.table[offset] = value

    # -- the older interface ---------------------------------------------------------------------

    def read(self, port, width):
        offset, queue = port - _PORT, self.queue
        if offset >= 0x18:
            return self._config(offset - 0x18) & (1 << width) - 1
        names = {0x00: self.features & 0xFFFFFFFF, 0x0C: queue.most, 0x12: self.status, 0x14: self.config_vector, 0x16: queue.vector}
        return self.answer(offset, names.get(offset, 0)) & (1 << width) - 1

    def write(self, port, width, value):
        offset, queue = port - _PORT, self.queue
        if offset == 0x04:
            self.accepted = value
        elif offset == 0x08:
            queue.desc = value << 12
            queue.avail = queue.desc + 16 * queue.most
            queue.used = queue.avail + 6 + 2 * queue.most + 4095 & ~4095
            queue.enabled = value != 0
        elif offset == 0x0E:
            self.selected = value
        elif offset == 0x12:
            self._set_status(value)
        elif offset == 0x14:
            self.config_vector = value
        elif offset == 0x16:
            queue.vector = value
        elif 0 <= offset - 0x18 < len(self.config):
            self.config[offset - 0x18] = value

    # -- what a card does --------------------------------------------------------------------------

    def merges(self):
        return self.accepted & MRG_RXBUF != 0

    def header_len(self):
        return 12 if self.merges() or not self.legacy else 10

    def send(self, count=64):
        """Take up to `count` frames from the transmit queue and give their buffers back. -> the frames, with their headers."""
        queue, frames = self.queues[1], []
        while queue.available() and len(frames) < count:
            head, chain = queue.take()
            assert not any(writes for _, _, writes in chain)
            frames.append(b"".join([bytes(ram.uctypes.bytes_at(addr, length)) for addr, length, _ in chain]))
            queue.give(head, 0)
        queue.show()
        return frames

    def receive(self, frame, flags=0, show=True):
        """Let a frame come in. -> heads of the buffers that it took, none if there is no room."""
        queue, header_len = self.queues[0], self.header_len()
        left, heads = bytes((flags,)) + bytes(header_len - 1) + frame, []
        first = None
        while left and queue.available():
            head, chain = queue.take()
            assert all(writes for _, _, writes in chain)
            used = 0
            for addr, length, _ in chain:
                first = first or addr
                part, left = left[:length], left[length:]
                ram.uctypes.bytearray_at(addr, len(part))[:] = part
                used += len(part)
            queue.give(head, used)
            heads.append(head)
            if not self.merges():
                break
        if heads and self.merges():
            put("<H", first + 10, len(heads))
        if show:
            queue.show()
        return heads

    def command(self):
        """Do what the control queue asks. -> the bytes of each command."""
        queue, done = self.queues[2], []
        while queue.available():
            head, chain = queue.take()
            asked = b"".join([bytes(ram.uctypes.bytes_at(addr, length)) for addr, length, writes in chain if not writes])
            addr, length, writes = chain[-1]
            assert (length, writes) == (1, True)
            put("<B", addr, self.answer("ack", 0) & 0xFF)
            queue.give(head, 1)
            done.append(asked)
        queue.show()
        self.filters += done
        return done
