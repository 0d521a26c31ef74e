"""sev/requests.py: what comes back is held against what was asked."""

import psp
from check import raises, run, same
from sev import payload, requests
from sev.channel import Channel
from sev.error import SevError
from sev.secrets import Secrets

DATA = bytes(range(100, 164))


def made(vmpck=0, table=b"", **guest):
    card = psp.Psp()
    for name, value in guest.items():
        setattr(card, name, value)
    host = psp.Host(card, table)
    return host, Channel(host, Secrets(card.secrets()).key(vmpck))


def test_report():
    host, channel = made()
    report = requests.report(channel, DATA)
    same((len(report), report[0x30], report[0x50:0x90], report[0x90:0xC0]), (0x4A0, 0, DATA, host.psp.measurement))
    same(requests.report(channel, bytearray(DATA), 3)[0x30], 3)
    same(requests.report(channel, DATA, key=payload.VCEK)[0x50:0x90], DATA)
    same(host.calls, [psp.PLAIN] * 3)  # one exit each


def test_refusals():
    host, channel = made(vmpl=2, vmpck=2)
    same(str(raises(SevError, requests.report, channel, DATA, 1)), "report refused: invalid parameter (0x16)")
    same(str(raises(SevError, requests.report, channel, DATA, 2, payload.VLEK)), "report refused: invalid key (0x27)")
    for data, vmpl, key in ((DATA[1:], 2, 0), (DATA, 4, 0), (DATA, 2, 3)):  # these are not sent
        raises(ValueError, requests.report, channel, data, vmpl, key)
    same(requests.report(channel, DATA, 2)[0x30], 2)
    same(len(host.calls), 3)


def test_extended_report():
    host, channel = made(table=b"certificates" * 100)
    report, table = requests.extended_report(channel, DATA, 1)
    same((report[0x30], report[0x50:0x90], table[:1200], any(table[1200:])), (1, DATA, b"certificates" * 100, False))
    same(host.calls, [psp.EXTENDED])


def test_reports_of_something_else():
    """A processor that errs: the text is the answer, the key is not in doubt."""
    good = made()[1].request(5, payload.report_request(DATA))
    for at, value, text in ((0x20 + 0x50, 0, "report with other report data than was sent"), (0x20 + 0x8F, 0, "report with other report data than was sent"),
                            (0x20 + 0x30, 1, "report of VMPL 1, asked for 0")):  # fmt: skip
        for ask in (requests.report, requests.extended_report):
            host, channel = made()
            wrong = bytearray(good)
            wrong[at] = value
            host.faults = [psp.forged(payload=bytes(wrong))]
            same(str(raises(SevError, ask, channel, DATA)), text)
            requests.report(channel, DATA)


def test_tsc_info():
    host, channel = made(vmpck=3)
    same(requests.tsc_info(channel), (1 << 32, 0xFFFFFFFFFFFF0000, 200))
    same(host.psp.done, [(3, 1, 17)])


run(globals())
