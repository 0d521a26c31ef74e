# Fuzz the virtio drivers with a card that lies: in every register, ring, header and capability, at any time.
#
#     MICROPYPATH=tests/fakes:.:.frozen micropython tests/fuzz/lying_card.py SEED OPERATIONS
#
# Whatever the card does: nothing outside of the posted buffers is handed on, nothing is written outside of DMA memory,
# the driver raises nothing but OSError with one line of text, every call ends, and a driver that was given up or
# stopped has no memory, no interrupt and no bus master any more. Prints the seed of the round that fails.
import random
import struct
import sys

sys.path.pop(0)  # this folder

import irq
import mem
import ram

ram.install()  # before what imports it

import virtiocard as vc
from drivers import virtio, virtio_control, virtio_net
from ram import put

ROUND = 120  # operations at most
FORMS = (
    {},
    {"legacy": True},
    {"features": vc.MODERN & ~vc.MRG_RXBUF},
    {"features": vc.MODERN & ~vc.EVENT_IDX},
    {"features": vc.MODERN & ~vc.MRG_RXBUF, "mtu": 9000},
    {"features": vc.MODERN | vc.HOST_TSO4 | vc.HOST_TSO6},
    {"features": vc.MAC | vc.VERSION_1},
    {"legacy": True, "features": vc.LEGACY & ~(vc.ANY_LAYOUT | vc.MRG_RXBUF)},
    {"legacy": True, "features": vc.LEGACY & ~vc.ANY_LAYOUT & ~vc.EVENT_IDX},
    {"vectors": 1},
)
WORDS = (0, 1, 2, 3, 7, 8, 12, 15, 16, 0x40, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


class Clock:
    """Stands for module time: each look is a step of the device, so that no wait is long."""

    ticks_diff = staticmethod(lambda a, b: a - b)

    def __init__(self, fuzz):
        self._fuzz = fuzz
        self._now = 0

    def ticks_ms(self):
        self._now += 50
        self._fuzz.answer_commands()
        return self._now


class Fuzz:
    """One card, its driver, and what happens to them."""

    def __init__(self, seed):
        random.seed(seed)
        self.random = random.getrandbits
        mem.reset()
        mem.accesses = Nothing()
        for memory in list(ram.live):
            memory.free()
        ram.windows.clear()
        irq.callbacks.clear()
        form = dict(FORMS[self.below(len(FORMS))])
        form["sizes"] = tuple([1 << 1 + self.below(5) for _ in range(3)])
        self.card = Card = vc.Card(**form)
        self.lies = vc.Queue.lied = self.below(4) == 0  # in registers, also of how large a queue is
        Card.answer = self.answer
        self.nic = None
        self.rest, self.pieces = 0, []
        self.polling = False
        virtio.time = virtio_control.time = Clock(self)
        if self.below(8) == 0:
            for _ in range(1 + self.below(4)):
                Card.space[0x10 + self.below(0x90)] = self.random(8)

    def below(self, n):
        return random.randrange(n)

    def word(self):
        return WORDS[self.below(len(WORDS))] if self.random(1) else self.random(32)

    # -- the card's lies -------------------------------------------------------------------------

    def answer(self, name, value):
        if not self.lies or self.below(40):
            return value
        return value ^ 1 << self.below(16) if self.random(1) else self.word()

    def answer_commands(self):
        card = self.card
        if len(card.queues) > 2 and card.accepted & vc.CTRL_VQ and self.below(10):
            card.command()
            if self.below(30) == 0:
                self.lie_in_ring(card.queues[2])

    def lie_in_ring(self, queue):
        if not queue.enabled:
            return
        choice = self.below(4)
        queue.lied = True
        if choice == 0:
            put("<H", queue.used + 2, self.word() & 0xFFFF)
        elif choice == 1:
            put("<H", queue.used, self.word() & 0xFFFF)
            put("<H", queue.used + 4 + 8 * queue.size, self.word() & 0xFFFF)
        else:
            at = queue.used + 4 + 8 * ((queue.done - 1 - self.below(4)) % queue.size)
            put("<I", at, self.word() if self.random(1) else self.below(queue.size))
            put("<I", at + 4, self.word() if self.random(1) else 12 + self.below(200))
            if choice == 3:
                queue.show()

    def receive(self):
        card = self.card
        frame = bytes(self.below(12000) if self.below(5) == 0 else self.below(200))
        heads = card.receive(frame, self.random(3), show=False) if card.queues[0].enabled else ()
        if heads and self.below(6) == 0:  # a header that lies
            addr = ram.get("<Q", card.queues[0].desc + 16 * heads[0])
            put("<H", addr + 2 * self.below(6), self.word() & 0xFFFF)
        if heads and self.below(12) == 0:
            self.lie_in_ring(card.queues[0])
        if heads and self.below(20):
            card.queues[0].show()

    # -- the driver's side -------------------------------------------------------------------------

    def handle(self, addr, length, info):
        """What netif.input() would be given."""
        holder = ram.holder(addr, length)
        assert holder and holder is self.nic._queues[0]._buffers, "a frame outside of the receive buffers"
        assert 0 <= info and 0 <= length <= holder.size // self.nic._queues[0].count, (length, info)
        rest = info >> 1
        self.handled += 1
        assert self.handled <= self.shown, "taken what was not shown"
        self.pieces = self.pieces + [addr] if self.rest else [addr]
        assert len(set(self.pieces)) == len(self.pieces), "a buffer twice in one frame"
        assert not self.rest or self.rest == length + rest, "pieces that do not fit together"
        self.rest = rest
        if self.below(20) == 0:
            self.transmit()

    def transmit(self):
        nic = self.nic
        at = nic.tx[0]
        if at:
            length = 14 + self.below(nic.mtu + 1)
            assert ram.holder(at, nic.mtu + 14) is nic._queues[1]._buffers, "no place for a frame where there should be one"
            ram.uctypes.bytearray_at(at, length)[:] = bytes(length)
            if nic.cuts and self.random(1):
                self.transmit_parts(length)
            else:
                nic.transmit(length, self.random(24) if self.random(1) else 0)

    def transmit_parts(self, length):
        for _ in range(1 + self.below(6)):
            if self.nic.tx[0]:
                self.nic.hold(length)
        self.nic.send_held(self.random(24), 1 << 32 | 54 << 16 | length)

    input = handle  # what an interrupt brings

    def settle(self):
        """Behind an interrupt."""
        assert self.rest == 0

    def begin(self):
        """Note how much may be handed on."""
        self.rest = self.handled = 0
        if self.nic._queues:
            rx = self.nic._queues[0]
            self.shown = ram.get("<H", rx.used + 2) - rx.ring.progress()[1] & 0xFFFF

    def poll(self):
        self.begin()
        budget = 1 + self.below(64)
        self.polling = True
        try:
            count = self.nic.poll(self.handle, budget)
        finally:
            self.polling = False
        assert 0 <= count <= budget and self.rest == 0

    def more(self):
        """What on_event() does. Not in the middle of a poll: on the machine the scheduler is locked then."""
        if self.nic and not self.polling:
            self.poll()

    def ring(self):
        for vector in sorted(irq.callbacks):
            self.begin()
            irq.ring(vector)
        self.nic.link()
        if self.nic.asked:
            self.nic.announced()

    def drive(self):
        """One thing that the shell or the stack does."""
        choice = 19 if self.nic.broken else self.below(20)
        if choice < 9:
            self.poll()
        elif choice < 14:
            self.transmit()
        elif choice < 17:
            self.ring()
        elif choice == 17:
            self.nic.stats()
        elif choice == 18 and self.below(4) == 0:
            self.nic.stop()
        elif self.below(4) == 0:
            self.start()

    def start(self):
        if self.random(1):
            self.nic.mac = b"\x02" + bytes([self.random(8) for _ in range(5)])
        self.nic.start(self.more, self)
        self.nic.open()

    def step(self):
        choice = self.below(10)
        card = self.card
        if choice < 4:
            self.receive()
        elif choice == 4 and card.queues[1].enabled and len(card.queues) > 1:
            self.guarded_send()
        elif choice == 5 and self.below(8) == 0:
            self.lie_in_ring(card.queues[self.below(len(card.queues))])
        elif choice == 6 and self.below(8) == 0:
            card.config[self.below(12)] = self.random(8)
        elif choice == 7 and self.below(30) == 0:
            card.status ^= 1 << self.below(8)
        else:
            self.drive()

    def guarded_send(self):
        for frame in self.card.send(1 + self.below(16)):
            assert len(frame) >= 10

    # -- a round -------------------------------------------------------------------------------------

    def run(self):
        """-> operations that were done."""
        done = 1
        try:
            self.nic = virtio_net.VirtioNet(self.card.function())
            self.start()
        except OSError as e:
            self.check_error(e)
        while self.nic and done < ROUND:
            done += 1
            try:
                self.step()
            except OSError as e:
                self.check_error(e)
            self.check()
        self.end()
        return done

    def check_error(self, e):
        text = str(e)
        assert text and "\n" not in text, repr(e)
        self.check()

    def check(self):
        nic = self.nic
        if not nic or not nic._queues:
            assert not ram.live, "memory was not given back"
            assert not irq.callbacks, "an interrupt was not given back"
        if nic and nic.broken:
            assert not nic.tx[0] and "\n" not in nic.broken
        elif nic and nic._queues:
            self.check_books(nic)

    def check_books(self, nic):
        """What the driver believes of its buffers: each is the device's or its own, once."""
        rx, tx = nic._queues[:2]
        if not rx.ring.broken():
            posted, seen = rx.ring.progress()
            assert sum(rx.ring.held()) == rx.count, "a receive buffer is nobody's"
            assert posted - seen & 0xFFFF == rx.count, "a receive buffer was not posted again"
        free, held = tx.ring.free(), tx.ring.held()
        assert len(set(free)) == len(free) and not any([held[i] for i in free]), "a buffer to send that is not free"
        assert sum(held) + len(free) == tx.count, "a buffer to send is nobody's"

    def end(self):
        try:
            if self.nic:
                self.nic.stop()
        except OSError as e:
            self.check_error(e)
        assert not ram.live and not irq.callbacks, "not given back by stop()"
        assert not self.nic or not self.card.space[4] & 4, "still a bus master"


class Nothing:
    """Takes no notes of accesses."""

    def append(self, item):
        pass

    def clear(self):
        pass


def main(seed, operations):
    done = 0
    while done < operations:
        try:
            done += Fuzz(seed).run()
        except BaseException:
            print("seed %d" % seed)
            raise
        seed += 1
    print("%d operations, seeds to %d" % (done, seed - 1))


main(int(sys.argv[1]), int(sys.argv[2]))
