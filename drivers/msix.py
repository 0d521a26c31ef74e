"""MSI-X: a function's own table of interrupts, each an address and what is written there.

Source: PCI Local Bus 3.0, 6.8.2 (capability, table). Who interrupts where is the caller's: irq.message().
Not here: the pending bits. The host says how long the table is and where: it must lie within a BAR.
"""

# SPDX-License-Identifier: BSD-3-Clause

import mem
from micropython import const

_ID = const(0x11)
_CONTROL = const(2)  # 16 bits from the capability's start
_CONTROL_COUNT = const(0x7FF)  # entries, less one
_CONTROL_MASK_ALL = const(0x4000)
_CONTROL_ENABLE = const(0x8000)
_TABLE = const(4)  # 32: BAR in the low three bits, offset in the others
_ENTRY_LEN = const(16)
_ENTRY_ADDR = const(0)  # 64
_ENTRY_DATA = const(8)  # 32
_ENTRY_CONTROL = const(12)  # 32
_ENTRY_MASKED = const(1)


class MSIX:
    """The table of one function. ValueError: it has none, or not where a device may have it."""

    def __init__(self, function):
        self._function = function
        self._offset = _find(function)
        self.count = (function.read16(self._offset + _CONTROL) & _CONTROL_COUNT) + 1
        table = function.read32(self._offset + _TABLE)
        number, start, length = table & 7, table & ~7, self.count * _ENTRY_LEN
        bar = dict(enumerate(function.bars())).get(number)
        if not bar or bar.kind != "mem" or not bar.addr or start + length > bar.room:
            raise ValueError("MSI-X table of %d entries outside of memory" % self.count)
        self._table = mem.mmio(bar.addr + start, length)

    def route(self, entry, message):
        """Let an entry write what irq.message() gave."""
        if not 0 <= entry < self.count:
            raise ValueError("no such MSI-X entry")
        at = self._table + entry * _ENTRY_LEN
        mem.w32(at + _ENTRY_CONTROL, _ENTRY_MASKED)
        mem.w32(at + _ENTRY_ADDR, message[0] & 0xFFFFFFFF)
        mem.w32(at + _ENTRY_ADDR + 4, message[0] >> 32)
        mem.w32(at + _ENTRY_DATA, message[1])
        mem.w32(at + _ENTRY_CONTROL, 0)

    def enable(self, on=True):
        """Use the table instead of the function's INTx line; off: no interrupts at all."""
        control = self._function.read16(self._offset + _CONTROL) & ~(_CONTROL_ENABLE | _CONTROL_MASK_ALL)
        self._function.write16(self._offset + _CONTROL, control | (_CONTROL_ENABLE if on else 0))


def _find(function):
    for kind, offset in function.capabilities():
        if kind == _ID:
            return offset
    raise ValueError("no MSI-X")
