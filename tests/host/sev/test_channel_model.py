"""sev/channel.py as a model: guests under random faults. No sequence number of a key ever carries two texts."""

import random
import struct

import psp
from check import run, same
from sev import requests
from sev.channel import Channel
from sev.error import SevError
from sev.secrets import Secrets

DATA = bytes(range(64))


def used(page, vmpck):
    low = struct.unpack_from("<I", page, 0xA0 + 4 * vmpck)[0]
    return struct.unpack_from("<I", page, 0xB8 + 4 * vmpck)[0] << 32 | low


def key_of(page, vmpck):
    return bytes(page[0x20 + 32 * vmpck : 0x40 + 32 * vmpck])


def ask(channel):
    return requests.report(channel, DATA, channel._key.index)


def ask_extended(channel):
    return requests.extended_report(channel, DATA, channel._key.index)[0]


def any_fault():
    """-> a fault, or None for none."""
    kind = random.randrange(36)
    if kind < 26:
        return None
    if kind < 32:
        return random.choice((psp.busy, psp.busy, psp.says(0, psp.TOO_SMALL, random.getrandbits(5)), psp.twice))
    if kind == 32:
        return random.choice((psp.silent, psp.interrupts, psp.late_interrupt, psp.sleepless, psp.late(0, psp.TOO_SMALL, 9), psp.late(0, psp.BUSY), psp.late(2, 0)))
    if kind == 33:
        return psp.says(random.getrandbits(2), random.getrandbits(random.choice((1, 8, 32))) << random.choice((0, 0, 20, 32)), random.getrandbits(8))
    if kind == 34:
        return psp.garbled(random.randrange(0x100), random.getrandbits(8))
    return psp.forged(**random.choice(({"number": random.getrandbits(4)}, {"kind": random.getrandbits(5)}, {"payload": bytes(random.randrange(64))},
                                       {"size": random.getrandbits(16)}, {"vmpck": random.getrandbits(2)})))  # fmt: skip


def life(seed):
    """One guest and its channels, soft resets included, under random faults. -> how many reports it got."""
    random.seed(seed)
    card = psp.Psp(seed)
    card.numbers = [random.choice((0, 0, 6, 7, 0xFFFFFFF0, 1 << 33)) for _ in range(4)]
    host, page = psp.Host(card, bytes(random.choice((24, 24, 20000)))), card.secrets()
    secrets, channels, lost, got = Secrets(page), {}, set(), 0
    for _ in range(30):
        vmpck = random.getrandbits(2)
        if random.randrange(8) == 0:
            lost.update([i for i in channels if channels[i]._pending])
            secrets, channels = Secrets(page), {}
        channel = channels.setdefault(vmpck, Channel(host, secrets.key(vmpck)))
        before, absent = used(page, vmpck), key_of(page, vmpck) == bytes(32)
        host.faults, host.calls[:] = [any_fault() for _ in range(4)], []
        try:
            report = random.choice((ask, ask_extended))(channel)
            same(report[0x50:0x90], DATA)
            got += 1
        except (SevError, psp.Interrupt):
            pass
        after = used(page, vmpck)
        assert after in ((before,) if absent else (before, before + 2, before + 4)), (before, after)
        same(host.calls if absent else [], [])
        # A key that is left is in step with the processor's, or one message behind that is pending or was lost.
        behind = (after - card.numbers[vmpck], bool(channel._pending), vmpck in lost)
        assert key_of(page, vmpck) == bytes(32) or behind[0] == 0 or behind in ((2, True, False), (2, False, True), (4, True, True)), behind
    same(len(set(card.done)), len(card.done))
    return got


def test_no_number_is_used_twice():
    """The host's own check in psp.py fails the test if two texts come under one number."""
    got = [life(seed) for seed in range(150)]
    assert sum(got) > 1000 and min(got) < 10 and max(got) > 20, got


run(globals())
