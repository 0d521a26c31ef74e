"""drivers/virtqueue.py against a device that answers as it should, and one that lies in every field it may write."""

import array
import random
import struct

import cpu
import mem
import uctypes
from check import run, same

_HEADER_LEN = 12


class Memory:
    """Stands for mem.dma: memory of this process at its real address."""

    def __init__(self, size, align=4096):
        self._bytes = bytearray(size + align)
        start = uctypes.addressof(self._bytes)
        self.addr = (start + align - 1) & ~(align - 1)
        self.view = memoryview(self._bytes)[self.addr - start :][:size]

    def free(self):
        pass


def write(code):
    def at(addr, value):
        uctypes.bytearray_at(addr, struct.calcsize(code))[:] = struct.pack(code, value)

    return at


def get(code, addr):
    return struct.unpack(code, uctypes.bytes_at(addr, struct.calcsize(code)))[0]


mem.dma, mem.w16, mem.w32, mem.w64 = Memory, write("<H"), write("<I"), write("<Q")
cpu.fence = lambda: None

from drivers import virtqueue  # after the memory that it imports


class Device:
    """The other side of a queue: its available ring is read here, its used ring written."""

    def __init__(self, size, receiving, event_idx=True):
        self.queue = virtqueue.Queue(size, receiving, event_idx)
        self.bell = Memory(16)
        self.queue.bind(self.bell.addr, 7)
        self.taken = self.used = 0

    def posted(self):
        """-> numbers of the buffers that were posted since the last time."""
        end = get("<H", self.queue.avail + 2)
        out = []
        while self.taken != end:
            out.append(get("<H", self.queue.avail + 4 + 2 * (self.taken % self.queue.size)))
            self.taken = (self.taken + 1) & 0xFFFF
        return out

    def buffer(self, number):
        return get("<Q", self.queue.desc + 16 * number)

    def answer(self, number, length):
        at = self.queue.used + 4 + 8 * (self.used % self.queue.size)
        mem.w32(at, number)
        mem.w32(at + 4, length)
        self.used = (self.used + 1) & 0xFFFF
        mem.w16(self.queue.used + 2, self.used)

    def rang(self):
        """-> what was written to the doorbell since the last time, 0: nothing."""
        value = get("<H", self.bell.addr)
        mem.w16(self.bell.addr, 0)
        return value


def receiver(size=8):
    device = Device(size, True)
    device.queue.post_all()
    return device, device.posted()


