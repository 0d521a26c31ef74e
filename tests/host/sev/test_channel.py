"""sev/channel.py: the host's every lie, against a secure processor that counts."""

import struct

import psp
from check import raises, run, same
from sev import msg, payload
from sev.channel import Channel
from sev.error import SevError
from sev.secrets import Secrets

DATA = bytes(range(64))
TABLE = bytes(24)


def made(table=TABLE, vmpck=0, numbers=(0, 0, 0, 0)):
    """-> (host, secrets page, channel)."""
    card = psp.Psp()
    card.numbers = list(numbers)
    host, page = psp.Host(card, table), card.secrets()
    return host, page, Channel(host, Secrets(page).key(vmpck))


def ask(channel):
    return payload.report(channel.request(msg.REPORT_REQ, payload.report_request(DATA, channel._key.index)))


def ask_extended(channel):
    answer, table = channel.extended(msg.REPORT_REQ, payload.report_request(DATA))
    return payload.report(answer), table


def used(page, vmpck=0):
    low = struct.unpack_from("<I", page, 0xA0 + 4 * vmpck)[0]
    return struct.unpack_from("<I", page, 0xB8 + 4 * vmpck)[0] << 32 | low


def key_of(page, vmpck=0):
    return bytes(page[0x20 + 32 * vmpck : 0x40 + 32 * vmpck])


def test_numbers():
    for vmpck in range(4):
        host, page, channel = made(vmpck=vmpck)
        for i in range(3):
            same(ask(channel)[0x50:0x90], DATA)
            same((used(page, vmpck), host.psp.numbers[vmpck]), (2 * i + 2, 2 * i + 2))
        same(host.psp.done, [(vmpck, n, 5) for n in (1, 3, 5)])
        same([used(page, i) for i in range(4) if i != vmpck], [0] * 3)


def test_goes_on_where_the_firmware_stopped():
    for numbers in ((18, 0, 0, 0), (7, 7, 7, 7), (0xFFFFFFFE, 0, 0, 0), (0xFFFFFFFF, 0, 0, 0), (1 << 40, 0, 0, 0)):
        host, page, channel = made(numbers=numbers)
        ask(channel)
        same((host.psp.done, used(page)), ([(0, numbers[0] + 1, 5)], numbers[0] + 2))
        ask(Channel(host, Secrets(page).key(0)))  # and so does who comes after us
        same(used(page), numbers[0] + 4)


def test_busy():
    host, page, channel = made()
    host.faults = [psp.busy] * 3
    ask(channel)
    same((host.slept, len(host.calls), len(host.saw), used(page)), ([2000] * 3, 4, 1, 2))


def test_busy_for_ever():
    for still in (False, True):
        host, page, channel = made()
        host.faults = [psp.busy] * 100
        if still:
            host.sleep_ms = host.slept.append  # the clock does not go on
        same(str(raises(SevError, ask, channel)), "the host stays busy; VMPCK0 is erased")
        same(sum(host.slept), 64000 if still else 62000)
        same((key_of(page), len(host.saw)), (bytes(32), 1))
        host.faults = []
        same(str(raises(SevError, ask, channel)), "VMPCK0 was erased: the host stays busy")


def replayed():
    """-> two faults: an honest exit whose answer is remembered, and one that gives it again."""
    old = []

    def first(host, call):
        result = psp.honest(host, call)
        old.append(bytes(call.response))
        return result

    def second(host, call):
        psp.honest(host, call)
        call.response[:] = old[0]
        return 0, 0, 0

    return [first, second]


