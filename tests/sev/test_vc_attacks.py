"""Exceptions that no processor raises, and answers that no host may give, to the #VC handler of boot/: each ends the machine with a report."""

import pytest

import guestside
from guestside import BROKEN, DEVICE, EXCEPTION, MMIO, OK, PAGE, R, REPORT, SHARED, W, X
from test_vc import GP, hexed


@pytest.mark.parametrize(("code", "error"), [
    ("90", 0x72), ("0fa2", 0x7C), ("0f32", 0x72), ("0f30", 0x7B), ("8b03", 0x72), ("488903", 0x7B), ("c3", 0x81), ("0f05", 0x7C), ("0f01d9", 0x72),
    ("f30f01d9", 0x81), ("ec", 0x400), ("0fa2", 0x400), ("0f21c0", 0x27), ("0fa2", 0x100000072), ("0fa2", 0x41), ("f4", 0x78), ("cc", 0x43),
])
def test_injected(m, code, error):
    """WeSee: #VC where the processor would not raise it, whatever the registers."""
    how, f = m.vc(hexed(code), error, rbx=m.address(MMIO), rcx=0x10, rdx=0x3F8)
    assert (how, m.log(), f.done) == (REPORT, [], 0)


@pytest.mark.parametrize("attr", [R | W, R | W | SHARED, 0, R | W | X | SHARED, R | X | 8])
def test_code_that_is_not_ours(m, attr):
    """Only what is private and executable is looked at."""
    code = m.address(30)
    m.write(30, b"\x0f\xa2")
    m.lib.page_set(30, attr)
    frame = guestside.Frame(vector=29, error=0x72, rip=code, cs=8)
    assert m.lib.machine_vc(guestside.ctypes.byref(frame)) == REPORT


def test_code_at_the_end_of_a_page(m):
    m.lib.page_set(guestside.CODE + 1, 0)
    assert m.vc(b"\x0f\x31", 0x6E, at=m.address(guestside.CODE, PAGE - 2))[0] == OK
    m.lib.page_set(guestside.CODE + 1, R | X)
    assert m.vc(b"\x0f", 0x6E, at=m.address(guestside.CODE, PAGE - 1))[0] == REPORT


@pytest.mark.parametrize("attr", [R | W, R, R | W | SHARED, R | W | 8, 0])
def test_mmio_at_memory(m, attr):
    """The host says that private memory, or memory shared for DMA, is a register: CVE-2023-46813's kind."""
    m.lib.page_set(MMIO, attr)
    for code in ("8b03", "8903", "0f1003", "c70301000000"):
        assert m.vc(hexed(code), 0x400, rbx=m.address(MMIO))[0] == REPORT
        m.lib.vc_reset()
    assert m.log() == []
    m.lib.page_set(MMIO, DEVICE)
    assert m.vc(b"\xa4", 0x400, rsi=m.address(40), rdi=m.address(41))[0] == REPORT


def test_mmio_across_pages(m):
    m.lib.page_set(MMIO + 1, DEVICE)
    assert m.vc(b"\x8b\x03", 0x400, rbx=m.address(MMIO, PAGE - 2))[0] == REPORT
    m.lib.vc_reset()
    m.lib.page_set(MMIO, DEVICE & ~W)
    assert m.vc(b"\x89\x03", 0x400, rbx=m.address(MMIO))[0] == REPORT


def test_other_rings(m):
    m.write(guestside.CODE, b"\x0f\xa2")
    frame = guestside.Frame(vector=29, error=0x72, rip=m.address(guestside.CODE), cs=0x1B)
    assert m.lib.machine_vc(guestside.ctypes.byref(frame)) == REPORT


def test_memory_that_is_not_validated(m):
    how, _ = m.vc(b"\x8b\x03", 0x404, rbx=m.address(20))
    assert how == REPORT and "never validated" in m.text()


