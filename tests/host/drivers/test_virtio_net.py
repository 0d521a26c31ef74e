"""drivers/virtio_net.py and what it stands on, against a card in Python: features, life, frames both ways, control, refusals."""

import struct
import time

import irq
import mem
import ram
from check import raises, run, same

ram.install()  # before what imports it

import virtiocard as vc
from drivers import virtio, virtio_net
from niclab import STACK, frame_out, frames_in, fresh
from virtiocard import Card

FORMS = (
    {},
    {"legacy": True},
    {"features": vc.MODERN & ~vc.MRG_RXBUF},
    {"features": vc.MODERN & ~vc.EVENT_IDX},
    {"features": vc.MAC | vc.VERSION_1},
    {"features": vc.MODERN, "mtu": 9000},
    {"features": vc.MODERN & ~vc.MRG_RXBUF, "mtu": 9000},
    {"legacy": True, "features": vc.LEGACY & ~vc.MRG_RXBUF},
    {"legacy": True, "features": vc.LEGACY & ~(vc.ANY_LAYOUT | vc.MRG_RXBUF)},
    {"legacy": True, "features": vc.LEGACY & ~vc.ANY_LAYOUT & ~vc.EVENT_IDX},
    {"legacy": True, "features": vc.MAC, "vectors": 1},
    {"vectors": 1, "sizes": (256, 128, 64)},
)


def test_frames_in_every_form():
    """Hundreds of frames each way, of every length, in every form of the device; then nothing is left."""
    for form in FORMS:
        card, nic = fresh(**form)
        longest = nic.mtu + 14
        for i in range(300):
            data = bytes([i & 0xFF]) * (60 + i * 37 % (longest - 60))
            card.receive(data, 2 if i & 1 else 0)
            same(frames_in(nic), [(data, i & 1)])
            assert nic.tx[0], (form, i)
            back = bytes(reversed(data))
            frame_out(nic, back, 34 << 16 | 16 if i & 1 else 0)
            (sent,) = card.send()
            header_len = card.header_len()
            same(sent[header_len:], back)
            same(sent[:10], struct.pack("<BBHHHH", i & 1, 0, 0, 0, 34 if i & 1 else 0, 16 if i & 1 else 0))
        nic.stop()
        same((len(ram.live), irq.callbacks, nic.tx[0], card.status), (0, {}, 0, 0))


def test_last_frames():
    """stop() waits for what the device was given to be sent, and not for long: a device may keep it for ever."""
    card, nic = fresh()
    frame_out(nic, bytes(60))
    start = time.ticks_ms()
    nic.stop()
    assert 50 < time.ticks_diff(time.ticks_ms(), start) < 5000
    same((len(ram.live), nic.broken), (0, None))
    card, nic = fresh()
    frame_out(nic, bytes(60))
    ring, rounds = nic._queues[1].ring, []

    class Late:
        """The ring of a device that sends in the meantime."""

        held = ring.held

        def reclaim(self):
            rounds.append(1)
            if len(rounds) == 3:
                same(len(card.send()), 1)
            return ring.reclaim()

    nic._queues[1].ring = Late()
    nic.stop()
    same(len(rounds), 3)


def test_long_frame_in_many_buffers():
    card, nic = fresh(sizes=(32, 16, 8))
    data = bytes(range(250)) * 250
    same(len(card.receive(data, 1)), 16)
    same(frames_in(nic), [(data, 1)])


def test_interrupt():
    """One gives the frames to the stack and settles; a flood, and a broken promise, are told to who started the card."""
    card, nic = fresh(start=False, sizes=(256, 128, 64))
    told = []
    nic.start(lambda: told.append(1), STACK)
    nic.open()
    first = sorted(irq.callbacks)[0]
    STACK.events.clear()
    card.receive(b"a" * 60)
    card.receive(b"b" * 60, 2)
    irq.ring(first)
    same((STACK.events, told), ([(b"a" * 60, 0), (b"b" * 60, 1), "settle"], []))
    while card.queues[0].available() < 256:  # it does not have all buffers yet
        card.receive(b"c" * 60)
        irq.ring(first)
    for i in range(256):
        card.receive(bytes([i]) * 60)
    STACK.events.clear()
    irq.ring(first)
    same((len(STACK.events), told), (256, [1]))
    ram.put("<H", card.queues[0].used + 2, card.queues[0].done + 300)
    irq.ring(first)
    same((len(STACK.events), told), (256, [1, 1]))
    same((nic.poll(None, 64), nic.broken), (0, "receive queue: an answer to nothing"))
    same((len(ram.live), irq.callbacks), (0, {}))


