"""Virtio network card: the NIC that port/modnetif.c and net/iface.py stand on.

Source: Virtual I/O Device 1.2, 5.1 (device type 1). Not used: packed rings, several queue pairs, hash reports.
A NIC has mac, mtu, csum, tx, start(), stop(), poll(), transmit(), link() and stats(); docs/drivers.md says more.
The device writes the buffers of the receive queue and reads those of the transmit queue and of the control queue.
It may break any promise at any time: it is then reset, touches our memory no more, and `broken` says why.
"""

# SPDX-License-Identifier: BSD-3-Clause

import array
import time

import irq
import virtq
from drivers import virtio, virtqueue
from drivers.msix import MSIX
from micropython import const

_TYPE = const(1)
_F_CSUM = 1 << 0  # the device completes checksums
_F_GUEST_CSUM = 1 << 1  # frames may come in without
_F_MTU = 1 << 3
_F_MAC = 1 << 5
_F_GUEST_TSO4 = 1 << 7  # frames may come in that are several segments of TCP
_F_GUEST_TSO6 = 1 << 8
_F_HOST_TSO4 = 1 << 11  # frames may go out that the device cuts into segments of TCP
_F_HOST_TSO6 = 1 << 12
_F_MRG_RXBUF = 1 << 15
_F_STATUS = 1 << 16
_F_CTRL_VQ = 1 << 17
_F_CTRL_RX = 1 << 18
_F_GUEST_ANNOUNCE = 1 << 21
_F_CTRL_MAC_ADDR = 1 << 23
_GUEST_TSO = _F_GUEST_TSO4 | _F_GUEST_TSO6
_HOST_TSO = _F_HOST_TSO4 | _F_HOST_TSO6
_CONTROL = _F_CTRL_VQ | _F_CTRL_RX | _F_GUEST_ANNOUNCE | _F_CTRL_MAC_ADDR
_RINGS = virtio.F_EVENT_IDX | virtio.F_ACCESS_PLATFORM | virtio.F_ANY_LAYOUT
_WANTED = _F_CSUM | _F_GUEST_CSUM | _F_MTU | _F_STATUS | _F_MRG_RXBUF | _GUEST_TSO | _HOST_TSO | _CONTROL | _RINGS

_CONFIG_MAC = const(0)  # 6 bytes
_CONFIG_STATUS = const(6)  # 16
_STATUS_LINK_UP = const(1)
_STATUS_ANNOUNCE = const(2)
_CONFIG_MTU = const(10)  # 16

_RX, _TX, _CTRL = const(0), const(1), const(2)  # queues
_BUFFERS_MAX = const(256)  # of each queue
_BUFFER_LEN = const(2048)
_MERGED_LEN = const(4096)  # where a frame may take several: 17 of them for the longest
_FIRST = const(32)  # receive buffers that the device has from the start: room for the longest frame. Frames bring it more
_QUEUE_BYTES = const(1 << 20)  # buffers of one queue at most, for frames that are long
_FRAME_HEAD = const(18)  # Ethernet, with a VLAN's tag
_MTU = const(1500)
_MTU_LEAST = const(1280)  # IPv6
_MTU_MOST = const(9216)
_LAST_MS = const(100)  # for the last frames to go out; QEMU takes a few, a busy host more