def test_nested(m):
    """The second #VC finds the first one's handler at work."""
    ends = []

    def nested(page):
        frame = guestside.Frame(vector=29, error=0x72, rip=m.address(guestside.CODE), cs=8)
        ends.append(m.lib.machine_vc(guestside.ctypes.byref(frame)))

    m.state.hook = guestside.HOOK(nested)
    m.vc(b"\x0f\x31", 0x6E)
    assert ends == [REPORT]
    assert "inside the handler" in m.text()


@pytest.mark.parametrize(("one", "two"), [(1, 0), (1, 14 | 3 << 8 | 1 << 31), (1, 13 | 2 << 8 | 1 << 31), (1, 13 | 3 << 8), (1, 6 | 4 << 8 | 1 << 31), (2, 6), (3, 0), (0xFFFFFFFF, 0)])
def test_answers_that_are_none(m, one, two):
    m.state.answer, m.state.answer1, m.state.answer2 = True, one, two
    for code, error in (("ec", 0x7B), ("0f32", 0x7C), ("0f31", 0x6E), ("f36e", 0x7B), ("0f01d9", 0x81)):
        how, f = m.vc(hexed(code), error, rcx=1, rsi=m.address(20))
        assert (how, f.done) == (REPORT, 0), (code, m.text())
        m.lib.vc_reset()
    assert m.vc(b"\x8b\x03", 0x400, rbx=m.address(MMIO))[0] == BROKEN


@pytest.mark.parametrize(("two", "vector"), [(GP[1], 13), (6 | 3 << 8 | 1 << 31, 6)])
def test_exceptions_that_the_host_may_ask_for(m, two, vector):
    m.state.answer, m.state.answer1, m.state.answer2 = True, 1, two
    for code, error in (("ec", 0x7B), ("0f32", 0x7C), ("0f33", 0x6F)):
        how, f = m.vc(hexed(code), error)
        assert (how, m.state.vector, f.done) == (EXCEPTION, vector, 0)


def test_silence(m):
    """No bit is valid: that is no answer, whatever stands in the page."""
    m.state.silent = True
    for code, error in (("ec", 0x7B), ("0f32", 0x7C), ("0f31", 0x6E)):
        assert m.vc(hexed(code), error)[0] == REPORT
        m.lib.vc_reset()


@pytest.mark.parametrize(("code", "error"), [("ec", 0x7B), ("0f32", 0x7C), ("0f31", 0x6E), ("0f01f9", 0x87), ("0f33", 0x6F), ("0f01d9", 0x81)])
def test_registers_left_out(m, code, error):
    m.state.answer, m.state.answer1, m.state.answer2 = True, 0, 0
    assert m.vc(hexed(code), error)[0] == REPORT


def test_secure_tsc(m):
    """With Secure TSC reading the counter is none of the host's business, and no more is its frequency."""
    m.lib.page_set(MMIO, DEVICE)
    guestside.u64.in_dll(m.lib, "sev_status").value = 7 | 1 << 11
    for code, error, registers in (("0f31", 0x6E, {}), ("0f01f9", 0x87, {}), ("0f32", 0x7C, {"rcx": 0xC0010134}), ("0f32", 0x7C, {"rcx": 0xC0010130})):
        assert m.vc(hexed(code), error, **registers)[0] == REPORT
        m.lib.vc_reset()
    how, f = m.vc(b"\x0f\x32", 0x7C, rcx=0x10)
    assert (how, f.rax, f.rdx) == (OK, 0x9ABCDEF0, 0x12345678)
    assert m.vc(b"\x0f\x30", 0x7C, rcx=0x10)[0] == EXCEPTION and m.state.vector == 13
    assert m.log() == []


def test_exchange_in_an_exchange(m):
    """Whoever gets #VC raised in the middle of an exchange gets nothing."""
    m.lib.ghcb_begin()
    assert m.vc(b"\x0f\x31", 0x6E)[0] == BROKEN
    m.lib.ghcb_abandon()