def test_room_that_is_a_lie():
    """Sending finds the lie, inside of lwIP: the card is given up soon after, and nothing is sent until then."""
    card, nic = fresh(start=False, sizes=(16, 4, 8))
    told = []
    nic.start(lambda: told.append(nic.poll(None, 64)), STACK)
    nic.open()
    ram.put("<H", card.queues[1].used + 2, 9)
    for _ in range(4):
        frame_out(nic, b"x" * 60)
    same((told, nic.broken, len(ram.live)), ([0], "transmit queue: an answer to nothing", 0))


def test_more_than_the_budget():
    card, nic = fresh()
    for i in range(9):
        card.receive(bytes([i]) * 60)
    same(len(frames_in(nic, 4)), 4)
    same(len(frames_in(nic, 4)), 4)
    same(len(frames_in(nic, 4)), 1)
    same(frames_in(nic, 4), [])


def test_full_queue():
    """The last buffer sent, there is none to name; one that comes back is named by the next poll."""
    card, nic = fresh(sizes=(16, 4, 8))
    for _ in range(4):
        frame_out(nic, b"x" * 60)
    same(nic.tx[0], 0)
    card.send(1)
    frames_in(nic)
    assert nic.tx[0]


def test_features():
    """What cannot be had without something else is not asked for; what we must have is not done without."""
    card, nic = fresh(features=vc.MODERN & ~vc.CTRL_VQ)
    same(card.accepted & (vc.CTRL_RX | vc.CTRL_MAC | vc.ANNOUNCE), 0)
    card, nic = fresh(features=vc.MODERN & ~vc.GUEST_CSUM)
    same(card.accepted & (vc.GUEST_TSO4 | vc.GUEST_TSO6), 0)
    card, nic = fresh(features=1 << 40 | vc.MODERN)
    same(card.accepted >> 40, 0)
    for missing in (vc.MAC, vc.VERSION_1):
        text = str(raises(virtio.VirtioError, lambda: fresh(features=vc.MODERN & ~missing)))
        assert "are missing" in text, text
        same(len(ram.live), 0)


def test_features_that_change():
    """The second offer lacks what the first had: GUEST_TSO without merged buffers makes the driver ask twice."""
    card, _ = fresh(start=False, features=vc.MODERN & ~vc.MRG_RXBUF)
    offers = []

    def answer(name, value):
        if name == 0x04 and not card.feature_select:
            offers.append(value)
            return value & ~vc.CTRL_VQ if len(offers) > 1 else value
        return value

    card.answer = answer
    same(str(raises(virtio.VirtioError, lambda: virtio_net.VirtioNet(card.function()))).split(": ")[-1], "features change")


def test_segments_cut_by_the_device():
    """A frame in parts reaches a device that cuts; who cannot cut, or wants headers apart, is not asked to."""
    for features, cuts in ((vc.MODERN | vc.HOST_TSO4, 1), (vc.MODERN | vc.HOST_TSO4 | vc.HOST_TSO6, 3), (vc.MODERN, 0),
                           ((vc.MODERN | vc.HOST_TSO4) & ~vc.CSUM, 0)):
        card, nic = fresh(features=features)
        same((nic.cuts, card.accepted & (vc.HOST_TSO4 | vc.HOST_TSO6) != 0), (cuts, cuts != 0))
    card, nic = fresh(legacy=True, features=vc.LEGACY & ~vc.ANY_LAYOUT | vc.HOST_TSO4)
    same((nic.cuts, card.accepted & vc.HOST_TSO4), (0, 0))
    for legacy in (False, True):
        card, nic = fresh(legacy=legacy, features=(vc.LEGACY if legacy else vc.MODERN) | vc.HOST_TSO4)
        for part in (b"h" * 54 + b"a" * 1000, b"b" * 1000, b"c"):
            ram.uctypes.bytearray_at(nic.tx[0], len(part))[:] = part
            nic.hold(len(part))
        nic.send_held(34 << 16 | 16, 1 << 32 | 54 << 16 | 1000)
        (sent,) = card.send()
        same(sent[:10], struct.pack("<BBHHHH", 1, 1, 54, 1000, 34, 16))
        same(sent[card.header_len() :], b"h" * 54 + b"a" * 1000 + b"b" * 1000 + b"c")


