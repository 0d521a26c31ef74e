"""sev/cpuidpage.py: the rules to look up a leaf, and pages that lie."""

import struct

from check import raises, run, same
from sev.cpuidpage import State, Table
from sev.error import SevError

# As QEMU fills it for an EPYC: (EAX, ECX, XCR0, XSS asked with), the answer.
ROWS = [
    ((0x0, 0, 0, 0), (0x10, 0x68747541, 0x444D4163, 0x69746E65)),
    ((0x1, 0, 0, 0), (0x00A00F11, 0x01020800, 0x7EFA3203, 0x178BFBFF)),
    ((0x7, 0, 0, 0), (0, 0x219C97A9, 0x0040069C, 0x10)),
    ((0xB, 0, 0, 0), (0, 1, 0x100, 0x55)),
    ((0xB, 1, 0, 0), (1, 2, 0x201, 0x55)),
    ((0xD, 0, 1, 0), (0x207, 0x240, 0x988, 0)),
    ((0xD, 1, 1, 0), (0xF, 0x240, 0x1800, 0)),
    ((0xD, 2, 0, 0), (0x100, 0x240, 0, 0)),
    ((0xD, 9, 0, 0), (0x8, 0x980, 0, 0)),
    ((0xD, 11, 0, 0), (0x10, 0, 1, 0)),
    ((0x40000000, 0, 0, 0), (0x40000001, 0x4B4D564B, 0x564B4D56, 0x4D)),
    ((0x80000000, 0, 0, 0), (0x8000001F, 0x68747541, 0x444D4163, 0x69746E65)),
    ((0x8000001E, 0, 0, 0), (0x77, 0x0177, 0x0277, 0)),
    ((0x8000001F, 0, 0, 0), (0x1A, 51 | 1 << 6, 509, 1)),
]
HOST = {1: (0, 0x09FFFFFF, 0, 0), 0xB: (9, 9, 9, 9), 0x8000001E: (9, 0xFFFFFF09, 0xFFFFFF08, 9)}


def page(rows=ROWS, count=None):
    data = bytearray(4096)
    struct.pack_into("<I", data, 0, len(rows) if count is None else count)
    for i, (asked, regs) in enumerate(rows):
        struct.pack_into("<IIQQIIII", data, 0x10 + 0x30 * i, *(asked + regs))
    return data


def host(leaf, subleaf):
    assert subleaf == 0
    return HOST[leaf]


def replaced(leaf, regs, subleaf=0):
    """-> ROWS with another answer; None leaves the row out."""
    rows = [row for row in ROWS if row[0][:2] != (leaf, subleaf)]
    return rows if regs is None else rows + [((leaf, subleaf, 1 if leaf == 0xD else 0, 0), regs)]


def test_layout():
    data = bytearray(4096)
    struct.pack_into("<I", data, 0, 64)
    data[4:16] = b"\xff" * 12  # reserved
    rows = ROWS + [((0x80000100 + i, 0, 0, 0), (i, 1, 2, 3)) for i in range(50)]
    data[0x10:0xC10] = page(rows)[0x10:0xC10]
    t = Table(data)
    same((len(t.entries), t.entries[63][:4], t.memory), (64, (0x80000131, 0, 0, 0), (True, True, True, 51, 1, 0, True)))
    same(t.entries[1], (1, 0, 0, 0, 0x00A00F11, 0x01020800, 0x7EFA3203, 0x178BFBFF))


def test_plain_leaves():
    t = Table(page())
    same(t.cpuid(0), ROWS[0][1])
    same(t.cpuid(0x8000001F), ROWS[-1][1])
    same(t.cpuid(0, 99), ROWS[0][1])  # not indexed: ECX does not matter
    same(t.cpuid(0x40000000, 1), ROWS[10][1])


def test_indexed_leaves():
    t = Table(page())
    same(t.cpuid(0xB, 1), (1, 2, 0x201, 0))
    same(t.cpuid(0xB, 2), (0, 0, 0, 0))
    same(t.cpuid(7, 1), (0, 0, 0, 0))
    same(t.cpuid(0xD, 9), (8, 0x980, 0, 0))
    same(t.cpuid(0xD, 5), (0, 0, 0, 0))