def test_frames_in():
    """Thousands of frames, out of order, through wrapped indices; every buffer comes back."""
    device, pending = receiver()
    got = []
    for i in range(70000 // 7):
        batch = pending[:7]
        pending = pending[7:]
        batch.reverse()
        for number in batch:
            device.answer(number, _HEADER_LEN + 1 + number)
        same(device.queue.receive(lambda *frame: got.append(frame), _HEADER_LEN, 64), len(batch))
        same(got, [(device.buffer(n) + _HEADER_LEN, n + 1, 0) for n in batch])
        got.clear()
        pending += device.posted()
        same(sorted(pending), list(range(8)))


def test_budget_and_listen():
    device, pending = receiver()
    for number in pending:
        device.answer(number, 100)
    got = []
    same(device.queue.receive(lambda *frame: got.append(frame), _HEADER_LEN, 3), 3)
    same(device.queue.listen(), True)
    same(device.queue.receive(lambda *frame: got.append(frame), _HEADER_LEN, 64), 5)
    same(device.queue.listen(), False)
    same(get("<H", device.queue.avail + 4 + 2 * 8), 8)  # used_event: the next one


def test_lies():
    """A number that is none or not posted, a length that is none, an index that runs ahead: nothing is handed on."""
    for number, length in ((8, 100), (0xFFFFFFFF, 100), (0, 11), (0, 2049), (0, 0xFFFFFFFF), (0x80000000, 12)):
        device, _ = receiver()
        device.answer(number, length)
        same(device.queue.receive(None, _HEADER_LEN, 64), -1)
    device, _ = receiver()
    mem.w16(device.queue.used + 2, 9)
    same(device.queue.receive(None, _HEADER_LEN, 64), -1)


def test_fuzz():
    """Whatever the device writes into its ring, only posted buffers are handed on, and no more of one than its length."""
    random.seed(4)
    for _ in range(300):
        device, _ = receiver()
        buffers = [device.buffer(n) for n in range(8)]

        def check(addr, length, checked):
            assert addr - _HEADER_LEN in buffers and 0 < length <= 2048 - _HEADER_LEN, (addr, length)

        for _ in range(40):
            choice = random.getrandbits(2)
            if choice == 0:
                mem.w16(device.queue.used + 2, random.getrandbits(16))
            else:
                number = random.getrandbits(32 if choice == 1 else 3)
                device.answer(number, random.getrandbits(32) if random.getrandbits(2) == 0 else 12 + random.getrandbits(10))
            for i in range(8):  # the device may write into its buffers and the ring at any time
                mem.w16(buffers[i], random.getrandbits(16))
            if device.queue.receive(check, _HEADER_LEN, 64) < 0:
                break


def sender(size=4):
    device = Device(size, False)
    q = device.queue
    tx = array.array("Q", [0])
    virtqueue.next_tx(q.state, q.free, tx, _HEADER_LEN)
    return device, tx


def send(device, tx, length, csum=0):
    q = device.queue
    virtqueue.send(q.state, q.held, q.free, tx, _HEADER_LEN, length, csum)


def test_frames_out():
    """Header, length and checksum are as 5.1.6 says; a full ring says so; what comes back is used again."""
    device, tx = sender()
    for turn in range(20000):
        first = tx[0]
        send(device, tx, 60, 34 << 16 | 16)
        (number,) = device.posted()
        same(device.buffer(number) + _HEADER_LEN, first)
        same(get("<I", device.queue.desc + 16 * number + 8), 72)
        same(uctypes.bytes_at(first - _HEADER_LEN, 12), struct.pack("<BBHHHHH", 1, 0, 0, 0, 34, 16, 0))
        device.answer(number, 0)
        if turn % 3 == 2:
            same(virtqueue.reclaim(device.queue.state, device.queue.held, device.queue.free), 3)
            virtqueue.next_tx(device.queue.state, device.queue.free, tx, _HEADER_LEN)


def test_full():
    device, tx = sender()
    for left in (3, 2, 1, 0):
        assert tx[0]
        send(device, tx, 100)
    same(tx[0], 0)
    same(virtqueue.reclaim(device.queue.state, device.queue.held, device.queue.free), 0)
    virtqueue.next_tx(device.queue.state, device.queue.free, tx, _HEADER_LEN)
    same(tx[0], 0)
    device.answer(2, 0)
    same(virtqueue.reclaim(device.queue.state, device.queue.held, device.queue.free), 1)
    virtqueue.next_tx(device.queue.state, device.queue.free, tx, _HEADER_LEN)
    same(tx[0], device.buffer(2) + _HEADER_LEN)


def test_lies_about_what_was_sent():
    for number in (4, 0xFFFFFFFF, 0):  # none, none, and one that was not sent
        device, tx = sender()
        send(device, tx, 100)
        (sent,) = device.posted()
        assert sent != 0
        device.answer(number, 0)
        same(virtqueue.reclaim(device.queue.state, device.queue.held, device.queue.free), -1)
    device, tx = sender()
    mem.w16(device.queue.used + 2, 5)
    same(virtqueue.reclaim(device.queue.state, device.queue.held, device.queue.free), -1)


def test_doorbell():
    """The event index says when the device wants to be told; without it, a flag."""
    device, tx = sender()
    event = device.queue.used + 4 + 8 * 4
    send(device, tx, 100)
    same(device.rang(), 7)
    send(device, tx, 100)
    same(device.rang(), 0)  # still at the first one
    mem.w16(event, 2)
    send(device, tx, 100)
    same(device.rang(), 7)
    device = Device(4, False, event_idx=False)
    tx = array.array("Q", [0])
    virtqueue.next_tx(device.queue.state, device.queue.free, tx, _HEADER_LEN)
    mem.w16(device.queue.used, 1)
    send(device, tx, 100)
    same(device.rang(), 0)
    mem.w16(device.queue.used, 0)
    send(device, tx, 100)
    same(device.rang(), 7)


run(globals())
