"""The #VC handler of boot/ over a made-up machine: what each instruction asks the host, and what comes of the answer."""

import itertools
import random

import pytest

import guestside
from guestside import EXCEPTION, MMIO, OK, PAGE, R, REPORT, SHARED, W

RAX, RCX, RDX, RBX, SCRATCH, XCR0, CPL = 0x1F8, 0x308, 0x310, 0x318, 0x3A8, 0x3E8, 0xCB
DF = 1 << 10
GP = 1, 13 | 3 << 8 | 1 << 11 | 1 << 31


def hexed(text):
    return bytes.fromhex(text.replace(" ", ""))


# ---- one register or two -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("code", "error", "asks", "gives"), [
    ("0f31", 0x6E, [], {"rax": 0x1111, "rdx": 0x2222}),
    ("0f01f9", 0x87, [], {"rax": 0x1111, "rdx": 0x2222, "rcx": 0x3333}),
    ("0f33", 0x6F, [RCX], {"rax": 0x1111, "rdx": 0x2222, "rcx": 7}),
    ("0f08", 0x76, [], {}), ("0f09", 0x89, [], {}), ("f30f09", 0x89, [], {}),
    ("0f01d9", 0x81, [RAX, RBX, RCX, RDX, CPL], {"rax": 0x77}),
])
def test_plain(m, code, error, asks, gives):
    code = hexed(code)
    how, f = m.vc(code, error, rax=5, rbx=6, rcx=7, rdx=8)
    assert (how, f.done) == (OK, len(code)), m.text()
    (x,) = m.log()
    assert x.code == error and [o for o in (RAX, RCX, RDX, RBX, XCR0, CPL) if x.has(o)] == sorted(asks, key=[RAX, RCX, RDX, RBX, XCR0, CPL].index)
    wanted = {"rax": 5, "rbx": 6, "rcx": 7, "rdx": 8} | gives
    assert {n: getattr(f, n) for n in wanted} == wanted
    assert not m.state.interrupts_were_on


@pytest.mark.parametrize(("code", "error"), [("0f01c8", 0x8A), ("0f01fa", 0x8A), ("0f01c9", 0x8B), ("0f01fb", 0x8B)])
def test_monitor_and_mwait_do_nothing(m, code, error):
    how, f = m.vc(hexed(code), error)
    assert (how, f.done, m.log()) == (OK, 3, [])


def test_msr(m):
    m.state.msr_value = 0x1122334455667788
    how, f = m.vc(b"\x0f\x32", 0x7C, rcx=0x277, rax=2**64 - 1, rdx=2**64 - 1)
    assert (how, f.rax, f.rdx, f.done) == (OK, 0x55667788, 0x11223344, 2)
    assert (m.log()[0].info1, m.log()[0].rcx) == (0, 0x277) and not m.log()[0].has(RAX)
    how, f = m.vc(b"\x0f\x30", 0x7C, rcx=0x277, rax=0xFFFFFFFF_00000001, rdx=2)
    assert (how, m.state.msr_value, m.log()[1].info1) == (OK, 0x2_00000001, 1)


@pytest.mark.parametrize("op", [b"\x0f\x32", b"\x0f\x30"])
def test_msr_that_is_not_there(m, op):
    m.state.answer, (m.state.answer1, m.state.answer2) = True, GP
    how, f = m.vc(op, 0x7C, rcx=0x12345)
    assert (how, m.state.vector, m.state.error, f.done) == (EXCEPTION, 13, 0, 0)


def test_debug_register(m):
    how, f = m.vc(hexed("0f21f8"), 0x27)
    assert (how, f.rax, m.log()) == (OK, 0x400, [])
    how, f = m.vc(hexed("410f23ff"), 0x37, r15=0x3)
    assert (how, f.done, m.log()[0].rax, m.log()[0].info1) == (OK, 4, 0x403, 0)
    assert m.vc(hexed("0f21fb"), 0x27)[1].rbx == 0x403
    how, f = m.vc(hexed("0f23f8"), 0x37, rax=1 << 32)
    assert (how, m.state.vector) == (EXCEPTION, 13)
    m.state.answer, m.state.answer1 = True, 2
    assert m.vc(hexed("0f23f8"), 0x37, rax=1)[0] == REPORT


# ---- ports -------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("code", "info", "rax"), [
    ("ec", 0x03F80211, 0xFFFFFFFFFFFFFF88), ("66ed", 0x03F80221, 0xFFFFFFFFFFFF7788), ("ed", 0x03F80241, 0x55667788), ("48ed", 0x03F80241, 0x55667788),
    ("e471", 0x00710211, 0xFFFFFFFFFFFFFF88), ("e571", 0x00710241, 0x55667788),
])
def test_in(m, code, info, rax):
    m.state.in_value = 0x1122334455667788
    how, f = m.vc(hexed(code), 0x7B, rdx=0xABC03F8, rax=2**64 - 1)
    assert (how, f.rax, m.log()[0].info1, f.done) == (OK, rax, info, len(hexed(code)))


