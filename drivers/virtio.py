"""Virtio devices: what they are, and the handshake that brings one up, whichever way its registers are reached.

Source: Virtual I/O Device 1.2, 2.1 (status), 3.1.1 (initialisation, whose step numbers stand below), 4.1.2 (PCI ids).
A transport (virtio_modern.py, virtio_legacy.py) knows registers and nothing of network cards; it gives
    legacy, header_len            the older interface; bytes of a network frame's header without merged buffers
    read_status() write_status()  read_features() write_features()
    queue_size() attach()         config_vector() config() set_config()
Not here: packed rings, shared memory regions, devices that are not behind PCI.
The host answers every read: what it says is checked, and a device that breaks a promise is reset.
"""

# SPDX-License-Identifier: BSD-3-Clause

import time

from drivers.pci import SUBSYSTEM_ID
from micropython import const

VENDOR = const(0x1AF4)
_TRANSITIONAL = const(0x1000)  # to 0x103f; the type of device is the subsystem's id
_MODERN = const(0x1040)  # to 0x107f; device id less this: the type of device

_ACKNOWLEDGE = const(1)
_DRIVER = const(2)
_DRIVER_OK = const(4)
_FEATURES_OK = const(8)
_NEEDS_RESET = const(0x40)
_FAILED = const(0x80)
_GONE = const(0xFF)  # what a read gives where no device is any more

F_ANY_LAYOUT = 1 << 27  # legacy: a header need not have a descriptor of its own
F_EVENT_IDX = 1 << 29
F_VERSION_1 = 1 << 32
F_ACCESS_PLATFORM = 1 << 33

NO_VECTOR = const(0xFFFF)
_RESET_MS = const(1000)
_CONFIG_TRIES = const(16)


class VirtioError(OSError):
    """The device is not what it says, or broke a promise; one text says which. It has been reset."""


def kind(function):
    """-> the device type of a PCI function (1: network card), or None where it is no virtio device."""
    if function.vendor != VENDOR or not _TRANSITIONAL <= function.device < _MODERN + 64:
        return None
    if function.device >= _MODERN:
        return function.device - _MODERN
    return function.read16(SUBSYSTEM_ID)


def transport(function):
    """-> how to talk to a virtio device: the modern interface where there is one. VirtioError: it has none that works."""
    from drivers import virtio_modern

    function.enable()
    windows = virtio_modern.windows(function)
    if windows:
        return virtio_modern.Modern(function, windows)
    if function.device >= _MODERN:
        raise VirtioError("device without registers")
    from drivers import virtio_legacy

    return virtio_legacy.Legacy(function)


class Transport:
    """What both ways have in common."""

    def __init__(self, function):
        self.function = function

    # -- the handshake, 3.1.1 -------------------------------------------------------------------

    def reset(self):
        """Step 1; the device forgets its queues and touches no memory any more. VirtioError: it does not, or is gone."""
        self.write_status(0)
        start = time.ticks_ms()
        while True:
            status = self.read_status()
            if not status:
                return
            gone = status == _GONE and self.function.gone()
            if gone or time.ticks_diff(time.ticks_ms(), start) > _RESET_MS:
                self.function.enable(False)
                raise VirtioError("device is gone" if gone else "no reset within %d ms" % _RESET_MS)

    def negotiate(self, wanted, needed):
        """Steps 1 to 6. -> the features that both sides have; VirtioError: one that is needed is not among them."""
        self.reset()
        self._set_status(_ACKNOWLEDGE)
        self._set_status(_DRIVER)
        features = self.read_features() & (wanted | needed)
        if needed & ~features:
            self.fail("features 0x%x are missing" % (needed & ~features))
        self.write_features(features)
        if not self.legacy:
            self._set_status(_FEATURES_OK)
        return features

    def ready(self):
        """Step 8: the device may begin."""
        self._set_status(_DRIVER_OK)

    def fail(self, reason):
        """Give the device up: reset it, and raise."""
        self.write_status(_FAILED)
        self.reset()
        raise VirtioError(reason)

    def _set_status(self, bit):
        self.write_status(self.read_status() | bit)
        if self.read_status() & (bit | _NEEDS_RESET) != bit:
            self.fail("status bit 0x%x refused" % bit)

    def broken(self):
        """-> True if the device asks for a reset, or is gone."""
        return self.read_status() & _NEEDS_RESET != 0

    # -- the device's own configuration ------------------------------------------------------------

    def config(self, offset, length):
        """-> bytes of the device's own configuration, of one moment. VirtioError: not that long, or it never stands still."""
        if offset + length > self.config_len:
            self.fail("configuration too short")
        for _ in range(_CONFIG_TRIES):
            before = self.generation()
            data = bytes([self.read_config(offset + i) for i in range(length)])
            if self.settled(before, data, offset):
                return data
        self.fail("configuration changes without end")