def test_control():
    """Without another MAC only the filter is set; with one, the card learns it: by a command, or as legacy cards do."""
    card, nic = fresh()
    same(card.filters, [b"\x00\x01\x01", b"\x00\x00\x00"])
    mac = b"\x02\x00\x00\x00\x00\x07"
    card, nic = fresh(start=False)
    nic.mac = mac
    nic.start(lambda: None, STACK)
    same(card.filters[0], b"\x01\x01" + mac)
    card, nic = fresh(start=False, legacy=True, features=vc.LEGACY & ~vc.CTRL_MAC)
    nic.mac = mac
    nic.start(lambda: None, STACK)
    same(bytes(card.config[:6]), mac)
    card, nic = fresh(start=False)
    nic.mac = mac
    card.answer = lambda name, value: 1 if name == "ack" else value
    same(str(raises(virtio.VirtioError, lambda: nic.start(lambda: None, STACK))), "another MAC is refused")
    same((len(ram.live), irq.callbacks), (0, {}))


def test_control_queue_that_says_nothing():
    card, nic = fresh(start=False)
    card.command = lambda: None
    nic.start(lambda: None, STACK)
    error = raises(OSError, nic.open)
    assert "no answer" in str(error), error
    same((len(ram.live), irq.callbacks, card.status), (0, {}, 0))


def test_link_and_announcement():
    card, nic = fresh()
    config = sorted(irq.callbacks)[1]
    same(nic.link(), True)
    card.config[6] = 0
    same(nic.link(), True)  # nothing told it
    irq.ring(config)
    same(nic.link(), False)
    card.config[6] = 3
    irq.ring(config)
    same((nic.link(), nic.asked), (True, True))
    card.filters.clear()
    nic.announced()
    same((card.command(), nic.asked), ([b"\x03\x00"], False))
    card, nic = fresh(vectors=1)
    card.config[6] = 0
    same(nic.link(), False)  # one interrupt for all: it looks each time


def test_device_that_asks_for_a_reset():
    card, nic = fresh()
    card.status |= 0x40
    irq.ring(sorted(irq.callbacks)[1])
    same((nic.link(), nic.broken, len(ram.live), card.status), (False, "device asks for a reset", 0, 0))
    same(nic.stats(), {"broken": "device asks for a reset"})
    nic.start(lambda: None, STACK)
    same((nic.link(), nic.broken), (True, None))


def test_device_that_vanishes():
    """All ones from everywhere: start and stop end, with an error and without a hang."""
    for start in (False, True):
        card, nic = fresh(start=start)
        card.answer = lambda name, value: 0xFFFFFFFF
        card.space[0:2] = b"\xff\xff"
        error = raises(virtio.VirtioError, (lambda: nic.stop()) if start else (lambda: nic.start(lambda: None, STACK)))
        same(str(error), "device is gone")
        same((len(ram.live), irq.callbacks), (0, {}))


def test_device_that_does_not_reset():
    card, nic = fresh()
    card.answer = lambda name, value: 1 if name == 0x14 else value
    same(str(raises(virtio.VirtioError, nic.stop)), "no reset within 1000 ms")
    same((len(ram.live), card.space[4] & 4), (0, 0))  # no bus master any more


REFUSED = (
    # (offset in the configuration space, bytes there), what is said
    ((0x53, b"\x07"), "device without registers"),
    ((0x54, b"\x06"), "no usable window of type 1"),
    ((0x58, b"\xff\xff\xff\xff"), "no usable window of type 1"),
    ((0x5C, b"\x00\x00\x00\x00"), "no usable window of type 1"),
    ((0x5C, b"\x20\x00\x00\x00"), "common configuration too short"),
    ((0x5C, b"\x00\x00\x11\x00"), "no usable window of type 1"),
    ((0x64, b"\x02"), "no usable window of type 2"),
    ((0x78, b"\x00"), "no usable window of type 4"),
    ((0x80, b"\x04\x00\x00\x00"), "configuration too short"),
    ((0x42, b"\xff\x07\x11\x80\x00\x00"), "no interrupts: MSI-X table of 2048 entries outside of memory"),
    ((0x44, b"\xf1\xff\x00\x00"), "no interrupts: MSI-X table of 3 entries outside of memory"),
    ((0x44, b"\x05\x00\x00\x00"), "no interrupts: MSI-X table of 3 entries outside of memory"),
    ((0x40, b"\x05"), "no interrupts: no MSI-X"),
)


def test_capabilities_that_lie():
    for (offset, data), text in REFUSED:
        mem.reset()
        card = Card()
        if offset == 0x64:
            data = b"\x02"
            struct.pack_into("<I", card.space, 0x68, 0x1FF0)  # runs over the end of its BAR
        card.space[offset : offset + len(data)] = data
        error = raises(virtio.VirtioError, lambda: virtio_net.VirtioNet(card.function()))
        same((offset, str(error)), (offset, text))


