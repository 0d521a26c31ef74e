"""The SNP CPUID page: CPUID answers that the secure processor has checked, and the rules to look them up.

Pure: bytes in, registers out. The host fills the page, the processor checks each value against what the hardware allows;
neither checks that the table makes sense, so one that does not is refused. Source: SEV-SNP Firmware ABI (56860), CPUID
page; rules as Linux has them (snp_cpuid() and what it calls). Left out: asking the hypervisor, which is the caller's.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct
from collections import namedtuple

from micropython import const

from sev import status
from sev.error import SevError

PAGE_LEN = const(4096)
COUNT_MAX = const(64)
_ENTRIES = const(0x10)
_ENTRY_LEN = const(0x30)
_ENTRY = "<IIQQIIII8x"  # EAX, ECX, XCR0, XSS asked with; EAX, EBX, ECX, EDX; reserved

# Leaves whose answer depends on ECX.
_INDEXED = (4, 7, 0xB, 0xD, 0xF, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1D, 0x1E, 0x1F, 0x8000001D, 0x80000020, 0x80000026)
_RANGES = (0, 0x40000000, 0x80000000)  # each first leaf says in EAX which is the last
_RANGE_LEN = const(0x10000)
_XSAVE = const(0xD)
_XSAVE_LEN = const(0x240)  # bytes of the legacy region and the header
_XSAVE_MAX = const(1 << 16)
_XSAVEC = const(1 << 1)  # in D/1 EAX
_XSAVES = const(1 << 3)
_CBIT_MIN = const(32)
_CBIT_MAX = const(51)

# What of the processor's state changes an answer: CR4.OSXSAVE, CR4.PKE, XCR0 (0 or 1 without OSXSAVE) and IA32_XSS.
State = namedtuple("State", ("osxsave", "pke", "xcr0", "xss"))
RESET = State(False, False, 1, 0)


class Table:
    """A CPUID page. Raises SevError: it is not well-formed, or not of an SNP guest.

    entries: the rows, as they are in the page. memory: status.Memory, what leaf 8000_001F says.
    """

    def __init__(self, page):
        if len(page) < PAGE_LEN:
            raise SevError("CPUID page of %d bytes" % len(page))
        count = struct.unpack_from("<I", page, 0)[0]
        if not 1 <= count <= COUNT_MAX:
            raise SevError("CPUID page with %d entries" % count)
        self.entries = [struct.unpack_from(_ENTRY, page, _ENTRIES + i * _ENTRY_LEN) for i in range(count)]
        self._check_rows()
        self.memory = self._memory()

    def _check_rows(self):
        seen = {}
        for row in self.entries:
            if seen.setdefault(row[:4], row[4:]) != row[4:]:
                raise SevError("CPUID page with two answers for leaf %#x, %#x" % row[:2])
        for first in _RANGES:
            row = self._find(first, 0)
            if row is None and first != 0x40000000 or row is not None and row[0] and not first <= row[0] < first + _RANGE_LEN:
                raise SevError("CPUID page without a last leaf from %#x on" % first)

    def _memory(self):
        """-> status.Memory; an SNP guest has all of SEV, and a C-bit that is one."""
        regs = self._find(status.LEAF, 0) if self._in_range(status.LEAF) else None
        memory = status.memory(*regs[:2]) if regs else None
        if memory is None or not (memory.sev and memory.es and memory.snp):
            raise SevError("CPUID page of a guest without SEV-SNP")
        if not _CBIT_MIN <= memory.cbit <= _CBIT_MAX:
            raise SevError("CPUID page with the C-bit at %d" % memory.cbit)
        return memory

    def _find(self, leaf, subleaf):
        """-> (EAX, EBX, ECX, EDX) of the first entry that fits, or None."""
        for row in self.entries:
            if row[0] != leaf or leaf in _INDEXED and row[1] != subleaf:
                continue
            if leaf == _XSAVE and subleaf <= 1 and (row[2] not in (1, 3) or row[3]):
                continue  # only the answer of the reset state is used, and then corrected
            return row[4:]
        return None

    def _in_range(self, leaf):
        first = max([f for f in _RANGES if f <= leaf])
        last = self._find(first, 0)
        return last is not None and leaf <= last[0]

    def cpuid(self, leaf, subleaf=0, state=RESET, host=None):
        """-> (EAX, EBX, ECX, EDX), the answer to the instruction.

        host(leaf, subleaf) -> the hypervisor's four, of which APIC IDs and the APIC's enabled bit are taken; without it
        they are 0. SevError: the page lacks what the state needs.
        """
        regs = self._find(leaf, subleaf)
        if regs is None and not self._in_range(leaf):
            return 0, 0, 0, 0
        correct = _CORRECTIONS.get(leaf)
        regs = regs or (0, 0, 0, 0)
        if leaf == _XSAVE:
            return self._xsave(regs, subleaf, state)
        return correct(regs, subleaf, state, host or _no_host) if correct else regs

    def _xsave(self, regs, subleaf, state):
        if subleaf > 1:
            return regs
        enabled = state.xcr0 if state.osxsave else 1
        if subleaf == 1:
            if not regs[0] & (_XSAVEC | _XSAVES):
                raise SevError("CPUID page without XSAVEC and XSAVES")
            enabled |= state.xss if regs[0] & _XSAVES else 0
        return regs[0], self._xsave_len(enabled, subleaf == 1), regs[2], regs[3]

    def _xsave_len(self, enabled, compact):
        """-> bytes that XSAVE writes with these features enabled; compact: in the compacted form."""
        length = _XSAVE_LEN
        for feature in range(2, 64):
            if enabled >> feature & 1:
                regs = self._find(_XSAVE, feature)
                if regs is None:
                    raise SevError("CPUID page without leaf 0xd, %#x" % feature)
                length = length + regs[0] if compact else max(length, regs[0] + regs[1])
        if length > _XSAVE_MAX:
            raise SevError("CPUID page with %d bytes for XSAVE" % length)
        return length


def _no_host(leaf, subleaf):
    return 0, 0, 0, 0


def _mix(ours, theirs, mask):
    """-> our value, with the hypervisor's in the bits of the mask."""
    return ours & ~mask | theirs & mask


def _leaf_1(regs, subleaf, state, host):
    theirs = host(1, 0)
    ebx, edx = _mix(regs[1], theirs[1], 0xFF000000), _mix(regs[3], theirs[3], 1 << 9)  # initial APIC ID, APIC
    return regs[0], ebx, _mix(regs[2], state.osxsave << 27, 1 << 27), edx


def _leaf_7(regs, subleaf, state, host):
    if subleaf:
        return regs
    return regs[0], regs[1], _mix(regs[2], state.pke << 4, 1 << 4), regs[3]  # OSPKE


def _leaf_b(regs, subleaf, state, host):
    return regs[:3] + (host(0xB, 0)[3] & 0xFFFFFFFF,)  # x2APIC ID


def _leaf_1e(regs, subleaf, state, host):
    theirs = host(0x8000001E, 0)  # extended APIC ID, core, node
    return theirs[0] & 0xFFFFFFFF, _mix(regs[1], theirs[1], 0xFF), _mix(regs[2], theirs[2], 0xFF), regs[3]


_CORRECTIONS = {1: _leaf_1, 7: _leaf_7, 0xB: _leaf_b, 0x8000001E: _leaf_1e}