# (what the host does, what the guest says): after each of them the key is gone.
DOUBTS = (
    (psp.silent, "answer with algorithm 0, not 1"),
    (psp.says(2, 5), "the host does not take the request (0x2, 0x5)"),
    (psp.says(1, 0x80000B0D), "the host does not take the request (0x1, 0x80000b0d)"),
    (psp.late(2, 1), "the host does not take the request (0x2, 0x1)"),
    (psp.says(0, 0x16), "the secure processor refuses the message: invalid parameter (0x16)"),
    (psp.says(0, 0x99), "the secure processor refuses the message: unknown status (0x99)"),
    (psp.says(0, (2 << 32) + 0x1D), "the secure processor refuses the message: AEAD overflow (0x1d)"),
    (psp.says(0, 0xFFFFFFFF << 32), "the host fails the request (0xffffffff00000000)"),
    (psp.says(0, 3 << 32), "the host fails the request (0x300000000)"),
    (psp.says(0, psp.TOO_SMALL, 9), "the host fails the request (0x100000000)"),  # of a plain request
    (psp.garbled(0x00), "answer that is not the secure processor's: its tag is wrong"),
    (psp.garbled(0x0F), "answer that is not the secure processor's: its tag is wrong"),
    (psp.garbled(0x60), "answer that is not the secure processor's: its tag is wrong"),
    (psp.garbled(0x60 + 0x4BF), "answer that is not the secure processor's: its tag is wrong"),
    (psp.garbled(0x38), "answer that is not the secure processor's: its tag is wrong"),  # reserved, but authenticated
    (psp.garbled(0x5F), "answer that is not the secure processor's: its tag is wrong"),
    (psp.garbled(0x20, 1), "answer with sequence number 1, not 2"),
    (psp.garbled(0x20, 3), "answer with sequence number 3, not 2"),
    (psp.garbled(0x27, 1), "answer with sequence number 72057594037927938, not 2"),
    (psp.garbled(0x30, 0), "answer with algorithm 0, not 1"),
    (psp.garbled(0x31, 2), "answer with header version 2, not 1"),
    (psp.garbled(0x32, 0x61), "answer with header length 97, not 96"),
    (psp.garbled(0x34, 5), "answer with type 5, not 6"),
    (psp.garbled(0x35, 2), "answer with version 2, not 1"),
    (psp.garbled(0x3C, 1), "answer with VMPCK 1, not 0"),
    (psp.garbled(0x37, 0), "answer that is not the secure processor's: its tag is wrong"),  # 0xc0 bytes of 0x4c0
    (psp.garbled(0x37, 0x0F), "answer with a payload of 4032 bytes"),
    (psp.garbled(0x37, 0xFF), "answer with a payload of 65472 bytes"),
    (psp.forged(number=1), "answer with sequence number 1, not 2"),
    (psp.forged(number=4), "answer with sequence number 4, not 2"),
    (psp.forged(kind=4), "answer with type 4, not 6"),
    (psp.forged(version=2), "answer with version 2, not 1"),
    (psp.forged(size=4001), "answer with a payload of 4001 bytes"),
    (psp.forged(payload=b""), "answer with a payload of 0 bytes"),
)


def test_doubts():
    for fault, text in DOUBTS:
        host, page, channel = made()
        host.faults = [fault]
        same(str(raises(SevError, ask, channel)), text + "; VMPCK0 is erased")
        same((key_of(page), key_of(page, 1) != bytes(32), used(page)), (bytes(32), True, 2))
        for _ in range(2):  # and nothing goes out any more
            same(str(raises(SevError, ask, channel)), "VMPCK0 was erased: " + text)
        same(len(host.calls), 1)
        other = Channel(host, Secrets(page).key(0))  # nor after a soft reset
        same(str(raises(SevError, ask, other)), "VMPCK0 is absent")
        same(ask(Channel(host, Secrets(page).key(1)))[0x50:0x90], DATA)  # the other keys are as they were


def test_an_old_answer():
    host, page, channel = made()
    host.faults = replayed()
    ask(channel)
    same(str(raises(SevError, ask, channel)), "answer with sequence number 2, not 4; VMPCK0 is erased")


def test_the_host_sends_twice():
    host, page, channel = made()
    host.faults = [psp.twice]
    ask(channel)
    ask(channel)
    same(host.psp.numbers[0], 4)


