"""PCI functions: who is there, their headers, BARs and capabilities.

Source: PCI Local Bus 3.0, 6 (headers, 6.2.5.1: BARs, 6.7: capabilities); PCI-to-PCI Bridge 1.2, 3.2; PCI Express 5.0,
7.6.3 (extended capabilities). Not here: the way to configuration space (pci_config.py), MSI-X (msix.py), giving
addresses to BARs (the firmware did). The host answers these reads: chains and bus numbers are bounded.
"""

# SPDX-License-Identifier: BSD-3-Clause

from drivers.pci_config import ConfigECAM, ConfigPorts, config
from micropython import const

VENDOR_ID = const(0x00)  # 16 bits; 0xffff: nobody
DEVICE_ID = const(0x02)  # 16
COMMAND = const(0x04)  # 16
_COMMAND_DECODE = const(0x3)  # answers at io and memory BARs
_COMMAND_MASTER = const(0x4)
_COMMAND_NO_INTX = const(0x400)
STATUS = const(0x06)  # 16
_STATUS_CAPABILITIES = const(0x10)
CLASS = const(0x08)  # 32: class, subclass, interface, revision
HEADER_TYPE = const(0x0E)  # 8
_MULTI_FUNCTION = const(0x80)
_HEADER_DEVICE = const(0)
_HEADER_BRIDGE = const(1)
BAR0 = const(0x10)  # 32 each: six of a device, two of a bridge
_BAR_IO = const(0x1)
_BAR_TYPE = const(0x6)
_BAR_64 = const(0x4)
_BAR_PREFETCH = const(0x8)
_SECONDARY_BUS = const(0x19)  # 8, bridges
SUBSYSTEM_ID = const(0x2E)  # 16, devices
CAPABILITIES = const(0x34)  # 8: offset of the first
_EXTENDED = const(0x100)  # 32: id in bits 0 to 15, offset of the next in bits 20 to 31

_NOBODY = const(0xFFFF)
_CAPABILITIES_MAX = const(48)  # that many fit into 192 bytes
_EXTENDED_MAX = const(480)  # and into 3840, at 8 bytes each


class Function:
    """One PCI function. Its header fields are read once, when it is found."""

    def __init__(self, config, bus, device, function):
        self.address = (bus, device, function)
        self.read32, self.write16, self.write32 = config.at(bus, device, function)
        self._extended = config.extended
        self._bars = self._capabilities = None  # as they were found
        ids = self.read32(VENDOR_ID)
        self.vendor = ids & 0xFFFF
        self.device = ids >> 16
        self.code = self.read32(CLASS) >> 8  # class << 16 | subclass << 8 | interface
        self._header = self.read8(HEADER_TYPE)
        self.header = self._header & ~_MULTI_FUNCTION

    def __str__(self):
        return "%02x:%02x.%d" % self.address

    def read16(self, offset):
        return self.read32(offset) >> (offset & 2) * 8 & 0xFFFF

    def read8(self, offset):
        return self.read32(offset) >> (offset & 3) * 8 & 0xFF

    def enable(self, on=True):
        """Let the function answer at its BARs and read and write memory; its INTx line stays silent."""
        command = self.read16(COMMAND) & ~(_COMMAND_DECODE | _COMMAND_MASTER)
        self.write16(COMMAND, command | _COMMAND_NO_INTX | (_COMMAND_DECODE | _COMMAND_MASTER if on else 0))

    def gone(self):
        """-> True if nobody answers here any more."""
        return self.read16(VENDOR_ID) == _NOBODY

    @property
    def multi_function(self):
        return self._header & _MULTI_FUNCTION != 0

    @property
    def secondary_bus(self):
        """The bus behind a bridge, or 0 (of a device, or not assigned)."""
        return self.read8(_SECONDARY_BUS) if self.header == _HEADER_BRIDGE else 0

    # -- BARs -------------------------------------------------------------------------------------

    def bars(self):
        """-> a BAR for each register; None for one that is not used, and for upper halves. Read once: nobody moves them."""
        if self._bars is None:
            self._bars = self._read_bars()
        return self._bars

    def _read_bars(self):
        count = {_HEADER_DEVICE: 6, _HEADER_BRIDGE: 2}.get(self.header, 0)
        registers = [self.read32(BAR0 + 4 * i) for i in range(count)]
        out = []
        while registers:
            bar = decode_bar(registers)
            wide = bar and bar.bits == 64
            out.extend((bar, None) if wide else (bar,))
            registers = registers[2 if wide else 1 :]
        return out

    def bar_len(self, number):
        """-> bytes that the BAR of a register spans, a power of two; 0: it has none, or the register is no BAR.

        Meanwhile the function answers nowhere: for a device that nobody drives yet.
        """
        bars = self.bars()
        bar = bars[number] if number < len(bars) else None
        if not bar:
            return 0
        at = BAR0 + 4 * number
        command = self.read16(COMMAND)
        self.write16(COMMAND, command & ~_COMMAND_DECODE)
        mask = self._writable(at) & (~3 if bar.kind == "io" else ~15)
        if bar.bits == 64:
            mask |= self._writable(at + 4) << 32
        self.write16(COMMAND, command)
        return mask & -mask

    def _writable(self, offset):
        """-> which bits of a register take a 1; what stood there comes back."""
        before = self.read32(offset)
        self.write32(offset, 0xFFFFFFFF)
        mask = self.read32(offset)
        self.write32(offset, before)
        return mask

    # -- capabilities -------------------------------------------------------------------------------

    def capabilities(self):
        """-> list of (id, offset) of each capability, read once; it ends where the chain is broken or endless."""
        if self._capabilities is None:
            self._capabilities = self._read_capabilities()
        return self._capabilities

    def _read_capabilities(self):
        out = []
        offset = self.read8(CAPABILITIES) & 0xFC if self.read16(STATUS) & _STATUS_CAPABILITIES else 0
        while offset >= 0x40 and len(out) < _CAPABILITIES_MAX:
            header = self.read16(offset)
            out.append((header & 0xFF, offset))
            offset = header >> 8 & 0xFC
        return out

    def extended_capabilities(self):
        """Yield (id, offset) of each extended capability, none where the ports are the only way; bounded as well."""
        offset = _EXTENDED if self._extended else 0
        for _ in range(_EXTENDED_MAX):
            header = self.read32(offset) if offset >= _EXTENDED else 0
            if header in (0, 0xFFFFFFFF):
                return
            yield header & 0xFFFF, offset
            offset = header >> 20 & 0xFFC


