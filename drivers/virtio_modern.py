"""Virtio over PCI, the modern interface: registers in memory, found through capabilities.

Source: Virtual I/O Device 1.2, 4.1.4 (capabilities; 4.1.4.3: common configuration; 4.1.4.4: notification).
Not here: the ISR byte (interrupts are MSI-X), the PCI configuration access capability.
"""

# SPDX-License-Identifier: BSD-3-Clause

import mem
from drivers import virtio
from micropython import const

_CAPABILITY = const(0x09)  # vendor-specific
_CFG_TYPE = const(3)  # 8 bits from the capability's start
_CFG_COMMON = const(1)
_CFG_NOTIFY = const(2)
_CFG_DEVICE = const(4)
_CFG_BAR = const(4)  # 8
_CFG_OFFSET = const(8)  # 32
_CFG_LENGTH = const(12)  # 32
_CFG_MULTIPLIER = const(16)  # 32, of the notify capability
_WINDOW_MAX = const(1 << 20)

_FEATURE_SELECT = const(0)  # 32, of the device's features
_FEATURE = const(4)  # 32
_DRIVER_SELECT = const(8)  # 32
_DRIVER_FEATURE = const(12)  # 32
_CONFIG_VECTOR = const(16)  # 16
_NUM_QUEUES = const(18)  # 16
_STATUS = const(20)  # 8
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


def windows(function):
    """-> list of (type, offset) of each capability that describes a window, empty if what a modern device must have is not there."""
    found = [(function.read8(offset + _CFG_TYPE), offset) for kind, offset in function.capabilities() if kind == _CAPABILITY]
    return found if _CFG_COMMON in [kind for kind, _ in found] else []


class Modern(virtio.Transport):
    """The registers of one device. VirtioError: they are not where they should be."""

    legacy = False
    ring_align = 4  # bytes, of the used ring
    header_len = 12
    base_features = virtio.F_VERSION_1

    def __init__(self, function, windows):
        super().__init__(function)
        bars = function.bars()
        self._common, length, _ = self._window(_CFG_COMMON, windows, bars)
        self._notify, self._notify_len, offset = self._window(_CFG_NOTIFY, windows, bars)
        self._multiplier = function.read32(offset + _CFG_MULTIPLIER)
        self._config, self.config_len, _ = self._window(_CFG_DEVICE, windows, bars)
        if length < _COMMON_LEN:
            raise virtio.VirtioError("common configuration too short")

    def _window(self, wanted, windows, bars):
        """-> (address, length, offset of the capability) of the first window of a type that can be used."""
        function = self.function
        for kind, offset in windows:
            if kind != wanted:
                continue
            number = function.read8(offset + _CFG_BAR)
            bar = bars[number] if number < len(bars) else None
            start, length = function.read32(offset + _CFG_OFFSET), function.read32(offset + _CFG_LENGTH)
            if not bar or bar.kind != "mem" or not bar.addr or not 0 < length <= _WINDOW_MAX:
                continue
            if start + length <= bar.room:
                try:
                    return mem.mmio(bar.addr + start, length), length, offset
                except ValueError:
                    continue  # not where devices are
        raise virtio.VirtioError("no usable window of type %d" % wanted)

    # -- registers ---------------------------------------------------------------------------------

    def read_status(self):
        return mem.r8(self._common + _STATUS)

    def write_status(self, status):
        mem.w8(self._common + _STATUS, status)

    def read_features(self):
        features = 0
        for half in (0, 1):
            mem.w32(self._common + _FEATURE_SELECT, half)
            features |= mem.r32(self._common + _FEATURE) << 32 * half
        return features

    def write_features(self, features):
        for half in (0, 1):
            mem.w32(self._common + _DRIVER_SELECT, half)
            mem.w32(self._common + _DRIVER_FEATURE, features >> 32 * half & 0xFFFFFFFF)

    def queue_size(self, index, most):
        """-> the size of a queue, a power of two, at most `most`. VirtioError: there is no such queue."""
        mem.w16(self._common + _QUEUE_SELECT, index)
        size = mem.r16(self._common + _QUEUE_SIZE)
        if not size or size & size - 1 or index >= mem.r16(self._common + _NUM_QUEUES):
            self.fail("no queue %d" % index)
        return min(size, most)

    def attach(self, index, queue, vector):
        """Step 7 for one queue, whose size queue_size() gave; entry `vector` of MSI-X, or NO_VECTOR."""
        common = self._common
        mem.w16(common + _QUEUE_SELECT, index)
        mem.w16(common + _QUEUE_SIZE, queue.size)
        for register, addr in ((_QUEUE_DESC, queue.desc), (_QUEUE_DRIVER, queue.avail), (_QUEUE_DEVICE, queue.used)):
            mem.w32(common + register, addr & 0xFFFFFFFF)
            mem.w32(common + register + 4, addr >> 32)
        mem.w16(common + _QUEUE_VECTOR, vector)
        if mem.r16(common + _QUEUE_VECTOR) != vector:
            self.fail("queue %d: interrupt refused" % index)
        notify = mem.r16(common + _QUEUE_NOTIFY) * self._multiplier
        if notify + 2 > self._notify_len:
            self.fail("queue %d: notification outside of its window" % index)
        queue.bind(self._notify + notify, False, index)
        mem.w16(common + _QUEUE_ENABLE, 1)

    def config_vector(self, vector):
        """Let changes of the configuration interrupt through that entry of MSI-X."""
        mem.w16(self._common + _CONFIG_VECTOR, vector)
        if mem.r16(self._common + _CONFIG_VECTOR) != vector:
            self.fail("interrupt of the configuration refused")

    # -- the device's own configuration -----------------------------------------------------------------

    def generation(self):
        return mem.r8(self._common + _GENERATION)

    def settled(self, before, data, offset):
        return self.generation() == before

    def read_config(self, offset):
        return mem.r8(self._config + offset)