def test_buffers_are_given_when_frames_come():
    """At first enough for the longest frame; each poll that found frames brings more, cleared, and the device is told."""
    for properties in ({}, {"features": vc.MODERN & ~vc.MRG_RXBUF & ~vc.EVENT_IDX}):
        card, nic = fresh(sizes=(256, 16, 8), **properties)
        counts = [0]
        for _ in range(6):
            same(frames_in(nic), [])
            counts.append(card.queues[0].available())
            if counts[-1] > counts[-2]:
                for addr, length, _ in chains(card)[-1]:
                    assert not any(ram.uctypes.bytes_at(addr, length))
            mem.w16(card.bell.addr, 0xFFFF)
            card.receive(bytes(60))
            same(len(frames_in(nic)), 1)
            same(ram.get("<H", card.bell.addr), 0 if properties else 0xFFFF)  # with event indices a device says when it wants to know
        same(counts, [0, 32, 96, 160, 224, 256, 256])
        same(len({chain[0][0] for chain in chains(card)}), 256)
        nic.stop()


def chains(card):
    """-> what is posted to receive, which stays posted."""
    queue = card.queues[0]
    before = queue.taken
    out = [queue.take()[1] for _ in range(queue.available())]
    queue.taken = before
    return out


def test_configuration_that_lies():
    for offset, data, text in ((0, b"\x01", "MAC is no station's"), (0, bytes(6), "MAC is no station's"), (10, b"\xff\x04", "MTU 1279 is too small")):
        mem.reset()
        card = Card()
        card.config[offset : offset + len(data)] = data
        same(str(raises(virtio.VirtioError, lambda: virtio_net.VirtioNet(card.function()))), text)
    for register, value, text in ((0x18, 3, "no queue 0"), (0x18, 0, "no queue 0"), (0x12, 2, "no queue 2"), (0x1A, 0xFFFF, "queue 0: interrupt refused"),
                                  (0x10, 0xFFFF, "interrupt of the configuration refused"), (0x1E, 0xFFFF, "queue 0: notification outside of its window"),
                                  (0x04, 0x20, "features change"), (0x14, 0, "status bit 0x1 refused")):
        card, nic = fresh(start=False)
        card.answer = lambda name, given: value if name == register else given
        error = raises(virtio.VirtioError, lambda: nic.start(lambda: None, STACK))
        assert text in str(error) or "are missing" in str(error), (text, error)
        same((len(ram.live), irq.callbacks), (0, {}))
    turn = [0]

    def restless(name, given):
        turn[0] += 1
        return turn[0] & 0xFF if name == 0x15 else given

    mem.reset()
    card = Card()
    card.answer = restless
    same(str(raises(virtio.VirtioError, lambda: virtio_net.VirtioNet(card.function()))), "configuration changes without end")


def test_legacy_registers_that_lie():
    for bar, text in ((0, "no registers in I/O space"), (0xFE000000, "no registers in I/O space"), (0xFFFFFFC1, "registers of 64 bytes at 0xffffffc0")):
        mem.reset()
        card = Card(legacy=True)
        struct.pack_into("<I", card.space, 0x10, bar)
        same(str(raises(virtio.VirtioError, lambda: virtio_net.VirtioNet(card.function()))), text)
    card, nic = fresh(start=False, legacy=True)
    card.answer = lambda name, given: 2048 if name == 0x0C else given
    same(str(raises(virtio.VirtioError, lambda: nic.start(lambda: None, STACK))), "no queue 0")
    card, nic = fresh(start=False, legacy=True, features=vc.LEGACY & ~(vc.ANY_LAYOUT | vc.MRG_RXBUF), sizes=(1, 16, 8))
    same(str(raises(virtio.VirtioError, lambda: nic.start(lambda: None, STACK))), "queue 0 is too small")
    card, nic = fresh(start=False, sizes=(16, 16, 1))
    same(str(raises(virtio.VirtioError, lambda: nic.start(lambda: None, STACK))), "queue 2 is too small")


def test_out_of_memory():
    """Wherever memory ends during start(), nothing is left of it."""
    for left in range(6):
        card, nic = fresh(start=False)
        give, count = ram.DMA, [0]

        def dma(size, align=4096, zeroed=True):
            count[0] += 1
            if count[0] > left:
                raise MemoryError
            return give(size, align, zeroed)

        from drivers import virtio_control, virtqueue

        virtqueue.mem.dma = dma
        try:
            raises(MemoryError, lambda: nic.start(lambda: None, STACK))
        finally:
            virtqueue.mem.dma = give
        same((left, len(ram.live), irq.callbacks, card.status), (left, 0, {}, 0))


run(globals())