def test_what_the_page_has_not():
    t = Table(page())
    for leaf in (2, 0x10, 0x11, 0x40000001, 0x40000002, 0x80000008, 0x80000020, 0xC0000000, 0xFFFFFFFF):
        same(t.cpuid(leaf, host=host), (0, 0, 0, 0))
    same(Table(page(replaced(1, None))).cpuid(1, host=host), (0, 0x09000000, 0, 0))  # in range, so it is corrected
    rows = [row for row in replaced(0x80000000, (0x8000001F, 0, 0, 0)) if row[0][0] != 0x8000001E]
    same(Table(page(rows)).cpuid(0x8000001E, host=host), (9, 9, 8, 0))
    rows = [row for row in replaced(0, (0xA, 0, 0, 0)) if row[0][0] != 0xB]
    same(Table(page(rows)).cpuid(0xB, host=host), (0, 0, 0, 0))  # out of range: not


def test_what_only_the_hypervisor_knows():
    """APIC IDs and the APIC's bit, and nothing else of what it says."""
    t = Table(page())
    same(t.cpuid(1, 0, State(True, False, 1, 0), host), (0x00A00F11, 0x09020800, 0x7EFA3203, 0x178BF9FF))
    same(t.cpuid(0xB, 0, host=host), (0, 1, 0x100, 9))
    same(t.cpuid(0xB, 1, host=host), (1, 2, 0x201, 9))
    same(t.cpuid(0x8000001E, host=host), (9, 0x0109, 0x0208, 0))
    same(t.cpuid(1)[1] >> 24, 0)
    same(t.cpuid(0x80000000, host=host), ROWS[11][1])


def test_what_the_processor_state_says():
    t = Table(page())
    for osxsave in (False, True):
        for pke in (False, True):
            state = State(osxsave, pke, 1, 0)
            same(t.cpuid(1, 0, state)[2], 0x7EFA3203 & ~(1 << 27) | osxsave << 27)
            same(t.cpuid(7, 0, state)[2], 0x0040068C | pke << 4)
    same((t.cpuid(1), t.cpuid(7)), (t.cpuid(1, 0, State(False, False, 1, 0)), t.cpuid(7, 0, State(False, False, 1, 0))))
    rows = replaced(1, (0, 0, 1 << 27, 0))
    same(Table(page(rows)).cpuid(1)[2], 0)  # the table's bit counts nothing


def test_length_of_xsave():
    t = Table(page())
    for osxsave, xcr0, xss, plain, compact in (
        (False, 0x207, 0, 0x240, 0x240), (True, 1, 0, 0x240, 0x240), (True, 3, 0, 0x240, 0x240), (True, 7, 0, 0x340, 0x340),
        (True, 0x207, 0, 0x988, 0x348), (True, 0x203, 0, 0x988, 0x248), (True, 7, 1 << 11, 0x340, 0x350)):  # fmt: skip
        state = State(osxsave, False, xcr0, xss)
        same(t.cpuid(0xD, 0, state), (0x207, plain, 0x988, 0))
        same(t.cpuid(0xD, 1, state), (0xF, compact, 0x1800, 0))
    rows = replaced(0xD, (2, 0, 0, 0), 1)  # XSAVEC alone: IA32_XSS does not count
    same(Table(page(rows)).cpuid(0xD, 1, State(True, False, 7, 1 << 11))[1], 0x340)
    for rows in (ROWS, [((0xD, 0, 3, 0), (0x207, 1, 2, 3))] + replaced(0xD, None), [((0xD, 0, 7, 0), (1, 1, 1, 1)), ((0xD, 0, 1, 8), (2, 2, 2, 2))] + ROWS):
        same(Table(page(rows)).cpuid(0xD)[:2], (0x207, 0x240))  # XCR0 1 or 3, XSS 0
    same(Table(page([((0xD, 1, 1, 8), (2, 1, 1, 1))] + ROWS)).cpuid(0xD, 1)[0], 0xF)
    rows = replaced(0xD, (0xFFC0, 0x40, 0, 0), 2)
    same(Table(page(rows)).cpuid(0xD, 0, State(True, False, 7, 0))[1], 0x10000)


