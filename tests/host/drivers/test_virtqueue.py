"""drivers/virtqueue.py against a device that answers as it should, and one that lies in every field it may write."""

import array
import random
import struct

import cpu
import mem
import ram
import uctypes
from check import run, same
from ram import get

_HEADER_LEN = 12
_BUFFER_LEN = 2048

ram.install()  # before what imports it
from drivers import virtqueue  # after the memory that it imports


class Device:
    """The other side of a queue: its available ring is read here, its used ring written."""

    def __init__(self, queue):
        self.queue = queue
        self.bell = ram.DMA(16)
        queue.bind(self.bell.addr, False, 7)
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

    def use(self, number, length):
        """Write one entry of the used ring, and do not show it yet."""
        at = self.queue.used + 4 + 8 * (self.used % self.queue.size)
        mem.w32(at, number)
        mem.w32(at + 4, length)
        self.used = (self.used + 1) & 0xFFFF

    def show(self):
        mem.w16(self.queue.used + 2, self.used)

    def answer(self, number, length):
        self.use(number, length)
        self.show()

    def rang(self):
        """-> what was written to the doorbell since the last time, 0: nothing."""
        value = get("<H", self.bell.addr)
        mem.w16(self.bell.addr, 0)
        return value


def receiver(size=8, event_idx=True, **more):
    device = Device(virtqueue.Receiver((size, event_idx, 4), more.pop("count", size), _BUFFER_LEN, _HEADER_LEN, **more))
    device.queue.ring.supply(1000)
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
        same(device.queue.ring.receive(lambda *frame: got.append(frame), 64), len(batch))
        same(got, [(device.buffer(n) + _HEADER_LEN, n + 1, 0) for n in batch])
        got.clear()
        pending += device.posted()
        same(sorted(pending), list(range(8)))


def test_budget_and_listen():
    device, pending = receiver()
    for number in pending:
        device.answer(number, 100)
    got = []
    same(device.queue.ring.receive(lambda *frame: got.append(frame), 3), 3)
    same(device.queue.ring.listen(), True)
    same(device.queue.ring.receive(lambda *frame: got.append(frame), 64), 5)
    same(device.queue.ring.listen(), False)
    same(get("<H", device.queue.avail + 4 + 2 * 8), 8)  # used_event: the next one


def test_lies():
    """A number that is none or not posted, a length that is none, an index that runs ahead: nothing is handed on."""
    for number, length in ((8, 100), (0xFFFFFFFF, 100), (0, 11), (0, 2049), (0, 0xFFFFFFFF), (0x80000000, 12)):
        device, _ = receiver()
        device.answer(number, length)
        same(device.queue.ring.receive(None, 64), -1)
    device, _ = receiver()
    mem.w16(device.queue.used + 2, 9)
    same(device.queue.ring.receive(None, 64), -1)


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
            if device.queue.ring.receive(check, 64) < 0:
                break


def sender(size=4, event_idx=True, **more):
    tx = array.array("Q", [0])
    return Device(virtqueue.Sender((size, event_idx, 4), more.pop("count", size), _BUFFER_LEN, _HEADER_LEN, tx, **more)), tx


def send(device, tx, length, csum=0):
    device.queue.ring.send(length, csum)


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
            same(device.queue.ring.reclaim(), True)
            same(len(device.queue.ring.free()), 4)


def test_full():
    device, tx = sender()
    for left in (3, 2, 1, 0):
        assert tx[0]
        send(device, tx, 100)
    same(tx[0], 0)
    same(device.queue.ring.reclaim(), True)
    same(tx[0], 0)
    same(get("<H", device.queue.avail + 4 + 2 * 4), 2)  # used_event: when half has come back
    device.answer(2, 0)
    same(device.queue.ring.reclaim(), True)
    same(tx[0], device.buffer(2) + _HEADER_LEN)


def put(addr, data):
    uctypes.bytearray_at(addr, len(data))[:] = data


def chain(device, number):
    """-> bytes of each buffer in a chain."""
    parts = []
    while True:
        addr, length, flags, following = struct.unpack("<QIHH", uctypes.bytes_at(device.queue.desc + 16 * number, 16))
        parts.append(bytes(uctypes.bytes_at(addr, length)))
        if not flags & 1:
            return parts
        number = following


