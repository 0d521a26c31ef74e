"""Virtio network card: the NIC that port/modnetif.c and net/iface.py stand on.

Source: Virtual I/O Device 1.2, 5.1 (device type 1). Not used: merged receive buffers, segmentation
offload, the control queue, several queue pairs. Buffers of 2048 bytes hold a header of 12 and a
frame; the device writes those of the receive queue and reads those of the transmit queue.
"""

# SPDX-License-Identifier: BSD-3-Clause

import array

import irq
from drivers import virtio, virtqueue
from drivers.msix import MSIX
from micropython import const

_TYPE = const(1)
_F_CSUM = 1 << 0  # the device completes checksums
_F_GUEST_CSUM = 1 << 1  # frames may come in without
_F_MTU = 1 << 3
_F_MAC = 1 << 5
_F_STATUS = 1 << 16
_WANTED = _F_CSUM | _F_GUEST_CSUM | _F_MTU | _F_STATUS | virtio.F_EVENT_IDX | virtio.F_ACCESS_PLATFORM
_NEEDED = _F_MAC | virtio.F_VERSION_1

_CONFIG_MAC = const(0)  # 6 bytes
_CONFIG_STATUS = const(6)  # 16
_STATUS_LINK_UP = const(1)
_CONFIG_MTU = const(10)  # 16

_HEADER_LEN = const(12)
_RX, _TX = const(0), const(1)
_QUEUE_MAX = const(256)
_MTU = const(1500)
_MTU_LEAST = const(1280)  # IPv6


class VirtioNet:
    """A network card. VirtioError: the device is not one that can be used."""

    def __init__(self, function):
        self.tx = array.array("Q", [0])
        self.broken = None  # why it was given up
        self._on_event = None
        self._vector = None
        self._queues = ()
        self._device = device = virtio.Device(function)
        self._msix = MSIX(function)
        self._features = device.negotiate(_WANTED, _NEEDED)
        self.csum = self._features & _F_CSUM != 0
        self.mac = device.config(_CONFIG_MAC, 6)
        if self.mac[0] & 1 or self.mac == bytes(6):
            device.fail("MAC is no station's")
        self.mtu = self._mtu()

    def _mtu(self):
        if not self._features & _F_MTU:
            return _MTU
        mtu = int.from_bytes(self._device.config(_CONFIG_MTU, 2), "little")
        if mtu < _MTU_LEAST:
            self._device.fail("MTU %d is too small" % mtu)
        return min(mtu, _MTU)

    # -- life ------------------------------------------------------------------------------------

    def start(self, on_event):
        """Bring the device up; on_event() is called softly when frames, room or a change of the link may be there."""
        self.stop()
        device = self._device
        device.function.enable()
        if device.negotiate(_WANTED, _NEEDED) != self._features:
            device.fail("features change")
        self._on_event = on_event
        self.broken = None
        self._vector = irq.alloc(self._interrupt)
        self._msix.route(0, irq.message(self._vector))
        self._msix.enable()
        event_idx = self._features & virtio.F_EVENT_IDX != 0
        self._queues = [virtqueue.Queue(device.queue_size(i, _QUEUE_MAX), i == _RX, event_idx) for i in (_RX, _TX)]
        device.config_vector(0)
        for i, queue in enumerate(self._queues):
            device.attach(i, queue, 0)
        rx, tx = self._queues
        self._tx_words = (tx.state, tx.held, tx.free)
        rx.post_all()
        device.ready()
        rx.kick()
        virtqueue._listen(tx.state, -1)
        virtqueue.next_tx(tx.state, tx.free, self.tx, _HEADER_LEN)

    def stop(self):
        """The device touches no memory and does not interrupt any more."""
        self.tx[0] = 0
        if self._queues:
            try:
                self._device.reset()
            finally:
                self._msix.enable(False)
                self._device.function.enable(False)
                irq.free(self._vector)
                queues, self._queues = self._queues, ()
                for queue in queues:
                    queue.release()

    def _interrupt(self, vector):
        if self._queues:
            self._on_event()

    # -- frames ------------------------------------------------------------------------------------

    def transmit(self, length, csum):
        """Send the frame of that length that lies at tx[0]; tx[0] then says where the next one goes, or 0: nowhere yet."""
        state, held, free = self._tx_words
        virtqueue.send(state, held, free, self.tx, _HEADER_LEN, length, csum)
        if not self.tx[0]:
            self._reclaim()

    def _reclaim(self):
        tx = self._queues[_TX]
        if virtqueue.reclaim(*self._tx_words) < 0:
            self.tx[0] = 0
            self.broken = "transmit queue: an answer to nothing"
            return
        virtqueue.next_tx(tx.state, tx.free, self.tx, _HEADER_LEN)
        if not self.tx[0]:
            virtqueue._listen(tx.state, tx.size // 2)

    def poll(self, handle, budget):
        """Call handle(address, length, checked) for up to budget frames that came in. -> how many.

        0: there are none, and the next one interrupts.
        """
        if not self._queues or self.broken:
            return self._give_up()
        rx = self._queues[_RX]
        count = rx.receive(handle, _HEADER_LEN, budget)
        if not count and rx.listen():
            count = rx.receive(handle, _HEADER_LEN, budget)
        if count < 0:
            self.broken = "receive queue: an answer to nothing"
        if not self.broken:
            self._reclaim()
        if self.broken:
            return self._give_up()
        if count:
            rx.kick()
        return count

    def _give_up(self):
        if self._queues:
            self.stop()
        return 0

    # -- state ---------------------------------------------------------------------------------------

    def link(self):
        """-> True if the cable is in."""
        if self.broken:
            return False
        if not self._features & _F_STATUS:
            return True
        return self._device.config(_CONFIG_STATUS, 2)[0] & _STATUS_LINK_UP != 0

    def stats(self):
        """-> what the driver knows beside the counters of netif: the reason if the device was given up."""
        return {"broken": self.broken} if self.broken else {}


def probe(functions):
    """-> a VirtioNet for the first network card of these PCI functions, or None."""
    for function in functions:
        if virtio.kind(function) == _TYPE:
            return VirtioNet(function)
    return None