@pytest.mark.parametrize(("code", "info", "rax"), [("ee", 0x0CF80210, 0x88), ("66ef", 0x0CF80220, 0x7788), ("ef", 0x0CF80240, 0x55667788), ("e680", 0x00800210, 0x88)])
def test_out(m, code, info, rax):
    how, f = m.vc(hexed(code), 0x7B, rdx=0xCF8, rax=0x1122334455667788)
    assert (how, m.log()[0].info1, m.log()[0].rax, f.rax) == (OK, info, rax, 0x1122334455667788)


def strings(m, code, count, rep, down, page=10, offset=0, **registers):
    """Run a string instruction to its end. Returns (frame, number of exits)."""
    before = m.state.exits
    registers = {"rdx": 0x402, "rcx": count, "rsi": m.address(page, offset), "rdi": m.address(page, offset), **registers}
    for _ in range(200):
        how, f = m.vc(code, 0x7B, **registers) if not down else run_down(m, code, registers)
        assert how == OK, m.text()
        registers |= {n: getattr(f, n) for n in ("rcx", "rsi", "rdi")}
        if f.done:
            return f, m.state.exits - before
    raise AssertionError("it never ends")


def run_down(m, code, registers):
    frame = guestside.Frame(vector=29, error=0x7B, rip=m.address(guestside.CODE), cs=8, rflags=2 | DF, ss=16, **registers)
    m.write(guestside.CODE, code)
    how = m.lib.machine_vc(guestside.ctypes.byref(frame))
    frame.done = frame.rip - m.address(guestside.CODE)
    return how, frame


