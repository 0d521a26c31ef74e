"""Virtio devices over modern PCI: finding their registers, and the handshake that brings one up.

Source: Virtual I/O Device 1.2, 3.1.1 (initialisation, whose step numbers stand below), 4.1.4 (PCI
capabilities, common configuration). Not here: the legacy interface, packed rings, shared memory.
The host answers every read: what it says is checked, and a device that breaks a promise is reset.
"""

# SPDX-License-Identifier: BSD-3-Clause

import time

import mem
from micropython import const

VENDOR = const(0x1AF4)
_MODERN = const(0x1040)  # device id less this: the type of device
_TRANSITIONAL = const(0x1000)  # to 0x103f; network cards are the first of them

_CAPABILITY = const(0x09)  # vendor-specific
_CFG_TYPE = const(3)  # 8 bits from the capability's start
_CFG_COMMON = const(1)
_CFG_NOTIFY = const(2)
_CFG_DEVICE = const(4)
_CFG_BAR = const(4)  # 8
_CFG_OFFSET = const(8)  # 32
_CFG_LENGTH = const(12)  # 32
_CFG_MULTIPLIER = const(16)  # 32, of the notify capability

_FEATURE_SELECT = const(0)  # 32, of the device's features
_FEATURE = const(4)  # 32
_DRIVER_SELECT = const(8)  # 32
_DRIVER_FEATURE = const(12)  # 32
_CONFIG_VECTOR = const(16)  # 16
_NUM_QUEUES = const(18)  # 16
_STATUS = const(20)  # 8
_STATUS_ACKNOWLEDGE = const(1)
_STATUS_DRIVER = const(2)
_STATUS_DRIVER_OK = const(4)
_STATUS_FEATURES_OK = const(8)
_STATUS_NEEDS_RESET = const(0x40)
_STATUS_FAILED = const(0x80)
_GENERATION = const(21)  # 8
_QUEUE_SELECT = const(22)  # 16
_QUEUE_SIZE = const(24)  # 16
_QUEUE_VECTOR = const(26)  # 16
_QUEUE_ENABLE = const(28)  # 16
_QUEUE_NOTIFY = const(30)  # 16
_QUEUE_DESC = const(32)  # 64, as the two below
_QUEUE_DRIVER = const(40)
_QUEUE_DEVICE = const(48)
_COMMON_LEN = const(56)
_NO_VECTOR = const(0xFFFF)

F_EVENT_IDX = 1 << 29
F_VERSION_1 = 1 << 32
F_ACCESS_PLATFORM = 1 << 33

_RESET_MS = const(1000)


class VirtioError(Exception):
    """The device is not what it says, or broke a promise. It has been reset."""


def kind(function):
    """-> the device type of a PCI function (1: network card), or None where it is no virtio device."""
    if function.vendor != VENDOR:
        return None
    if function.device > _MODERN:
        return function.device - _MODERN
    return function.device - _TRANSITIONAL + 1 if function.device == _TRANSITIONAL else None


