"""PCI configuration space: the two ways to it, and which one this machine has.

Source: PCI Local Bus 3.0, 3.2.2.3.2 (ports CF8, CFC); PCI Express 5.0, 7.2.2 (ECAM); PCI Firmware 3.3, 4.1.2 (MCFG).
ECAM is used where the MCFG gives it for segment 0, else the ports, which reach the first 256 bytes of each function.
Not here: other segments. The host answers every read; who reads bounds what follows from it.
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
_MCFG_ENTRIES = const(44)  # offset in the table; 16 bytes each


class ConfigPorts:
    """Configuration space through CF8 and CFC: segment 0, 256 bytes for each function."""

    def at(self, bus, device, function):
        """-> read32(offset), write16(offset, value), write32(offset, value) of one function."""
        return (
            lambda offset: self.read32(bus, device, function, offset),
            lambda offset, value: self.write16(bus, device, function, offset, value),
            lambda offset, value: self.write32(bus, device, function, offset, value),
        )

    first, last = 0, 255  # buses
    extended = False  # no registers from 256 on

    def _select(self, bus, device, function, offset):
        cpu.out32(_CONFIG_ADDRESS, _ENABLE | bus << 16 | device << 11 | function << 8 | offset & 0xFC)

    def read32(self, bus, device, function, offset):
        self._select(bus, device, function, offset)
        return cpu.in32(_CONFIG_DATA)

    def write16(self, bus, device, function, offset, value):
        self._select(bus, device, function, offset)
        cpu.out16(_CONFIG_DATA + (offset & 2), value)

    def write32(self, bus, device, function, offset, value):
        self._select(bus, device, function, offset)
        cpu.out32(_CONFIG_DATA, value)


class ConfigECAM:
    """Configuration space as memory: 4 KiB for each function of the buses first to last."""

    extended = True

    def __init__(self, base, first, last):
        self._base = base
        self.first = first
        self.last = last

    def _addr(self, bus, device, function):
        return self._base + (bus - self.first << 20) + (device << 15) + (function << 12)

    def at(self, bus, device, function):
        """-> read32(offset), write16(offset, value), write32(offset, value) of one function."""
        base = self._addr(bus, device, function)
        return (
            lambda offset: mem.r32(base + (offset & 0xFFC)),
            lambda offset, value: mem.w16(base + (offset & 0xFFE), value),
            lambda offset, value: mem.w32(base + (offset & 0xFFC), value),
        )

    def read32(self, bus, device, function, offset):
        if not self.first <= bus <= self.last:
            return 0xFFFFFFFF
        return mem.r32(self._addr(bus, device, function) + (offset & 0xFFC))


def config(rsdp):
    """-> how this machine's segment 0 is reached. rsdp: address of ACPI's root pointer, 0: none."""
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