@pytest.mark.parametrize(("size", "down", "count"), [*itertools.product([1, 2, 4], [False, True], [1, 5, 2032, 2033, 5000])])
def test_outs(m, size, down, count):
    data = random.Random(count).randbytes(size * count)
    m.write(10, data, 100)
    sent = b""

    def take(page):
        nonlocal sent
        info2 = int.from_bytes(bytes(page[0x3A0:0x3A8]), "little")
        part = bytes(page[0x800 : 0x800 + size * info2])
        sent += part
        for offset in (0x398, 0x3A0):
            for i in range(8):
                page[offset + i] = 0

    hook = guestside.HOOK(take)
    m.state.hook = hook
    code = {1: "f36e", 2: "66f36f", 4: "f36f"}[size]
    f, exits = strings(m, hexed(code), count, True, down, offset=100 + (size * (count - 1) if down else 0))
    elements = [data[i : i + size] for i in range(0, len(data), size)]
    assert sent == b"".join(reversed(elements) if down else elements)
    assert f.rcx == 0 and exits == -(-count // (2032 // size))
    assert f.rsi == m.address(10, 100) + (-size if down else size * count)
    assert m.log()[0].info1 == 0x0402_0E0C | size << 4


@pytest.mark.parametrize(("size", "down"), [*itertools.product([1, 2, 4], [False, True])])
def test_ins(m, size, down):
    m.state.in_value = 0x8877665544332211
    count = 3000
    code = {1: "f36c", 2: "66f36d", 4: "f36d"}[size]
    f, exits = strings(m, hexed(code), count, True, down, offset=8 + (size * (count - 1) if down else 0))
    assert m.log()[0].info1 == 0x0402_020D | size << 4 and f.rcx == 0 and exits == -(-count // (2032 // size))
    got = m.read(10, size * count, 8)
    assert {got[i : i + size] for i in range(0, len(got), size)} <= {(0x8877665544332211).to_bytes(8, "little")[i : i + size] for i in range(0, 8, size)}
    assert m.read(10, 8) == bytes(8) and m.read(10, 8, 8 + size * count) == bytes(8)


def test_string_without_repetition(m):
    m.write(10, b"A")
    how, f = m.vc(b"\x6e", 0x7B, rdx=0x402, rcx=77, rsi=m.address(10))
    assert (how, f.rcx, f.rsi, f.done, m.log()[0].info2) == (OK, 77, m.address(10, 1), 1, 1)
    assert m.log()[0].info1 == 0x0402_0E14


def test_string_of_nothing(m):
    how, f = m.vc(b"\xf3\x6e", 0x7B, rdx=0x402, rcx=0, rsi=5)
    assert (how, f.done, m.log()) == (OK, 2, [])


def test_string_with_32_bit_addresses(m):
    """The upper halves are neither used nor kept; so high, there is no memory."""
    how, f = m.vc(hexed("67f36e"), 0x7B, rdx=0x402, rcx=(1 << 32) + 2, rsi=m.address(10))
    assert (how, m.state.vector, m.state.cr2) == (EXCEPTION, 14, m.address(10) & 0xFFFFFFFF)
    how, f = m.vc(hexed("67f36e"), 0x7B, rdx=0x402, rcx=7 << 32, rsi=m.address(10))
    assert (how, f.done, m.log()) == (OK, 3, [])


def test_string_with_a_segment(m):
    """FS begins where our memory does."""
    m.write(10, b"xyz")
    how, f = m.vc(hexed("64f36e"), 0x7B, rdx=0x402, rcx=3, rsi=10 * PAGE)
    assert (how, bytes(m.log()[0].buffer[:3]), f.rsi) == (OK, b"xyz", 10 * PAGE + 3)


@pytest.mark.parametrize(("code", "attr", "error"), [("f36e", 0, 0), ("f36c", 0, 2), ("f36c", R, 2)])
def test_string_into_a_page_that_is_not_there(m, code, attr, error):
    """What lies before that page is done; then the page fault comes, as by hardware."""
    m.lib.page_set(11, attr)
    registers = {"rdx": 0x402, "rcx": 100, "rsi": m.address(10, PAGE - 40), "rdi": m.address(10, PAGE - 40)}
    how, f = m.vc(hexed(code), 0x7B, **registers)
    assert (how, f.rcx, f.done, m.log()[0].info2) == (OK, 60, 0, 40)
    how, f = m.vc(hexed(code), 0x7B, rdx=0x402, rcx=f.rcx, rsi=f.rsi, rdi=f.rdi)
    assert (how, m.state.vector, m.state.error, m.state.cr2) == (EXCEPTION, 14, error, m.address(11))


def test_string_from_a_device(m):
    """Our own code does not do that; the handler touches no register either."""
    assert m.vc(b"\xf3\x6e", 0x7B, rdx=0x402, rcx=4, rsi=m.address(MMIO))[0] == EXCEPTION
    assert m.vc(b"\xf3\x6c", 0x7B, rdx=0x402, rcx=4, rdi=m.address(MMIO))[0] == EXCEPTION


# ---- registers of devices -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("code", "size", "value"), [
    ("8a03", 1, 0xFFFFFFFFFFFFFFF1), ("8a23", 1, 0xFFFFFFFFFFFFF1FF), ("668b03", 2, 0xFFFFFFFFFFFFF2F1), ("8b03", 4, 0xF4F3F2F1), ("488b03", 8, 0xF8F7F6F5F4F3F2F1),
    ("0fb603", 1, 0xF1), ("660fb603", 1, 0xFFFFFFFFFFFF00F1), ("480fb703", 2, 0xF2F1), ("0fbe03", 1, 0xFFFFFFF1), ("480fbe03", 1, 0xFFFFFFFFFFFFFFF1),
    ("480fbf03", 2, 0xFFFFFFFFFFFFF2F1), ("486303", 4, 0xFFFFFFFFF4F3F2F1),
])
def test_load(m, code, size, value):
    m.device(MMIO, bytes(range(0xF1, 0xF9)))
    how, f = m.vc(hexed(code), 0x400, rax=2**64 - 1, rbx=m.address(MMIO))
    (x,) = m.log()
    assert (how, f.rax, f.done) == (OK, value, len(hexed(code)))
    assert (x.code, x.info1, x.info2) == (0x80000001, m.address(MMIO), size) and x.has(SCRATCH)


@pytest.mark.parametrize(("code", "stored"), [
    ("8803", "88"), ("8823", "77"), ("668903", "8877"), ("8903", "88776655"), ("488903", "8877665544332211"), ("c603ab", "ab"), ("66c703cdab", "cdab"),
    ("c70301000080", "01000080"), ("48c70301000080", "01000080ffffffff"), ("480fc303", "8877665544332211"),
])
def test_store(m, code, stored):
    m.device(MMIO, bytes(16))
    how, f = m.vc(hexed(code), 0x400, rax=0x1122334455667788, rbx=m.address(MMIO))
    assert (how, f.done, f.rax) == (OK, len(hexed(code)), 0x1122334455667788)
    assert m.device(MMIO) == bytes.fromhex(stored).ljust(16, b"\0")
    assert m.log()[0].code == 0x80000002 and m.log()[0].info2 == len(stored) // 2