class BAR:
    """A base address register. kind: "io" or "mem"; addr: 0 where none was assigned; bits: 16 (io), 20, 32 or 64."""

    def __init__(self, kind, addr, bits, prefetch):
        self.kind = kind
        self.addr = addr
        self.bits = bits
        self.prefetch = prefetch

    @property
    def room(self):
        """Bytes that it spans at most, and with registers in memory enough to bound them: a BAR is aligned to its length.

        Function.bar_len() takes a device off its bus, for which QEMU lays out memory anew: 0.8 ms, measured."""
        return self.addr & -self.addr


def decode_bar(registers):
    """-> the BAR that the first of these registers begins, or None where it is empty or reserved."""
    low = registers[0]
    if low & _BAR_IO:
        return BAR("io", low & 0xFFFFFFFC, 16, False)
    kind = low & _BAR_TYPE
    addr = low & 0xFFFFFFF0
    prefetch = low & _BAR_PREFETCH != 0
    if kind == _BAR_64 and len(registers) > 1:
        return BAR("mem", registers[1] << 32 | addr, 64, prefetch)
    if low == 0 or kind == _BAR_TYPE or kind == _BAR_64:
        return None
    return BAR("mem", addr, 20 if kind else 32, prefetch)


def functions(config):
    """Yield every Function; each bus is looked at once.

    First bus 0 and what bridges lead to, bus by bus; then the buses that no bridge leads to: roots of host bridges
    of their own, whose numbers only ACPI's byte code tells.
    """
    buses = [0]
    yield from _reached(config, buses, 0)
    for bus in range(config.first, config.last + 1):
        if bus not in buses:
            buses.append(bus)
            yield from _reached(config, buses, len(buses) - 1)


def _reached(config, buses, start):
    """Yield the functions of buses[start:], which grows by the buses behind their bridges."""
    while start < len(buses):
        for device in range(32):
            for function in _device(config, buses[start], device):
                yield function
                behind = function.secondary_bus
                if behind and behind not in buses:
                    buses.append(behind)
        start += 1


def _device(config, bus, device):
    for number in range(8):
        if config.read32(bus, device, number, VENDOR_ID) & 0xFFFF != _NOBODY:
            function = Function(config, bus, device, number)
            yield function
            if number == 0 and not function.multi_function:
                return
        elif number == 0:
            return
