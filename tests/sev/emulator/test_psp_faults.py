"""Answers that are wrong on request: what each is, once, and that docs/emulator.md lists them."""

import struct

import pytest

import pspc
from pspc import INVALID_PARAM, KEY, OK, REPORT, TSC, UNTOUCHED, Guest, header, key_payload, report_payload

REPLY = 0x4C0  # bytes of a report's answer
REPORTS = ("wrong-size", "bad-signature", "other-data", "other-vmpl", "other-chip", "other-tcb")
HEADERS = {  # fault -> the header that the answer to request 1 then has
    "wrong-sequence": (4, 6, 1, 0, REPLY, {}),
    "wrong-type": (2, 8, 1, 0, REPLY, {}),
    "wrong-version": (2, 6, 2, 0, REPLY, {}),
    "wrong-vmpck": (2, 6, 1, 1, REPLY, {}),
    "wrong-header": (2, 6, 1, 0, REPLY, {"header_version": 2}),
    "short-reply": (2, 6, 1, 0, REPLY // 2, {}),
    "empty-reply": (2, 6, 1, 0, 0, {}),
    "oversize": (2, 6, 1, 0, 0xFFFF, {}),
}


def ask(guest):
    """-> (status, response) of a request for a report; the counter moves with an answer."""
    status, response = guest.hand_over(guest.seal(REPORT, report_payload()))
    guest.numbers[0] += 2 if status == OK else 0
    return status, response


@pytest.mark.parametrize("fault", HEADERS)
def test_header(guest, fault):
    """The answer is authentic, whatever its header says."""
    number, kind, version, vmpck, size, fields = HEADERS[fault]
    guest.fault(fault)
    status, response = ask(guest)
    assert status == OK
    assert response[16:0x60] == header(number, kind, version, vmpck, size, **fields)[16:]
    size = min(size, 4000)
    sealed = pspc.AESGCM(guest.keys[0]).decrypt(number.to_bytes(12, "little"), response[0x60 : 0x60 + size] + response[:16], response[0x30:0x60])
    assert len(sealed) == size
    assert guest.report()  # once


def test_bad_tag(guest):
    for _ in range(8):
        guest.fault("bad-tag")
        page = guest.seal(REPORT, report_payload())
        status, response = guest.hand_over(page)
        assert status == OK and guest.tag_wrong(response, REPORT)
        mended = bytearray(response)
        mended[0] ^= 1
        assert guest.open(bytes(mended), REPORT)[:4] == bytes(4)
        guest.numbers[0] += 2
        assert guest.report()


@pytest.mark.parametrize("kind, payload, size", ((REPORT, report_payload(), REPLY), (KEY, key_payload(), 64), (TSC, bytes(128), 128)))
def test_bad_status(guest, kind, payload, size):
    guest.fault("bad-status")
    assert guest.ask(kind, payload) == struct.pack("<I", INVALID_PARAM).ljust(size, b"\0")
    assert guest.ask(kind, payload)[:4] == bytes(4)


def test_wrong_size(guest):
    guest.fault("wrong-size")
    assert guest.ask(REPORT, report_payload())[4:8] == struct.pack("<I", 0x4A1)
    assert guest.report()


def test_refused(guest):
    """The counter does not move."""
    guest.fault("refused")
    assert ask(guest) == (INVALID_PARAM, UNTOUCHED)
    assert guest.report()


def test_silent(guest):
    guest.fault("silent")
    assert ask(guest) == (OK, bytes(4096))
    assert guest.report()  # the counter moved


def test_replay(guest):
    before = ask(guest)
    guest.fault("replay")
    assert ask(guest) == before
    assert guest.report()
    guest.fault("replay")
    assert ask(Guest(guest.library)) == (OK, bytes(4096))  # nothing of another guest


def test_taken_back(guest):
    for fault in ("refused", "bad-signature"):
        guest.fault(fault)
        guest.fault("")
    assert guest.report() == Guest(guest.library).report()


@pytest.mark.parametrize("fault", REPORTS)
def test_waits_for_a_report(library, fault):
    """Other answers are good; the next report is not, whatever stood there before; the one after it is."""
    for product, fill, vmpl in (("Milan", 0, 0), ("Milan", 0xFF, 1), ("Genoa", 0, 2), ("Turin", 0xFF, 3), ("Turin", 1, 0)):
        guest, asked = Guest(library, product=product), (bytes((fill,)) * 64, vmpl)
        good = guest.report(*asked)
        guest.fault(fault)
        assert guest.key()[0] == OK and guest.ask(TSC, bytes(128))[:4] == bytes(4)
        bad = guest.ask(REPORT, report_payload(*asked))
        changed = [i for i in range(0x2A0) if bad[0x20 + i] != good[i]]
        assert changed == {"wrong-size": [], "bad-signature": [], "other-data": [0x50], "other-vmpl": [0x30], "other-chip": [0x1A0], "other-tcb": [0x187]}[fault]
        assert (bad[4:8] != struct.pack("<I", 0x4A0)) == (fault == "wrong-size")
        assert (bad[0x20 + 0x2A0 :] != good[0x2A0:]) == (fault != "wrong-size")
        assert guest.report(*asked) == good


def test_names(library):
    """Every fault and every form of the table is documented in its words, and no name is made up."""
    page = (pspc.ROOT / "docs/emulator.md").read_text()
    for names, known in ((library.psp_fault_name, library.psp_fault), (library.psp_certificates_name, library.psp_certificates_form)):
        count, what = 0, pspc.ctypes.c_char_p()
        while name := names(count, pspc.ctypes.byref(what)):
            assert f"| `{name.decode()}` | {what.value.decode()} |" in page
            assert known(name)
            assert not known(name + b"x") and not known(name[:-1])
            count += 1
        assert count >= 9
    assert not library.psp_certificates_form(b"")
    library.psp_certificates_form(b"der")
    library.psp_fault(b"")


def test_new_guest_is_honest(library):
    """A fault that was asked for before a launch is for the guest that then runs; psp_start() keeps it."""
    library.psp_fault(b"refused")
    guest = Guest(library)
    assert ask(guest)[0] == INVALID_PARAM
    assert ask(guest)[0] == OK