def test_the_host_drops_a_message():
    """A host that says nothing of it: the processor is behind, and the guest does not go back."""
    host, page, channel = made()

    def gone(host, call):
        status, answer = host.psp.process(bytes(call.request))
        host.psp.numbers[0] -= 2  # as if it had never been asked
        call.response[: len(answer)] = answer
        return 0, 0, 0

    host.faults = [gone]
    ask(channel)
    same(str(raises(SevError, ask, channel)), "the secure processor refuses the message: AEAD overflow (0x1d); VMPCK0 is erased")


def test_two_channels_with_one_key():
    """One that comes in between takes the number; the other may not use it."""
    host, page, channel = made()
    other = Channel(host, channel._key)
    real = msg.seal

    def seal(*args):
        msg.seal = real
        ask(other)
        return real(*args)

    msg.seal = seal
    try:
        same(str(raises(SevError, ask, channel)), "its sequence number changed; VMPCK0 is erased")
    finally:
        msg.seal = real
    same((len(host.calls), key_of(page)), (1, bytes(32)))


def test_the_request_page_changes_while_the_host_is_busy():
    host, page, channel = made()

    def spoils(host, call):
        call.request[0x60:0x70] = bytes(16)
        return psp.busy(host, call)

    host.faults = [spoils]
    ask(channel)
    same(len(host.saw), 1)


def test_refusals_that_authenticate_keep_the_key():
    for vmpl, key, text in ((0, payload.VLEK, "report refused: invalid key (0x27)"), (0, payload.EITHER, None)):
        host, page, channel = made()
        answer = channel.request(msg.REPORT_REQ, payload.report_request(DATA, vmpl, key))
        if text:
            same(str(raises(SevError, payload.report, answer)), text)
        ask(channel)
        same(used(page), 4)
    host, page, channel = made()
    host.faults = [psp.forged(payload=bytes(0x20))]  # short, but the processor's
    same(str(raises(SevError, ask, channel)), "report of 0 bytes in an answer of 32")
    ask(channel)


def test_numbers_run_out():
    for wide, last, ok in ((0, 0xFFFFFFFD, True), (0, 0xFFFFFFFE, False), (0, 0xFFFFFFFF, False), (1, (1 << 64) - 3, True), (1, (1 << 64) - 2, False)):
        card = psp.Psp()
        card.numbers[0] = last
        page = card.secrets()
        struct.pack_into("<H", page, 0xDE, wide)
        host = psp.Host(card)
        channel = Channel(host, Secrets(page).key(0))
        if ok:
            ask(channel)
            same(used(page) & 0xFFFFFFFF, last + 2 & 0xFFFFFFFF)
        same(str(raises(SevError, ask, channel)), "VMPCK0 has used up its sequence numbers")
        same((len(host.calls), key_of(page) == card.keys[0]), (int(ok), True))


def test_a_number_that_goes_back():
    host, page, channel = made(numbers=(8, 0, 0, 0))
    ask(channel)
    struct.pack_into("<I", page, 0xA0, 8)
    same(str(raises(SevError, ask, channel)), "VMPCK0 was erased: its sequence number went back from 10 to 8")
    same((key_of(page), len(host.calls)), (bytes(32), 1))


def test_one_at_a_time():
    host, page, channel = made()
    inner = []

    def again(host, call):
        inner.append((str(raises(SevError, ask, channel)), str(raises(SevError, channel.close))))
        return psp.honest(host, call)

    host.faults = [again]
    ask(channel)
    same(inner, [("a guest message is under way",) * 2])
    ask(channel)


def test_close():
    host, page, channel = made()
    ask_extended(channel)
    channel.close()
    channel.close()
    same([a.freed for a in host.areas], [True] * 2)
    same(str(raises(SevError, ask, channel)), "the channel is closed")
    same(used(page), 2)


def test_certificates():
    host, page, channel = made(table=b"a table" + bytes(24))
    report, table = ask_extended(channel)
    same((report[0x50:0x90], table[:7], len(table)), (DATA, b"a table", 4 * 4096))
    same(host.calls, [psp.EXTENDED])  # one exit