@pytest.mark.parametrize(("code", "registers"), [
    ("8b4310", {"rbx": -0x10}), ("8b8300010000", {"rbx": -0x100}), ("8b0493", {"rbx": -0x40, "rdx": 0x10}), ("418b44d104", {"r9": -0x84, "rdx": 0x10}),
    ("428b04a5f0ffffff", {"r12": None}), ("8b0424", {"rsp": 0}), ("8b45f0", {"rbp": 0x10}),
])
def test_addresses(m, code, registers):
    m.device(MMIO, b"\x01\x02\x03\x04")
    at = m.address(MMIO)
    values = {n: at // 4 + 4 if v is None else at + v if n != "rdx" else v for n, v in registers.items()}
    how, f = m.vc(hexed(code), 0x400, **values)
    assert (how, f.rax, m.log()[0].info1) == (OK, 0x04030201, at), m.text()


def test_address_behind_the_instruction(m):
    m.device(MMIO, b"\x09")
    distance = m.address(MMIO) - m.address(guestside.CODE) - 6
    how, f = m.vc(b"\x8b\x05" + distance.to_bytes(4, "little", signed=True), 0x400)
    assert (how, f.rax) == (OK, 9)


def test_absolute_address(m):
    m.device(MMIO, b"\x09")
    how, f = m.vc(b"\xa1" + m.address(MMIO).to_bytes(8, "little"), 0x400)
    assert (how, f.rax) == (OK, 9)


def test_address_in_a_segment(m):
    m.device(MMIO, b"\x09")
    how, f = m.vc(hexed("648b03"), 0x400, rbx=MMIO * PAGE)
    assert (how, f.rax, m.log()[0].info1) == (OK, 9, m.address(MMIO))


def test_vector(m):
    """Both halves go out; XMM registers are not in the frame, so what came in is read back through memory."""
    m.device(MMIO, bytes(range(1, 17)))
    how, f = m.vc(hexed("440f1003"), 0x400, rbx=m.address(MMIO))
    assert how == OK and [(x.info1 - m.address(MMIO), x.info2) for x in m.log()] == [(0, 8), (8, 8)]
    how, f = m.vc(hexed("f3450f7f03"), 0x400, r11=m.address(MMIO))
    assert how == OK and [x.code for x in m.log()[2:]] == [0x80000002] * 2


@pytest.mark.parametrize(("code", "size", "down"), [("f3aa", 1, False), ("f3ab", 4, False), ("f348ab", 8, True), ("aa", 1, False)])
def test_stos(m, code, size, down):
    m.device(MMIO, bytes(64))
    registers = {"rax": 0x1122334455667788, "rcx": 3, "rdi": m.address(MMIO, 16)}
    code, n = hexed(code), 0
    while True:
        frame = guestside.Frame(vector=29, error=0x400, rip=m.address(guestside.CODE), cs=8, rflags=DF if down else 0, **registers)
        m.write(guestside.CODE, code)
        assert m.lib.machine_vc(guestside.ctypes.byref(frame)) == OK
        n += 1
        registers |= {"rcx": frame.rcx, "rdi": frame.rdi}
        if frame.rip != m.address(guestside.CODE):
            break
    count = 3 if code[0] == 0xF3 else 1
    assert n == count and m.state.exits == count
    assert frame.rdi == m.address(MMIO, 16) + (-1 if down else 1) * size * count
    value = (0x1122334455667788).to_bytes(8, "little")[:size]
    assert m.device(MMIO, length=64).count(value) == count


def test_movs(m):
    """From a register to memory, private or shared, and back, and between registers."""
    m.device(MMIO, b"abcdefgh")
    how, f = m.vc(b"\xa5", 0x400, rsi=m.address(MMIO), rdi=m.address(20, 4))
    assert (how, m.read(20, 12), f.rsi, f.rdi, f.done) == (OK, b"\0\0\0\0abcd\0\0\0\0", m.address(MMIO, 4), m.address(20, 8), 1)
    m.write(20, b"12345678")
    how, f = m.vc(hexed("f348a5"), 0x400, rcx=2, rsi=m.address(20), rdi=m.address(MMIO))
    assert (how, m.device(MMIO)[:8], f.rcx, f.done) == (OK, b"12345678", 1, 0)
    m.lib.page_set(21, R | W | SHARED)
    how, f = m.vc(b"\xa4", 0x400, rsi=m.address(MMIO, 1), rdi=m.address(21))
    assert (how, m.read(21, 1)) == (OK, b"2")
    how, f = m.vc(b"\xa4", 0x400, rsi=m.address(MMIO), rdi=m.address(MMIO, 9))
    assert (how, m.device(MMIO)[9:10]) == (OK, b"1")
