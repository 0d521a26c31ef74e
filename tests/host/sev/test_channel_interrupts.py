"""sev/channel.py interrupted: what is pending gets its answer before another message is made."""

import struct

import psp
from check import raises, run, same
from sev import requests
from sev.channel import Channel
from sev.error import SevError
from sev.secrets import Secrets

DATA = bytes(range(64))


def made(table=bytes(24)):
    """-> (host, secrets page, channel)."""
    card = psp.Psp()
    host, page = psp.Host(card, table), card.secrets()
    return host, page, Channel(host, Secrets(page).key(0))


def ask(channel):
    return requests.report(channel, DATA)


def ask_extended(channel):
    return requests.extended_report(channel, DATA)


def used(page):
    return struct.unpack_from("<I", page, 0xA0)[0]


def key_of(page):
    return bytes(page[0x20:0x40])


def test_interrupts():
    """The same bytes are sent again before any other; where the answer came in time, not even that."""
    for fault, exits in ((psp.interrupts, 3), (psp.late_interrupt, 2), (psp.sleepless, 3)):
        host, page, channel = made()
        host.faults = [fault]
        raises(psp.Interrupt, ask, channel)
        same((used(page), host.psp.numbers[0]), (2, 2 if exits == 2 else 0))
        same((ask(channel)[0x50:0x90], used(page), host.psp.done, len(host.calls)), (DATA, 4, [(0, 1, 5), (0, 3, 5)], exits))


def test_interrupts_again_and_again():
    host, page, channel = made()
    for fault in (psp.interrupts, psp.sleepless, psp.interrupts, psp.sleepless):
        host.faults = [fault]
        raises(psp.Interrupt, ask, channel)
        same((used(page), len(host.saw)), (2, 1))
    host.faults = [None, psp.interrupts]
    raises(psp.Interrupt, ask, channel)  # the first is settled, the second pending
    same((used(page), host.psp.numbers[0], len(host.saw)), (4, 2, 2))
    ask(channel)
    same((used(page), host.psp.numbers[0], len(host.saw)), (6, 6, 3))


def test_interrupts_of_an_extended_request():
    """What is pending is settled by a plain request."""
    for faults, then, exits in (([psp.interrupts], ask_extended, "epepe"), ([None, psp.interrupts], ask, "eppp"), ([None, psp.late_interrupt], ask, "epp")):
        host, page, channel = made(table=b"x" * 20000)
        host.faults = faults
        raises(psp.Interrupt, ask_extended, channel)
        then(channel)
        same("".join(["p" if c == psp.PLAIN else "e" for c in host.calls]), exits)
        same((used(page), host.psp.numbers[0]), (len(host.psp.done) * 2,) * 2)


def test_doubts_about_what_was_pending():
    for fault, text in ((psp.silent, "answer with algorithm 0, not 1"), (psp.says(0, 0x16), "the secure processor refuses the message: invalid parameter (0x16)")):
        host, page, channel = made()
        host.faults = [psp.interrupts, fault]
        raises(psp.Interrupt, ask, channel)
        same(str(raises(SevError, ask, channel)), text + "; VMPCK0 is erased")
        same((key_of(page), len(host.saw)), (bytes(32), 1))
    host, page, channel = made()
    host.faults = [psp.late_interrupt]
    raises(psp.Interrupt, ask, channel)
    host.areas[0].view[0x1000] ^= 1  # the host spoils the answer; to send again gets a refusal
    same(str(raises(SevError, ask, channel)), "the secure processor refuses the message: AEAD overflow (0x1d); VMPCK0 is erased")


def test_who_comes_after_a_pending_message():
    """A soft reset loses the bytes: the next number is not the processor's. close() says so at once."""
    host, page, channel = made()
    host.faults = [psp.interrupts]
    raises(psp.Interrupt, ask, channel)
    same(str(raises(SevError, ask, Channel(host, Secrets(page).key(0)))), "the secure processor refuses the message: AEAD overflow (0x1d); VMPCK0 is erased")
    host, page, channel = made()
    host.faults = [psp.interrupts]
    raises(psp.Interrupt, ask, channel)
    channel.close()
    same(str(raises(SevError, ask, Channel(host, Secrets(page).key(0)))), "VMPCK0 is absent")
    same(channel._key.why, "was erased: a message was left without its answer")


run(globals())
