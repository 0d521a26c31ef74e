"""Virtio over PCI, the legacy interface: registers in I/O space, as version 0.9.5 had them.

Source: Virtual I/O Device 1.2, 4.1.4.10 (registers), 2.7.2 (layout of the ring), 2.4.3 (no generation), 5.1.6.1 (header).
The size of a queue is the device's alone and its ring one piece of memory with the used part on a page of its own.
With MSI-X in use, which it always is here, two registers more stand before the device's configuration.
The device writes and reads our memory without asking an IOMMU: never under memory encryption.
"""

# SPDX-License-Identifier: BSD-3-Clause

import cpu
from drivers import virtio
from micropython import const

_FEATURES = const(0x00)  # 32, read
_DRIVER_FEATURES = const(0x04)  # 32
_QUEUE_ADDRESS = const(0x08)  # 32, in pages
_QUEUE_SIZE = const(0x0C)  # 16, read
_QUEUE_SELECT = const(0x0E)  # 16
_QUEUE_NOTIFY = const(0x10)  # 16
_STATUS = const(0x12)  # 8
_CONFIG_VECTOR = const(0x14)  # 16, with MSI-X only
_QUEUE_VECTOR = const(0x16)  # 16, as above
_CONFIG = const(0x18)

_PAGE_SHIFT = const(12)
_SIZE_MAX = const(1024)  # descriptors; the device's word, which we must take as it is


class Legacy(virtio.Transport):
    """The registers of one device. VirtioError: they are not where they should be."""

    legacy = True
    ring_align = 1 << _PAGE_SHIFT
    header_len = 10  # two bytes more with merged receive buffers
    base_features = 0
    reach = 1 << 44  # bytes of memory: 32 bits of pages

    def __init__(self, function):
        super().__init__(function)
        bar = function.bars()[0]
        if not bar or bar.kind != "io" or not bar.addr:
            raise virtio.VirtioError("no registers in I/O space")
        length = function.bar_len(0)
        if length <= _CONFIG or bar.addr + length > 0x10000:
            raise virtio.VirtioError("registers of %d bytes at 0x%x" % (length, bar.addr))
        self._port = bar.addr
        self.config_len = length - _CONFIG

    # -- registers ---------------------------------------------------------------------------------

    def read_status(self):
        return cpu.in8(self._port + _STATUS)

    def write_status(self, status):
        cpu.out8(self._port + _STATUS, status)

    def read_features(self):
        return cpu.in32(self._port + _FEATURES)

    def write_features(self, features):
        cpu.out32(self._port + _DRIVER_FEATURES, features)

    def queue_size(self, index, most):
        """-> the size of a queue, a power of two, whatever `most` says. VirtioError: there is no such queue."""
        cpu.out16(self._port + _QUEUE_SELECT, index)
        size = cpu.in16(self._port + _QUEUE_SIZE)
        if not size or size & size - 1 or size > _SIZE_MAX:
            self.fail("no queue %d" % index)
        return size

    def attach(self, index, queue, vector):
        """Step 7 for one queue, of the size that queue_size() gave; entry `vector` of MSI-X, or NO_VECTOR."""
        port, page = self._port, queue.desc >> _PAGE_SHIFT
        if queue.desc >= self.reach:
            self.fail("queue %d: memory out of reach" % index)
        cpu.out16(port + _QUEUE_SELECT, index)
        cpu.out16(port + _QUEUE_VECTOR, vector)
        if cpu.in16(port + _QUEUE_VECTOR) != vector:
            self.fail("queue %d: interrupt refused" % index)
        queue.bind(port + _QUEUE_NOTIFY, True, index)
        cpu.out32(port + _QUEUE_ADDRESS, page)

    def config_vector(self, vector):
        """Let changes of the configuration interrupt through that entry of MSI-X."""
        cpu.out16(self._port + _CONFIG_VECTOR, vector)
        if cpu.in16(self._port + _CONFIG_VECTOR) != vector:
            self.fail("interrupt of the configuration refused")

    # -- the device's own configuration -----------------------------------------------------------------

    def generation(self):
        return None

    def settled(self, before, data, offset):
        """-> True if a second look finds the same."""
        return all(self.read_config(offset + i) == data[i] for i in range(len(data)))

    def read_config(self, offset):
        return cpu.in8(self._port + _CONFIG + offset)

    def set_config(self, offset, data):
        """Write bytes of the configuration: a card of this kind takes its MAC so."""
        for i in range(len(data)):
            cpu.out8(self._port + _CONFIG + offset + i, data[i])