def test_lengths_of_xsave_that_are_none():
    on = State(True, False, 7, 0)
    table = (
        (ROWS, 0, State(True, False, 0x407, 0), "CPUID page without leaf 0xd, 0xa"),
        (ROWS, 0, State(True, False, 1 << 63 | 7, 0), "CPUID page without leaf 0xd, 0x3f"),
        (ROWS, 1, State(True, False, 7, 1 << 12), "CPUID page without leaf 0xd, 0xc"),
        (replaced(0xD, None, 2), 0, on, "CPUID page without leaf 0xd, 0x2"),
        (replaced(0xD, None, 1), 1, on, "CPUID page without XSAVEC and XSAVES"),
        (replaced(0xD, (1, 0, 0, 0), 1), 1, on, "CPUID page without XSAVEC and XSAVES"),
        (replaced(0xD, (0xFFFFFFFF, 0x240, 0, 0), 2), 0, on, "CPUID page with 4294967871 bytes for XSAVE"),
        (replaced(0xD, (0x10000, 0x240, 0, 0), 2), 1, on, "CPUID page with 66112 bytes for XSAVE"),
    )
    for rows, subleaf, state, text in table:
        same(str(raises(SevError, Table(page(rows)).cpuid, 0xD, subleaf, state)), text)


def test_pages_that_lie():
    table = (
        (bytearray(4095), "CPUID page of 4095 bytes"),
        (page(count=0), "CPUID page with 0 entries"),
        (page(count=65), "CPUID page with 65 entries"),
        (page(count=0xFFFFFFFF), "CPUID page with 4294967295 entries"),
        (page(count=13), "CPUID page of a guest without SEV-SNP"),
        (page(ROWS + [((1, 0, 0, 0), (1, 2, 3, 4))]), "CPUID page with two answers for leaf 0x1, 0x0"),
        (page(ROWS + [((0xD, 0, 1, 0), (1, 2, 3, 4))]), "CPUID page with two answers for leaf 0xd, 0x0"),
        (page(replaced(0, None)), "CPUID page without a last leaf from 0x0 on"),
        (page(replaced(0, (0x10000, 0, 0, 0))), "CPUID page without a last leaf from 0x0 on"),
        (page(replaced(0x80000000, None)), "CPUID page without a last leaf from 0x80000000 on"),
        (page(replaced(0x80000000, (0x10, 0, 0, 0))), "CPUID page without a last leaf from 0x80000000 on"),
        (page(replaced(0x40000000, (0x80000000, 0, 0, 0))), "CPUID page without a last leaf from 0x40000000 on"),
        (page(replaced(0x80000000, (0x8000001E, 0, 0, 0))), "CPUID page of a guest without SEV-SNP"),
        (page(replaced(0x8000001F, (0x18, 51, 0, 0))), "CPUID page of a guest without SEV-SNP"),
        (page(replaced(0x8000001F, (0x12, 51, 0, 0))), "CPUID page of a guest without SEV-SNP"),
        (page(replaced(0x8000001F, (0x0A, 51, 0, 0))), "CPUID page of a guest without SEV-SNP"),
        (page(replaced(0x8000001F, (0x1A, 31, 0, 0))), "CPUID page with the C-bit at 31"),
        (page(replaced(0x8000001F, (0x1A, 52, 0, 0))), "CPUID page with the C-bit at 52"),
    )
    for data, text in table:
        same(str(raises(SevError, Table, data)), text)
    same(str(raises(SevError, Table, page(count=1))), "CPUID page without a last leaf from 0x80000000 on")
    same(str(raises(SevError, Table, page(replaced(0x80000000, (0x80000000, 0, 0, 0))))), "CPUID page of a guest without SEV-SNP")
    for cbit in (32, 51):
        same(Table(page(replaced(0x8000001F, (0x1A, cbit, 0, 0)))).memory.cbit, cbit)
    Table(page(ROWS + [ROWS[1]]))  # the same answer again is no lie
    Table(page(replaced(0x40000000, (0, 0, 0, 0))))
    Table(page(replaced(0x40000000, None)))


run(globals())