class VirtioNet:
    """A network card. VirtioError: the device is not one that can be used."""

    def __init__(self, function):
        self.tx = array.array("Q", [0])
        self.broken = None  # why it was given up
        self.asked = False  # the host asks that we announce ourselves
        self._link = self._stale = True
        self._on_event = None
        self._vectors = ()
        self._queues = ()
        self._control = None
        self._device = device = virtio.transport(function)
        try:
            self._msix = MSIX(function)
        except ValueError as e:
            device.fail("no interrupts: %s" % e)
        self._msix.enable()  # moves the registers of a legacy device
        self._needed = _F_MAC | device.base_features
        self._features = self._negotiate(_WANTED)
        self.csum = self._features & _F_CSUM != 0
        self.cuts = (self._features & _F_HOST_TSO4 != 0) + 2 * (self._features & _F_HOST_TSO6 != 0)
        self.mac = self._own_mac = device.config(_CONFIG_MAC, 6)
        if self.mac[0] & 1 or self.mac == bytes(6):
            device.fail("MAC is no station's")
        self.mtu = self._mtu()

    def _negotiate(self, wanted):
        """-> features that fit together: what one stands on is there (5.1.3.1)."""
        features = self._device.negotiate(wanted, self._needed)
        bad = 0
        if not features & _F_GUEST_CSUM or not features & _F_MRG_RXBUF:
            bad |= _GUEST_TSO
        if not features & _F_CSUM or self._apart(features):
            bad |= _HOST_TSO
        if not features & _F_CTRL_VQ:
            bad |= _CONTROL
        if not features & _F_STATUS:
            bad |= _F_GUEST_ANNOUNCE
        fitting = features & ~bad
        if fitting != features and self._device.negotiate(fitting, self._needed) != fitting:
            self._device.fail("features change")
        return fitting

    def _apart(self, features):
        """-> True if headers want a descriptor of their own."""
        return self._device.legacy and not features & virtio.F_ANY_LAYOUT

    def _mtu(self):
        if not self._features & _F_MTU:
            return _MTU
        mtu = int.from_bytes(self._device.config(_CONFIG_MTU, 2), "little")
        if mtu < _MTU_LEAST:
            self._device.fail("MTU %d is too small" % mtu)
        return min(mtu, _MTU_MOST)

    # -- life ------------------------------------------------------------------------------------

    def start(self, on_event, stack):
        """Bring the device up. Frames are given to stack.input(), and stack.settle() is called behind them (virtq.Pump);

        on_event() is called softly where more are there, or the link may have changed, or the device broke a promise."""
        self.stop()
        self.broken = None
        self._stale = True
        self._on_event = on_event
        try:
            self._start(stack)
        except BaseException:
            self._release()
            raise

    def _start(self, stack):
        device, features = self._device, self._features
        device.function.enable()
        self._msix.enable()
        if device.negotiate(features, self._needed) != features:
            device.fail("features change")
        self._make_queues()
        rx, tx = self._queues[:2]
        queue_vector, config_vector = self._route(virtq.Pump(rx.ring, tx.ring, stack.input, stack.settle, self._on_event))
        device.config_vector(config_vector)
        for index, queue in enumerate(self._queues):
            device.attach(index, queue, queue_vector if index != _CTRL else virtio.NO_VECTOR)
        self.transmit, self.hold, self.send_held, self.notify = tx.ring.send, tx.ring.hold, tx.ring.send_held, tx.ring.notify
        device.ready()
        self._tell_mac()

    def _route(self, pump):
        """-> entries of MSI-X for the queues and for the configuration: one each, or one for both."""
        if self._msix.count < 2:
            self._vectors = [irq.alloc(self._interrupt)]
        else:
            self._vectors = [irq.alloc(pump)]
            self._vectors.append(irq.alloc(self._interrupt))
        for entry, vector in enumerate(self._vectors):
            self._msix.route(entry, irq.message(vector))
        return 0, len(self._vectors) - 1

    def _make_queues(self):
        device, features = self._device, self._features
        event_idx = features & virtio.F_EVENT_IDX != 0
        merge = features & _F_MRG_RXBUF != 0
        header_len = 12 if merge else device.header_len
        apart = self._apart(features)
        frame_len = header_len + _FRAME_HEAD + self.mtu + 7 & ~7

        def shape(index, least):
            size = device.queue_size(index, _BUFFERS_MAX)
            buffer_len = max(_BUFFER_LEN, least)
            count = min(size >> apart, _BUFFERS_MAX, max(_QUEUE_BYTES // buffer_len, 16))
            if not count:
                device.fail("queue %d is too small" % index)
            return (size, event_idx, device.ring_align), count, buffer_len, header_len

        self._queues = queues = []
        queues.append(virtqueue.Receiver(*shape(_RX, _MERGED_LEN if merge else frame_len), apart and not merge, merge))
        queues.append(virtqueue.Sender(*shape(_TX, frame_len), self.tx, self._interrupt, apart))
        if features & _F_CTRL_VQ:
            from drivers.virtio_control import Control

            size = device.queue_size(_CTRL, Control.SIZE)
            if size < Control.LEAST:
                device.fail("queue %d is too small" % _CTRL)
            self._control = Control((size, event_idx, device.ring_align))
            queues.append(self._control)

    def _tell_mac(self):
        """Tell the card of the address that it was given."""
        device = self._device
        if self.mac != self._own_mac:
            if self._features & _F_CTRL_MAC_ADDR:
                if not self._control.set_mac(self.mac):
                    device.fail("another MAC is refused")
            elif device.legacy:
                device.set_config(_CONFIG_MAC, self.mac)

    def open(self):
        """Let frames in, then say which need not come: the first is not kept waiting for that. Fails whole, as start()."""
        rx = self._queues[_RX].ring
        rx.supply(_FIRST)
        rx.kick()
        rx.listen()
        try:
            if self._features & _F_CTRL_RX:
                self._control.filter()
        except BaseException:
            self._release()
            raise

    def stop(self):
        """The device touches no memory and does not interrupt any more. VirtioError: it had to be cut off for that."""
        if self._queues:
            if not self.broken:
                self._drain()
            self._release()

    def _drain(self):
        """Wait until the device has sent what it was given, for a time: a server's last words to its clients, say."""
        ring = self._queues[_TX].ring
        start = time.ticks_ms()
        while ring.reclaim() and any(ring.held()) and time.ticks_diff(time.ticks_ms(), start) < _LAST_MS:
            pass

    def _release(self):
        """Undo what start() did, as far as it came."""
        self.tx[0] = 0
        queues, self._queues = self._queues, ()
        vectors, self._vectors = self._vectors, ()
        try:
            self._device.reset()
        finally:
            self._msix.enable(False)
            self._device.function.enable(False)
            for vector in vectors:
                irq.free(vector)
            for queue in queues:
                queue.release()

    def _interrupt(self, vector):
        """Not of a frame alone: the configuration may have changed, or a frame could not be sent."""
        self._stale = True
        if self._queues:
            self._on_event()

    # -- frames ------------------------------------------------------------------------------------

    # transmit(length, csum), hold(length), send_held(csum, gso) and notify(), from start() on: those of virtq.Sender.

    def poll(self, handle, budget):
        """Call handle(address, length, info) for up to budget frames that came in (virtq.Receiver.receive). -> how many.

        Fewer than the budget: no more are there, and the next one interrupts.
        """
        if not self._queues or self.broken:
            return self._give_up()
        rx, tx = self._queues[_RX].ring, self._queues[_TX].ring
        count = virtq.poll(rx, tx, handle, budget)
        if count < 0:
            self.broken = "%s queue: an answer to nothing" % ("transmit" if tx.broken() else "receive")
            return self._give_up()
        return count

    def _give_up(self):
        if self._queues:
            try:
                self.stop()
            except virtio.VirtioError as e:
                self.broken = "%s; %s" % (self.broken, e)
        return 0

    # -- state ---------------------------------------------------------------------------------------

    def link(self):
        """-> True if the cable is in. Asks the device only where its configuration may have changed."""
        if self.broken or not self._queues:
            return False
        if self._stale:
            self._stale = False
            try:
                self._look()
            except virtio.VirtioError as e:
                self.broken = str(e)
                self._give_up()
                return False
        return self._link

    def _look(self):
        if self._device.broken():
            raise virtio.VirtioError("device asks for a reset")
        if self._features & _F_STATUS:
            status = self._device.config(_CONFIG_STATUS, 2)[0]
            self._link = status & _STATUS_LINK_UP != 0
            self.asked = status & _STATUS_ANNOUNCE != 0 and self._features & _F_GUEST_ANNOUNCE != 0

    def announced(self):
        """Say that we did what was asked."""
        self.asked = False
        try:
            self._control.announced()
        except OSError as e:
            self.broken = str(e)
            self._give_up()

    def stats(self):
        """-> what the driver knows beside the counters of netif: the reason if the device was given up."""
        return {"broken": self.broken} if self.broken else {}


def probe(functions):
    """-> a VirtioNet for the first network card of these PCI functions, or None."""
    for function in functions:
        if virtio.kind(function) == _TYPE:
            return VirtioNet(function)
    return None