def test_frame_in_parts():
    """Parts that were held go as one chain, the header once; its buffers come back together, and are used one by one after that."""
    device, tx = sender(8)
    ring = device.queue.ring
    for turn in range(3000):
        put(tx[0], b"headers" + b"a" * 93)
        ring.hold(100)
        for part in (b"b" * 90, b"c" * 7):
            put(tx[0], part)
            ring.hold(len(part))
        same(device.posted(), [])
        ring.send_held(34 << 16 | 16, 1 << 32 | 54 << 16 | 93)
        (head,) = device.posted()
        same(chain(device, head), [struct.pack("<BBHHHHH", 1, 1, 54, 93, 34, 16, 0) + b"headers" + b"a" * 93, b"b" * 90, b"c" * 7])
        same(sorted(ring.held()), [0] * 7 + [3])
        put(tx[0], b"alone")
        send(device, tx, 5)
        (single,) = device.posted()
        same(chain(device, single), [bytes(12) + b"alone"])
        device.answer(single, 0)
        same((ring.reclaim(), len(ring.free())), (True, 5))
        device.answer(head, 0)
        same((ring.reclaim(), sorted(ring.free())), (True, list(range(8))))


def test_one_part():
    device, tx = sender()
    put(tx[0], b"x" * 60)
    device.queue.ring.hold(60)
    device.queue.ring.send_held(0, 0)
    (head,) = device.posted()
    same(chain(device, head), [bytes(12) + b"x" * 60])
    device.queue.ring.send_held(0, 0)  # there is nothing
    same(device.posted(), [])


def test_full_of_chains():
    """An interrupt is asked for when half of the frames are back, however many buffers each had."""
    device, tx = sender(8)
    ring = device.queue.ring
    for _ in range(2):
        for _ in range(4):
            assert tx[0]
            ring.hold(10)
        ring.send_held(0, 0)
    same(tx[0], 0)
    ring.hold(10)  # nowhere
    same(get("<H", device.queue.avail + 4 + 2 * 8), 1)
    first, second = device.posted()
    device.answer(second, 0)
    same((ring.reclaim(), len(ring.free()), ring.held()[first]), (True, 4, 4))
    device.answer(ring.free()[0], 0)  # was part of the chain, and none was sent
    same((ring.reclaim(), tx[0]), (False, 0))


def test_lies_about_what_was_sent():
    for number in (4, 0xFFFFFFFF, 0):  # none, none, and one that was not sent
        device, tx = sender()
        send(device, tx, 100)
        (sent,) = device.posted()
        assert sent != 0
        device.answer(number, 0)
        same(device.queue.ring.reclaim(), False)
    device, tx = sender()
    mem.w16(device.queue.used + 2, 1)  # nothing was sent
    same(device.queue.ring.reclaim(), False)


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
    device, tx = sender(event_idx=False)
    mem.w16(device.queue.used, 1)
    send(device, tx, 100)
    same(device.rang(), 0)
    mem.w16(device.queue.used, 0)
    send(device, tx, 100)
    same(device.rang(), 7)


def test_doorbell_is_made_up_for():
    """A device that asked to be told a moment too late is told with the next frame."""
    device, _ = sender(4)
    event = device.queue.used + 4 + 8 * 4
    mem.w16(event, 0x8000)  # at work: it will look by itself
    device.queue.ring.send(60, 0)
    device.queue.ring.send(60, 0)
    same(device.rang(), 0)
    mem.w16(event, 0)  # asleep, having seen nothing of that
    device.queue.ring.send(60, 0)
    same(device.rang(), 7)
    device.queue.ring.send(60, 0)
    same(device.rang(), 0)


def test_doorbell_for_several():
    """Of frames that others follow the device is told behind the last, or when a quarter of the buffers is on its way."""
    device, tx = sender(16)
    ring = device.queue.ring
    more = 1 << 32
    for _ in range(3):
        send(device, tx, 100, more)
    same((device.rang(), len(device.posted())), (0, 3))
    ring.notify()
    same(device.rang(), 7)
    mem.w16(device.queue.used + 4 + 8 * 16, 3)  # it has seen those
    for told in (0, 0, 0, 7):
        send(device, tx, 100, more | 34 << 16 | 16)
        same(device.rang(), told)
    same(chain(device, device.posted()[-1])[0][6:10], struct.pack("<HH", 34, 16))
    ring.hold(100)
    ring.send_held(more, 0)
    same(device.rang(), 0)


