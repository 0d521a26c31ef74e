"""PCI configuration space: who is there, their headers, BARs and capabilities.

Source: PCI Local Bus 3.0, 6 (headers, BARs, capabilities) and 3.2.2.3.2 (ports CF8, CFC);
PCI Firmware 3.3, 4.1.2 (MCFG); PCI-to-PCI Bridge 1.2, 3.2. Not here: sizes of BARs (they must be
written to be known), MSI-X (msix.py), extended capabilities.
Access is through ECAM where a Root takes it from the MCFG, else through the ports, which reach
segment 0 and the first 256 bytes. The host answers these reads: chains and bus numbers are bounded.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct

import cpu
import mem
from drivers import acpi
from micropython import const

_CONFIG_ADDRESS = const(0xCF8)
_CONFIG_DATA = const(0xCFC)
_ENABLE = const(0x80000000)

VENDOR_ID = const(0x00)  # 16 bits; 0xffff: nobody
DEVICE_ID = const(0x02)  # 16
COMMAND = const(0x04)  # 16
_COMMAND_MEMORY = const(0x2)
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
CAPABILITIES = const(0x34)  # 8: offset of the first

_NOBODY = const(0xFFFF)
_MCFG_ENTRIES = const(44)  # offset in the table; 16 bytes each
_CAPABILITIES_MAX = const(48)  # that many fit into 192 bytes


class ConfigPorts:
    """Configuration space through CF8 and CFC: segment 0, 256 bytes for each function."""

    def read32(self, bus, device, function, offset):
        cpu.out32(_CONFIG_ADDRESS, _ENABLE | bus << 16 | device << 11 | function << 8 | offset & 0xFC)
        return cpu.in32(_CONFIG_DATA)

    def write16(self, bus, device, function, offset, value):
        cpu.out32(_CONFIG_ADDRESS, _ENABLE | bus << 16 | device << 11 | function << 8 | offset & 0xFC)
        cpu.out16(_CONFIG_DATA + (offset & 2), value)


class ConfigECAM:
    """Configuration space as memory: 4 KiB for each function of the buses first to last."""

    def __init__(self, base, first, last):
        self._base = base
        self._first = first
        self._last = last

    def read32(self, bus, device, function, offset):
        if not self._first <= bus <= self._last:
            return 0xFFFFFFFF
        addr = self._base + (bus - self._first << 20) + (device << 15) + (function << 12)
        return mem.r32(addr + (offset & 0xFFC))

    def write16(self, bus, device, function, offset, value):
        addr = self._base + (bus - self._first << 20) + (device << 15) + (function << 12)
        mem.w16(addr + (offset & 0xFFE), value)


def config(rsdp):
    """-> how this machine's segment 0 is reached: ECAM where the MCFG says so, else the ports."""
    try:
        mcfg = acpi.find(rsdp, b"MCFG")
    except acpi.ACPIError:
        return ConfigPorts()
    for offset in range(_MCFG_ENTRIES, len(mcfg) - 15, 16):
        base, segment, first, last = struct.unpack_from("<QHBB", mcfg, offset)
        # The PCI Firmware specification lets base be that of bus 0, whatever `first` is.
        base += first << 20
        if segment == 0 and first <= last and mem.attr(base) and mem.attr(base + (last - first << 20)):
            return ConfigECAM(base, first, last)
    return ConfigPorts()


class Function:
    """One PCI function. Its header fields are read once, when it is found."""

    def __init__(self, config, bus, device, function):
        self.address = (bus, device, function)
        self._config = config
        ids = self.read32(VENDOR_ID)
        self.vendor = ids & 0xFFFF
        self.device = ids >> 16
        self.code = self.read32(CLASS) >> 8  # class << 16 | subclass << 8 | interface
        self._header = self.read8(HEADER_TYPE)
        self.header = self._header & ~_MULTI_FUNCTION

    def __str__(self):
        return "%02x:%02x.%d" % self.address

    def read32(self, offset):
        return self._config.read32(*self.address, offset)

    def read16(self, offset):
        return self.read32(offset) >> (offset & 2) * 8 & 0xFFFF

    def read8(self, offset):
        return self.read32(offset) >> (offset & 3) * 8 & 0xFF

    def write16(self, offset, value):
        self._config.write16(*self.address, offset, value)

    def enable(self, on=True):
        """Let the function answer at its memory BARs and read and write memory; its INTx line stays silent."""
        command = self.read16(COMMAND) & ~(_COMMAND_MEMORY | _COMMAND_MASTER)
        self.write16(COMMAND, command | _COMMAND_NO_INTX | (_COMMAND_MEMORY | _COMMAND_MASTER if on else 0))

    @property
    def multi_function(self):
        return self._header & _MULTI_FUNCTION != 0

    @property
    def secondary_bus(self):
        """The bus behind a bridge, or 0 (of a device, or not assigned)."""
        return self.read8(_SECONDARY_BUS) if self.header == _HEADER_BRIDGE else 0

    def bars(self):
        """-> a BAR for each register; None for one that is not used, and for upper halves."""
        count = {_HEADER_DEVICE: 6, _HEADER_BRIDGE: 2}.get(self.header, 0)
        registers = [self.read32(BAR0 + 4 * i) for i in range(count)]
        out = []
        while registers:
            bar = decode_bar(registers)
            wide = bar and bar.bits == 64
            out.extend((bar, None) if wide else (bar,))
            registers = registers[2 if wide else 1 :]
        return out

    def capabilities(self):
        """Yield (id, offset) of each capability; stops at a broken or endless chain."""
        if not self.read16(STATUS) & _STATUS_CAPABILITIES:
            return
        offset = self.read8(CAPABILITIES) & 0xFC
        for _ in range(_CAPABILITIES_MAX):
            if offset < 0x40:
                return
            header = self.read16(offset)
            yield header & 0xFF, offset
            offset = header >> 8 & 0xFC


class BAR:
    """A base address register. kind: "io" or "mem"; bits: 16 (io), 20, 32 or 64."""

    def __init__(self, kind, addr, bits, prefetch):
        self.kind = kind
        self.addr = addr
        self.bits = bits
        self.prefetch = prefetch


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
    """Yield every Function, bus by bus, in order; each bus is looked at once.

    Starts at bus 0 and follows bridges. Other host bridges' roots are found as functions 1-7 of
    device 0 where the host bridge has several (PCI Firmware 3.3 4.1).
    """
    buses = [0]
    for bus in buses:  # grows while we walk
        for device in range(32):
            for function in _device(config, bus, device):
                yield function
                behind = function.secondary_bus
                if behind and behind not in buses:
                    buses.append(behind)


def _device(config, bus, device):
    for number in range(8):
        if config.read32(bus, device, number, VENDOR_ID) & 0xFFFF != _NOBODY:
            function = Function(config, bus, device, number)
            yield function
            if number == 0 and not function.multi_function:
                return
        elif number == 0:
            return