class Device:
    """The registers of one device. VirtioError: they are not where they should be."""

    def __init__(self, function):
        self.function = function
        function.enable()
        self._common, length, _ = self._window(_CFG_COMMON)
        self._notify, self._notify_len, offset = self._window(_CFG_NOTIFY)
        self._multiplier = function.read32(offset + _CFG_MULTIPLIER)
        self._config, self._config_len, _ = self._window(_CFG_DEVICE)
        if length < _COMMON_LEN:
            raise VirtioError("common configuration too short")

    def _window(self, wanted):
        """-> (address, length, offset of the capability) of the first window of a type that can be used."""
        function = self.function
        bars = function.bars()
        for kind, offset in function.capabilities():
            if kind != _CAPABILITY or function.read8(offset + _CFG_TYPE) != wanted:
                continue
            number = function.read8(offset + _CFG_BAR)
            bar = bars[number] if number < len(bars) else None
            start, length = function.read32(offset + _CFG_OFFSET), function.read32(offset + _CFG_LENGTH)
            if bar and bar.kind == "mem" and bar.addr and 0 < length <= 1 << 20:
                try:
                    return mem.mmio(bar.addr + start, length), length, offset
                except ValueError:
                    continue  # not where devices are
        raise VirtioError("no usable window of type %d" % wanted)

    # -- the handshake, 3.1.1 -------------------------------------------------------------------

    def reset(self):
        """Step 1; the device forgets its queues and touches no memory any more. VirtioError: it does not."""
        mem.w8(self._common + _STATUS, 0)
        start = time.ticks_ms()
        while mem.r8(self._common + _STATUS):
            if time.ticks_diff(time.ticks_ms(), start) > _RESET_MS:
                self.function.enable(False)
                raise VirtioError("no reset within %d ms" % _RESET_MS)

    def negotiate(self, wanted, needed):
        """Steps 1 to 6. -> the features that both sides have; VirtioError: one that is needed is not among them."""
        self.reset()
        self._set_status(_STATUS_ACKNOWLEDGE)
        self._set_status(_STATUS_DRIVER)
        offered = 0
        for half in (0, 1):
            mem.w32(self._common + _FEATURE_SELECT, half)
            offered |= mem.r32(self._common + _FEATURE) << 32 * half
        features = offered & (wanted | needed)
        if needed & ~features:
            self.fail("features 0x%x are missing" % (needed & ~features))
        for half in (0, 1):
            mem.w32(self._common + _DRIVER_SELECT, half)
            mem.w32(self._common + _DRIVER_FEATURE, features >> 32 * half & 0xFFFFFFFF)
        self._set_status(_STATUS_FEATURES_OK)
        return features

    def ready(self):
        """Step 8: the device may begin."""
        self._set_status(_STATUS_DRIVER_OK)

    def fail(self, reason):
        """Give the device up: reset it, and raise."""
        mem.w8(self._common + _STATUS, _STATUS_FAILED)
        self.reset()
        raise VirtioError(reason)

    def _set_status(self, bit):
        status = mem.r8(self._common + _STATUS) | bit
        mem.w8(self._common + _STATUS, status)
        if mem.r8(self._common + _STATUS) & (bit | _STATUS_NEEDS_RESET) != bit:
            self.fail("status bit 0x%x refused" % bit)

    # -- queues and configuration ------------------------------------------------------------------

    def attach(self, index, queue, vector):
        """Step 7 for one queue (virtqueue.Queue, of at most the size that queue_size() gave); entry `vector` of MSI-X, or None."""
        common = self._common
        mem.w16(common + _QUEUE_SELECT, index)
        mem.w16(common + _QUEUE_SIZE, queue.size)
        for register, addr in ((_QUEUE_DESC, queue.desc), (_QUEUE_DRIVER, queue.avail), (_QUEUE_DEVICE, queue.used)):
            mem.w32(common + register, addr & 0xFFFFFFFF)
            mem.w32(common + register + 4, addr >> 32)
        number = _NO_VECTOR if vector is None else vector
        mem.w16(common + _QUEUE_VECTOR, number)
        if mem.r16(common + _QUEUE_VECTOR) != number:
            self.fail("queue %d: interrupt refused" % index)
        notify = mem.r16(common + _QUEUE_NOTIFY) * self._multiplier
        if notify + 2 > self._notify_len:
            self.fail("queue %d: notification outside of its window" % index)
        queue.bind(self._notify + notify, index)
        mem.w16(common + _QUEUE_ENABLE, 1)

    def queue_size(self, index, most):
        """-> the size of a queue, a power of two, at most `most`. VirtioError: there is no such queue."""
        mem.w16(self._common + _QUEUE_SELECT, index)
        size = mem.r16(self._common + _QUEUE_SIZE)
        if not size or size & size - 1 or index >= mem.r16(self._common + _NUM_QUEUES):
            self.fail("no queue %d" % index)
        return min(size, most)

    def config_vector(self, vector):
        """Let changes of the configuration interrupt through that entry of MSI-X."""
        mem.w16(self._common + _CONFIG_VECTOR, vector)

    def config(self, offset, length):
        """-> bytes of the device's own configuration, of one moment. VirtioError: not that long, or it never stands still."""
        if offset + length > self._config_len:
            self.fail("configuration too short")
        for _ in range(16):
            before = mem.r8(self._common + _GENERATION)
            data = bytes([mem.r8(self._config + offset + i) for i in range(length)])
            if mem.r8(self._common + _GENERATION) == before:
                return data
        self.fail("configuration changes without end")

    def broken(self):
        """-> True if the device asks for a reset."""
        return mem.r8(self._common + _STATUS) & _STATUS_NEEDS_RESET != 0
