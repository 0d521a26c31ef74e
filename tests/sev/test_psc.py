"""Page states of boot/ over a made-up machine: order, tracking, sizes, partial completion, and hosts that refuse or lie."""

import pytest

import guestside
from guestside import BROKEN, DEVICE, OK, PAGE, PRIVATE_RMP, R, SHARED, SHARED_RMP, VALIDATED, W, X

DONE, NO_SNP, STATE, NO_MEMORY, REFUSED = range(5)
PSC = 0x80000010
LARGE = 512  # pages


def share(m, page, count):
    return m.call("page_share", m.address(page), count * PAGE)


def unshare(m, page, count):
    return m.call("page_unshare", m.address(page), count * PAGE)


def states(m, page, count):
    """Return {(RMP state, attributes)} of pages."""
    return {(m.lib.rmp_get(i), m.lib.page_get(i)) for i in range(page, page + count)}


@pytest.mark.parametrize(("page", "count"), [(3, 1), (3, 7), (0, 300), (512, 512), (510, 514), (511, 1025), (512, 1024)])
def test_there_and_back(m, page, count):
    m.write(page, b"secret")
    assert share(m, page, count) == (OK, DONE)
    assert states(m, page, count) == {(SHARED_RMP, R | W | SHARED)}
    assert m.read(page, count * PAGE) == bytes(count * PAGE)
    assert page == 0 or states(m, page - 1, 1) == {(VALIDATED, R | W)}
    assert states(m, page + count, 1) == {(VALIDATED, R | W)}
    m.write(page, b"public")
    assert unshare(m, page, count) == (OK, DONE)
    assert states(m, page, count) == {(VALIDATED, R | W)}
    assert m.read(page, count * PAGE) == bytes(count * PAGE)


def test_sizes(m):
    """Two megabytes are one entry and one PVALIDATE; around them, pages."""
    m.state.pvalidates = 0
    assert share(m, 511, 514) == (OK, DONE)
    (x,) = m.log()
    assert (x.code, x.info1, x.info2, x.buffer[0], x.buffer[2]) == (PSC, 0, 0, 0, 2) and m.state.pvalidates == 3
    entries = [int.from_bytes(bytes(x.buffer[8 + 8 * i : 16 + 8 * i]), "little") for i in range(3)]
    assert entries == [m.address(511) | 2 << 52, m.address(512) | 2 << 52 | 1 << 56, m.address(1024) | 2 << 52]


def test_smaller_pages_of_the_host(m):
    """PVALIDATE says that the sizes differ: page by page then."""
    m.lib.rmp_large(512, False)
    m.state.pvalidates = 0
    assert share(m, 512, 512) == (OK, DONE) and m.state.pvalidates == 513
    assert states(m, 512, 512) == {(SHARED_RMP, R | W | SHARED)}


def test_smaller_pages_of_ours(m):
    """A range of 2 MiB of which one page was shared before: no large PVALIDATE, which our mapping does not allow."""
    assert share(m, 600, 1) == (OK, DONE) and unshare(m, 600, 1) == (OK, DONE)
    assert share(m, 512, 512) == (OK, DONE)
    assert m.state.exits == 2 + 3  # 253 entries in each


@pytest.mark.parametrize("chunk", [1, 2, 100, 252])
def test_partial_completion(m, chunk):
    m.state.psc_chunk = chunk
    assert share(m, 3, 300) == (OK, DONE) and states(m, 3, 300) == {(SHARED_RMP, R | W | SHARED)}
    assert m.state.exits == -(-253 // chunk) + -(-47 // chunk)
    assert unshare(m, 3, 300) == (OK, DONE) and states(m, 3, 300) == {(VALIDATED, R | W)}


def test_never_twice(m):
    """A page changes only out of the state that it is in: nothing asks the host otherwise."""
    assert share(m, 5, 2) == (OK, DONE)
    exits = m.state.exits
    for page, count in ((5, 1), (4, 2), (6, 2)):
        assert share(m, page, count) == (OK, STATE)
    for page, count in ((4, 1), (4, 2), (6, 2)):
        assert unshare(m, page, count) == (OK, STATE)
    assert m.state.exits == exits


@pytest.mark.parametrize("attr", [0, R, R | X, R | W | X, DEVICE, R | W | 8, R | SHARED])
def test_only_ordinary_memory(m, attr):
    m.lib.page_set(7, attr)
    assert share(m, 7, 1) == unshare(m, 7, 1) == (OK, STATE)
    assert share(m, 6, 3) == (OK, STATE) and m.state.exits == 0


@pytest.mark.parametrize(("offset", "length"), [(1, PAGE), (0, PAGE - 1), (0, 0), (8, 8), (0, 2**64 - PAGE)])
def test_only_whole_pages(m, offset, length):
    assert m.call("page_share", m.address(5, offset), length) == (OK, STATE)
    assert m.call("page_share", 2**64 - PAGE, PAGE) == (OK, STATE)


@pytest.mark.parametrize("fault", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("back", [False, True])
def test_refused(m, fault, back):
    """Nobody knows what those pages are: they are unmapped, and can become nothing any more."""
    if back:
        assert share(m, 5, 3) == (OK, DONE)
    m.state.psc_fault, m.state.psc_chunk = fault, 2
    change = unshare if back else share
    assert change(m, 5, 3) == (OK, REFUSED)
    assert {attr for _, attr in states(m, 5, 3)} == {0}
    m.state.psc_fault = 0
    assert change(m, 5, 3) == (OK, STATE) == share(m, 5, 3)
    assert share(m, 9, 1) == (OK, DONE)


def test_refused_by_an_answer(m):
    m.state.answer, m.state.answer1, m.state.answer2 = True, 2, 6
    assert share(m, 5, 3) == (OK, REFUSED)
    m.restart()
    m.state.silent = True
    assert share(m, 5, 3) == (OK, REFUSED)


def test_a_host_that_never_goes_on(m):
    """It is asked a number of times, not for ever."""
    m.state.psc_fault = 5
    assert share(m, 5, 3) == (OK, REFUSED) and 10 < m.state.exits < 1000


def test_exchanged_page(m):
    """The host puts a page back that was validated once: PVALIDATE finds it so, and nothing goes on."""
    assert share(m, 5, 3) == (OK, DONE)

    hook = guestside.HOOK(lambda page: lie_into(m, page))
    m.state.hook = hook
    assert unshare(m, 5, 3)[0] == BROKEN and "is not to be had" in m.text()


def lie_into(m, page):
    """Say that all is done; the pages are validated ones."""
    for i in range(8):
        page[0x398 + i] = page[0x3A0 + i] = 0
    page[0x800] = 3
    for i in range(5, 8):
        m.lib.rmp_put(i, VALIDATED)


def test_page_that_is_not_ours(m):
    """PVALIDATE finds a page, private by our record, not validated."""
    m.lib.rmp_put(6, PRIVATE_RMP)
    assert share(m, 5, 3)[0] == BROKEN and "is not ours" in m.text()


def test_accept(m):
    """Memory that nobody has validated."""
    for page in range(512, 1100):
        m.lib.page_set(page, 0)
        m.lib.rmp_put(page, PRIVATE_RMP)
    m.lib.rmp_large(512, True)
    how, ok = m.call("page_accept", m.address(512), 588 * PAGE)
    assert how == OK and ok & 0xFF == 1
    assert states(m, 512, 588) == {(VALIDATED, R | W)}


def test_outside_of_a_guest(m):
    guestside.ctypes.c_bool.in_dll(m.lib, "ghcb_live").value = False
    assert share(m, 5, 1) == (OK, NO_SNP) == unshare(m, 5, 1)
