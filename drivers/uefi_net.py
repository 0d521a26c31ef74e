"""A network card that the firmware drives: EFI_SIMPLE_NETWORK_PROTOCOL as a NIC, in firmware mode.

Source: UEFI 2.10, 24.1 (protocol; 24.1.2: Mode), 14.4 (PCI I/O protocol). The NIC's surface: docs/drivers.md.
Nothing interrupts: irq.tick() polls at the firmware's own tick. Checksums and frames are all ours, headers included.
Not here: PXE, VLANs, statistics of the firmware. Its drivers that stand on the card are disconnected for as long,
connected again by stop(). Mode and the answers of GetStatus and Receive are the firmware's: each is read once and checked.
The firmware reads the buffers of transmit until GetStatus gives them back, and writes the one of receive.
"""

# SPDX-License-Identifier: BSD-3-Clause

import array
import struct
import time

import efi
import irq
import mem
from drivers.efi import EFIError, check, read
from drivers.efi_boot import BootServices
from micropython import const

_NETWORK = b"\xb9\x32\x98\xa1\x25\xac\xd3\x11\x9a\x2d\x00\x90\x27\x3f\xc1\x4d"  # a19832b9-ac25-11d3-9a2d-0090273fc14d
_PCI_IO = b"\x00\xb2\xf5\x4c\xb8\x68\xa5\x4c\x9e\xec\xb2\x3e\x3f\x50\x02\x9a"  # 4cf5b200-68b8-4ca5-9eec-b23e3f50029a
_PCI_READ = const(48)  # offset in it; width, offset, count, buffer
_PCI_UINT32 = const(2)
_PCI_CLASS = const(8)
_CLASS_NETWORK = const(2)

# Offsets in EFI_SIMPLE_NETWORK_PROTOCOL, each a function's address but the last.
_START = const(8)
_STOP = const(16)
_INITIALIZE = const(24)
_SHUTDOWN = const(40)
_RECEIVE_FILTERS = const(48)
_STATION_ADDRESS = const(56)
_GET_STATUS = const(88)
_TRANSMIT = const(96)
_RECEIVE = const(104)
_MODE = const(120)
_PROTOCOL_LEN = const(128)

# Offsets in EFI_SIMPLE_NETWORK_MODE.
_STATE = const(0)  # u32
_STATE_STOPPED, _STATE_INITIALIZED = const(0), const(2)
_ADDRESS_LEN = const(4)  # u32
_HEADER_LEN = const(8)  # u32
_PACKET_MAX = const(12)  # u32, without the header
_FILTERS = const(24)  # u32, those that there are
_UNICAST, _BROADCAST, _PROMISCUOUS, _ALL_MULTICAST = const(1), const(4), const(8), const(16)
_ADDRESS = const(552)  # 32 bytes
_TYPE = const(648)  # u8
_TYPE_ETHERNET = const(1)
_CHANGEABLE = const(649)  # u8
_MEDIA_KNOWN = const(651)  # u8
_MEDIA = const(652)  # u8
_MODE_LEN = const(656)

_ETHERNET_HEADER = const(14)
_MTU, _MTU_LEAST = const(1500), const(1280)
_BUFFER_LEN = const(2048)
_BUFFERS = const(32)  # of transmit
_LAST_MS = const(100)  # for the last frames to go out
_TICK_MS = const(1)  # the firmware makes it its own, 10 ms
_NOT_READY = const(0x8000000000000006)