def test_doorbell_that_is_a_port():
    wrote = []
    cpu.out16 = lambda port, value: wrote.append((port, value))
    device, tx = sender()
    device.queue.bind(0xC050, True, 1)
    send(device, tx, 100)
    same(wrote, [(0xC050, 1)])


def test_interrupts_without_event_index():
    """The flag is set while we look, and cleared when the next one shall interrupt."""
    device, pending = receiver(event_idx=False)
    flags = device.queue.avail
    same(device.queue.ring.listen(), False)
    same(get("<H", flags), 0)
    device.answer(pending[0], 100)
    same(device.queue.ring.receive(lambda *frame: None, 64), 1)
    same(get("<H", flags), 1)
    same(device.queue.ring.listen(), False)
    same(get("<H", flags), 0)
    device, tx = sender(event_idx=False)
    same(get("<H", device.queue.avail), 1)
    for _ in range(4):
        send(device, tx, 100)
    same(device.queue.ring.reclaim(), True)
    same(get("<H", device.queue.avail), 0)
    device.answer(0, 0)
    same(device.queue.ring.reclaim(), True)
    same(get("<H", device.queue.avail), 1)


def test_headers_apart():
    """As legacy devices want it: descriptor i for the header, descriptor count + i for the frame."""
    device, pending = receiver(8, count=4, apart=True)
    same(pending, [0, 1, 2, 3])
    for i in range(4):
        addr, length, flags, following = struct.unpack("<QIHH", uctypes.bytes_at(device.queue.desc + 16 * i, 16))
        same((length, flags, following), (_HEADER_LEN, 3, 4 + i))
        behind = struct.unpack("<QIHH", uctypes.bytes_at(device.queue.desc + 16 * (4 + i), 16))
        same(behind, (addr + _HEADER_LEN, _BUFFER_LEN - _HEADER_LEN, 2, 0))
    device, tx = sender(8, count=4, apart=True)
    send(device, tx, 60)
    (number,) = device.posted()
    same(struct.unpack("<IHH", uctypes.bytes_at(device.queue.desc + 16 * number + 8, 8)), (_HEADER_LEN, 1, 4 + number))
    same(get("<I", device.queue.desc + 16 * (4 + number) + 8), 60)


def merged(lengths, need=None):
    """-> (device, buffers of a frame that came in pieces of these lengths)."""
    device, pending = receiver(merge=True)
    mem.w16(device.buffer(pending[0]) + 10, len(lengths) if need is None else need)
    for number, length in zip(pending, lengths):
        device.use(number, length)
    device.show()
    return device, [device.buffer(n) for n in pending]


def test_merged():
    """A frame over three buffers is handed on in three pieces, each saying how much follows, and counts once."""
    device, at = merged((2048, 2048, 100))
    mem.w8(at[0], 1)
    got = []
    same(device.queue.ring.receive(lambda *piece: got.append(piece), 64), 1)
    same(got, [(at[0] + 12, 2036, 1 | 2148 << 1), (at[1], 2048, 1 | 100 << 1), (at[2], 100, 1)])
    same(device.posted(), [0, 1, 2])
    device, at = merged((12, 5))  # a header alone, then the frame
    got.clear()
    same(device.queue.ring.receive(lambda *piece: got.append(piece), 64), 1)
    same(got, [(at[0] + 12, 0, 10), (at[1], 5, 0)])


def test_merged_lies():
    for lengths, need in (((100, 100), 0), ((100, 100), 3), ((100, 100), 0xFFFF), ((11, 100), 2), ((100, 0), 2), ((100, 2049), 2)):
        device, _ = merged(lengths, need)
        same(device.queue.ring.receive(None, 64), -1)
    device, pending = receiver(merge=True)
    mem.w16(device.buffer(0) + 10, 2)
    device.use(0, 100)
    device.answer(0, 100)  # the same one twice
    same(device.queue.ring.receive(None, 64), -1)


def test_memory_comes_back():
    ram.live.clear()
    receiver()[0].queue.release()
    sender()[0].queue.release()
    same(len(ram.live), 2)  # the doorbells


run(globals())