def test_the_buffer_grows_once():
    host, page, channel = made(table=b"x" * 20000)
    report, table = ask_extended(channel)
    same((report[0x50:0x90], table[:20001], len(table)), (DATA, b"x" * 20000 + b"\0", 5 * 4096))
    same(host.calls, [psp.EXTENDED, psp.PLAIN, psp.EXTENDED])
    same((sorted(host.saw), host.psp.done), ([(0, 1), (0, 3)], [(0, 1, 5), (0, 3, 5)]))  # the first two: the same bytes
    host.calls.clear()
    ask_extended(channel)
    same(host.calls, [psp.EXTENDED])  # it stays as large
    same([a.freed for a in host.areas], [False, True, False])


def test_the_largest_buffer():
    host, page, channel = made(table=b"x" * 65536)
    same(ask_extended(channel)[1], b"x" * 65536)


def test_nothing_secret_is_left():
    """The cipher is wiped after each message, and an answer that nobody gets."""
    host, page, channel = made(table=b"x" * 20000)
    key, real, seen = channel._key, msg.open, []
    ciphers = []
    key.gcm = lambda: ciphers.append(Secrets(page).key(0).gcm()) or ciphers[-1]

    def open_(*args):
        seen.append(real(*args))
        return seen[-1]

    msg.open = open_
    try:
        ask_extended(channel)
        host.faults = [psp.interrupts]
        raises(psp.Interrupt, ask, channel)
    finally:
        msg.open = real
    same([any(answer) for answer in seen], [False, True])
    for gcm in ciphers:
        raises(ValueError, gcm.seal, bytes(12), b"", bytearray(16))
    same(len(ciphers), 3)


def test_busy_between():
    host, page, channel = made(table=b"x" * 20000)
    host.faults = [psp.busy, None, psp.busy, None, psp.busy]
    ask_extended(channel)
    e, p = psp.EXTENDED, psp.PLAIN
    same((host.calls, len(host.saw)), ([e, e, p, p, e, e], 2))
    host, page, channel = made(table=b"x" * 20000)
    host.faults = [psp.busy] * 20 + [None] + [psp.busy] * 20  # both sendings of a message share the time
    same(str(raises(SevError, ask_extended, channel)), "the host stays busy; VMPCK0 is erased")
    same(sum(host.slept), 62000)


def test_hosts_that_want_senseless_buffers():
    """The number is spent and proved so: the key stays."""
    for pages in (0, 3, 4, 17, 1 << 32, (1 << 64) - 1):
        host, page, channel = made()
        host.faults = [psp.says(0, psp.TOO_SMALL, pages)]
        same(str(raises(SevError, ask_extended, channel)), "the host wants %d pages for certificates, and has 4" % pages)
        ask_extended(channel)
        same(used(page), 4)
    host, page, channel = made()
    host.faults = [psp.says(0, psp.TOO_SMALL, 5), None, psp.says(0, psp.TOO_SMALL, 6), None]
    same(str(raises(SevError, ask_extended, channel)), "the host wants ever more room for certificates")
    same((host.calls, used(page)), ([psp.EXTENDED, psp.PLAIN] * 2, 4))
    ask_extended(channel)


def test_doubts_of_the_message_that_spends_the_number():
    for fault, text in ((psp.silent, "answer with algorithm 0, not 1"), (psp.says(0, 0x1D), "the secure processor refuses the message: AEAD overflow (0x1d)"),
                        (psp.says(0, psp.TOO_SMALL, 5), "the host fails the request (0x100000000)")):  # fmt: skip
        host, page, channel = made(table=b"x" * 20000)
        host.faults = [None, fault]
        same(str(raises(SevError, ask_extended, channel)), text + "; VMPCK0 is erased")
        same(key_of(page), bytes(32))


def test_too_small_though_it_was_asked():
    """The host asks the processor, and says it did not: the resent message is refused, and the guest stops."""
    host, page, channel = made()
    host.faults = [psp.late(0, psp.TOO_SMALL, 5)]
    same(str(raises(SevError, ask_extended, channel)), "the secure processor refuses the message: AEAD overflow (0x1d); VMPCK0 is erased")


run(globals())