class UEFINet:
    """The card of one handle. EFIError: it is none that can be used."""

    csum = False
    asked = False  # nobody asks to be announced

    def __init__(self, services, handle):
        self.tx = array.array("Q", [0])
        self.broken = None  # why it was given up
        self._services = services
        self._handle = handle
        self._tick = self._memory = None
        self._lost = 0
        self._at = services.protocol(handle, _NETWORK)
        self._table = read(self._at, _PROTOCOL_LEN, "network protocol")
        self._mode_at = struct.unpack_from("<Q", self._table, _MODE)[0]
        mode = self._mode()
        kind, address_len, header_len, most = mode[_TYPE], self._u32(mode, _ADDRESS_LEN), self._u32(mode, _HEADER_LEN), self._u32(mode, _PACKET_MAX)
        if (kind, address_len, header_len) != (_TYPE_ETHERNET, 6, _ETHERNET_HEADER):
            raise EFIError("network card is no Ethernet")
        if most < _MTU_LEAST:
            raise EFIError("packets of %d bytes are too small" % most)
        self.mtu = min(most, _MTU)
        self._media_known = mode[_MEDIA_KNOWN]
        self._out = bytearray(8)
        self.mac = self._own_mac = mode[_ADDRESS : _ADDRESS + 6]
        if self.mac[0] & 1 or self.mac == bytes(6):
            raise EFIError("MAC is no station's")

    def _mode(self):
        return read(self._mode_at, _MODE_LEN, "network mode")

    @staticmethod
    def _u32(mode, offset):
        return struct.unpack_from("<I", mode, offset)[0]

    def _call(self, offset, *args):
        return efi.call(struct.unpack_from("<Q", self._table, offset)[0], self._at, *args)

    # -- life ------------------------------------------------------------------------------------

    def start(self, on_event, stack):
        """Take the card from the firmware's drivers and bring it up; on_event() is called softly at each tick, and polls."""
        self.stop()
        self.broken = None
        if self._services.take(self._handle, _NETWORK) != self._at:
            raise EFIError("network protocol moved")
        self._memory = mem.dma((_BUFFERS + 1) * _BUFFER_LEN)
        try:
            self._begin()
            self._tick = irq.tick(lambda number: on_event(), _TICK_MS)
        except BaseException:
            self.stop()
            raise

    def open(self):
        """Frames come in from start() on: the ticks that look for them find the stack ready, or drop them."""

    def _begin(self):
        self._shut_down()
        check(self._call(_START), "network Start")
        check(self._call(_INITIALIZE, 0, 0), "network Initialize")
        mode = self._mode()
        foreign = self.mac != self._own_mac
        if foreign and mode[_CHANGEABLE]:
            foreign = self._call(_STATION_ADDRESS, 0, self.mac + bytes(26)) != 0
        there = self._u32(mode, _FILTERS)
        wanted = there & (_UNICAST | _BROADCAST | _ALL_MULTICAST)
        if foreign or not there & _ALL_MULTICAST:
            wanted |= there & _PROMISCUOUS
        if foreign and not wanted & _PROMISCUOUS:
            raise EFIError("the card takes no other MAC")
        check(self._call(_RECEIVE_FILTERS, wanted, 0, 0, 0, None), "network ReceiveFilters")
        self._received = self._memory.addr
        self._free = [self._memory.addr + _BUFFER_LEN * i for i in range(1, _BUFFERS + 1)]
        self._sent = set()
        self.tx[0] = self._free.pop()

    def _shut_down(self):
        """Bring the card into the state in which it was never started."""
        state = self._u32(self._mode(), _STATE)
        if state == _STATE_INITIALIZED:
            check(self._call(_SHUTDOWN), "network Shutdown")
        if state != _STATE_STOPPED:
            check(self._call(_STOP), "network Stop")

    def stop(self):
        """Give the card back to the firmware. EFIError: it will not have it."""
        self.tx[0] = 0
        tick, self._tick = self._tick, None
        if tick:
            irq.free(tick)
        memory, self._memory = self._memory, None
        if memory:
            try:
                if efi.boot_services():
                    self._drain()
                    self._shut_down()
                    self._services.give_back(self._handle, _NETWORK)
            finally:
                memory.free()

    def _drain(self):
        """Wait until the card has sent what it was given, for a time."""
        start = time.ticks_ms()
        while self._sent and self._alive() and time.ticks_diff(time.ticks_ms(), start) < _LAST_MS:
            self._reclaim()

    # -- frames ------------------------------------------------------------------------------------

    def transmit(self, length, csum):
        """Send the frame of that length that lies at tx[0]; tx[0] then says where the next one goes, or 0: nowhere yet."""
        buffer = self.tx[0]
        self._reclaim()
        if self._alive() and self._call(_TRANSMIT, 0, length, buffer, None, None, None):
            self._lost += 1  # the card is busy: the frame is lost like one on the wire
            return
        self._sent.add(buffer)
        self.tx[0] = self._free.pop() if self._free else 0

    def _alive(self):
        if not efi.boot_services():
            self.broken = "boot services were exited"
        if self.broken:
            self.tx[0] = 0
        return not self.broken

    def _reclaim(self):
        """Take back what was sent: GetStatus names one buffer at a time."""
        out = self._out
        for _ in range(_BUFFERS + 1):
            struct.pack_into("<Q", out, 0, 0)
            if not self._alive() or self._call(_GET_STATUS, None, out):
                return
            buffer = struct.unpack("<Q", out)[0]
            if not buffer:
                return
            if buffer not in self._sent:
                self.broken = "GetStatus: a buffer that was not sent"
                self.tx[0] = 0
                return
            self._sent.remove(buffer)
            self._free.append(buffer)

    def poll(self, handle, budget):
        """Call handle(address, length, 0) for up to budget frames that came in. -> how many."""
        if not self._memory or not self._alive():
            return self._give_up()
        size = self._out
        for count in range(budget):
            struct.pack_into("<Q", size, 0, _BUFFER_LEN)
            status = self._call(_RECEIVE, None, size, self._received, None, None, None)
            length = struct.unpack("<Q", size)[0]
            if status == _NOT_READY:
                break
            if status or not _ETHERNET_HEADER <= length <= _BUFFER_LEN:
                self.broken = "Receive: status 0x%x, %d bytes" % (status, length)
                return self._give_up()
            handle(self._received, length, 0)  # may send, which uses _out as well
        else:
            count = budget
        self._reclaim()
        if not self.tx[0] and self._free:
            self.tx[0] = self._free.pop()
        return self._give_up() if self.broken else count

    def _give_up(self):
        try:
            self.stop()
        except EFIError as e:
            self.broken = "%s; %s" % (self.broken, e)
        return 0

    # -- state ---------------------------------------------------------------------------------------

    def link(self):
        """-> True if the cable is in, as far as the firmware knows."""
        if not self._memory or not self._alive():
            return False
        return not self._media_known or mem.r8(self._mode_at + _MEDIA) != 0

    def stats(self):
        """-> what the driver knows beside the counters of netif."""
        out = {"frames that the card did not take": self._lost} if self._lost else {}
        if self.broken:
            out["broken"] = self.broken
        return out


def probe(system_table):
    """-> a UEFINet for the first network card that the firmware drives, or None. EFIError: none of them can be used."""
    services = BootServices(system_table.boot_services)
    failure = None
    for handle in services.handles(_NETWORK) or _connected(services):
        try:
            return UEFINet(services, handle)
        except EFIError as e:
            failure = e
    if failure:
        raise failure
    return None


def _connected(services):
    """Let the firmware's drivers take the network cards that they have left alone. -> handles."""
    for handle in services.handles(_PCI_IO):
        pci_io, code = services.protocol(handle, _PCI_IO), bytearray(4)
        function = struct.unpack("<Q", read(pci_io + _PCI_READ, 8, "PCI I/O protocol"))[0]
        if efi.call(function, pci_io, _PCI_UINT32, _PCI_CLASS, 1, code) == 0 and code[3] == _CLASS_NETWORK:
            services.connect(handle)
    return services.handles(_NETWORK)
