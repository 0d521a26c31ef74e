"""CPUID answers out of the checked page (boot/cpuid_page.c): what comes from the table, what is computed, what the host may say."""

import ctypes
import struct

import pytest

from test_detect import Cpuid, page_of

CR4_OSXSAVE, CR4_PKE = 1 << 18, 1 << 22
# A Milan's, with AVX, PKRU and shadow stacks: D/0 and D/1 as a host fills them in, and the components by size and offset.
TABLE = [
    (0, 0, 0x10, 0x68747541, 0x444D4163, 0x69746E65), (1, 0, 0xA00F11, 0x05080800, 0xFED83203, 0x178BFBFF), (4, 0, 0, 0, 0, 0),
    (7, 0, 0, 0x219C07A9, 0x40069C, 0x10), (0xB, 0, 1, 2, 0x100, 0x77), (0xB, 1, 7, 0x40, 0x201, 0x77),
    (0xD, 0, 0x207, 0x240, 0x988, 0), (0xD, 1, 0xF, 0x240, 0x1800, 0), (0xD, 2, 0x100, 0x240, 0, 0), (0xD, 9, 8, 0x980, 0, 0), (0xD, 11, 0x10, 0, 1, 0),
    (0x80000000, 0, 0x80000023, 0, 0, 0), (0x80000001, 0, 0xA00F11, 0x40000000, 0x75C237FF, 0x2FD3FBFF), (0x8000001E, 0, 0xAA, 0xBBB1, 0xCCC2, 0), (0x8000001F, 0, 0x1A, 51, 16, 1),
]


def table(entries=TABLE, xcr0=1):
    """The page; XCR0 of D/0 and D/1 is not 0."""
    page = bytearray(page_of(entries).ljust(4096, b"\0"))
    for i, entry in enumerate(entries):
        if entry[0] == 0xD and entry[1] < 2:
            struct.pack_into("<Q", page, 0x10 + 48 * i + 8, xcr0)
    return bytes(page)


class Env(ctypes.Structure):
    """cpuid_env_t."""

    _fields_ = [("cr4", ctypes.c_uint64), ("xcr0", ctypes.c_uint64), ("xss", ctypes.c_uint64), ("host", ctypes.c_void_p)]


@pytest.fixture
def lib(guest_library):
    side = guest_library
    side.lib.cpuid_page_get.restype = side.lib.cpuid_page_valid.restype = ctypes.c_bool
    side.host = ctypes.cast(side.lib.host_of_tests, ctypes.c_void_p).value
    return side


def ask(lib, page, leaf, subleaf=0, cr4=0, xcr0=1, xss=0):
    """Return (eax, ebx, ecx, edx), or None: no answer."""
    env, out = Env(cr4, xcr0, xss, lib.host), Cpuid()
    ok = lib.lib.cpuid_page_get(ctypes.create_string_buffer(page, 4096), ctypes.c_uint32(leaf), ctypes.c_uint32(subleaf), ctypes.byref(env), ctypes.byref(out))
    return (out.eax, out.ebx, out.ecx, out.edx) if ok else None


def test_table(lib):
    assert ask(lib, table(), 0) == (0x10, 0x68747541, 0x444D4163, 0x69746E65)
    assert ask(lib, table(), 0, 5) == ask(lib, table(), 0)  # not an indexed leaf
    assert ask(lib, table(), 0x8000001F) == (0x1A, 51, 16, 1)


def test_what_only_the_host_knows(lib):
    """The host says 11111111h, 22222222h, 33333333h, 44444444h; of that only APIC ids come through, and whether there is an APIC."""
    assert ask(lib, table(), 1) == (0xA00F11, 0x22080800, 0xFED83203 & ~(1 << 27), 0x178BFBFF & ~(1 << 9))
    assert ask(lib, table(), 0xB) == (1, 2, 0x100, 0x44444444)
    assert ask(lib, table(), 0xB, 1) == (7, 0x40, 0x201, 0x44444444)
    assert ask(lib, table(), 0x8000001E) == (0x11111111, 0xBB22, 0xCC33, 0)


def test_what_the_machine_knows(lib):
    assert ask(lib, table(), 1, cr4=CR4_OSXSAVE)[2] >> 27 & 1 == 1
    assert ask(lib, table(), 7)[2] >> 4 & 1 == 0
    assert ask(lib, table(), 7, cr4=CR4_PKE)[2] >> 4 & 1 == 1


def test_not_there(lib):
    """Zeroes, as the processor answers; inside a range APIC ids all the same, outside not."""
    assert ask(lib, table(), 3) == ask(lib, table(), 7, 1) == ask(lib, table(), 0x40000000) == ask(lib, table(), 0x80000024) == (0, 0, 0, 0)
    assert ask(lib, table(), 0xB, 2) == (0, 0, 0, 0x44444444)
    short = [e for e in TABLE if e[0] not in (0xB, 0)] + [(0, 0, 7, 0, 0, 0)]
    assert ask(lib, table(short), 0xB) == (0, 0, 0, 0)


@pytest.mark.parametrize(("xcr0", "size"), [(1, 0x240), (3, 0x240), (7, 0x340), (0x207, 0x988), (0x201, 0x988)])
def test_size_of_state(lib, xcr0, size):
    assert ask(lib, table(), 0xD, 0, xcr0=xcr0) == (0x207, size, 0x988, 0)
    assert ask(lib, table(xcr0=3), 0xD, 0, xcr0=xcr0) == (0x207, size, 0x988, 0)


@pytest.mark.parametrize(("xcr0", "xss", "size"), [(1, 0, 0x240), (7, 0, 0x340), (0x207, 0, 0x348), (7, 0x800, 0x350)])
def test_size_of_compacted_state(lib, xcr0, xss, size):
    assert ask(lib, table(), 0xD, 1, xcr0=xcr0, xss=xss)[1] == size


def test_parts_of_state(lib):
    assert ask(lib, table(), 0xD, 2, xcr0=0x207) == (0x100, 0x240, 0, 0)


def test_contradictions(lib):
    """A component that is on and not in the table; sizes that overflow; XSAVE without a compacted form."""
    assert ask(lib, table(), 0xD, 0, xcr0=0xF) is None
    assert ask(lib, table(), 0xD, 1, xcr0=7, xss=1 << 62) is None
    large = [e if e[:2] != (0xD, 2) else (0xD, 2, 0xFFFFFFFF, 0x240, 0, 0) for e in TABLE]
    assert ask(lib, table(large), 0xD, 0, xcr0=7) is None and ask(lib, table(large), 0xD, 1, xcr0=7) is None
    plain = [e if e[:2] != (0xD, 1) else (0xD, 1, 5, 0x240, 0, 0) for e in TABLE]
    assert ask(lib, table(plain), 0xD, 1) is None


def test_entries_for_other_states(lib):
    """D/0 with an XCR0 that is not the smallest one is passed over."""
    assert ask(lib, table(xcr0=7), 0xD, 0) == (0, 0x240, 0, 0)


@pytest.mark.parametrize(("count", "sound"), [(0, False), (1, True), (64, True), (65, False), (2**32 - 1, False)])
def test_count(lib, count, sound):
    page = ctypes.create_string_buffer(struct.pack("<I", count).ljust(4096, b"\0"), 4096)
    assert lib.lib.cpuid_page_valid(page) == sound


def test_entries_behind_the_count(lib):
    page = bytearray(table())
    struct.pack_into("<I", page, 0, 3)
    assert ask(lib, bytes(page), 0x8000001F) == (0, 0, 0, 0)
