"""drivers/uefi_net.py over a firmware made of Python, which is honest, or lies in Mode and in its answers."""

import struct

import efi
import irq
import mem
import ram
import tables
from check import raises, run, same

ram.install()  # before what imports it

from drivers import uefi_net
from drivers.efi import EFIError, SystemTable

BOOT, PROTOCOL, MODE, HANDLES, FUNCTION = 0x24000, 0x40000, 0x41000, 0x42000, 0x50000
MAC = b"\x52\x54\x00\x00\x00\x09"
NOT_READY, UNSUPPORTED = 1 << 63 | 6, 1 << 63 | 3


class Firmware:
    """One card behind EFI_SIMPLE_NETWORK_PROTOCOL."""

    def __init__(self):
        mem.reset()
        ram.live.clear()
        irq.ticks.clear()
        efi.functions.clear()
        efi.state["alive"] = True
        tables.system_table()
        self.frames, self.sent, self.calls, self.filters = [], [], [], 0
        self.reclaimed = self.length = None
        boot = bytearray(376)
        boot[:8] = b"BOOTSERV"
        for offset, function in ((72, lambda a: 0), (264, self.connect), (280, self.open), (288, self.close), (312, self.locate)):
            self.place(boot, offset, FUNCTION + offset, function)
        mem.add(BOOT, boot)
        mem.add(HANDLES, struct.pack("<Q", 0x77))
        protocol = bytearray(128)
        names = ((8, self.start), (16, self.stop), (24, self.initialize), (40, self.shutdown), (48, self.receive_filters))
        names += ((56, lambda *a: UNSUPPORTED), (88, self.get_status), (96, self.transmit), (104, self.receive))
        for offset, function in names:
            self.place(protocol, offset, FUNCTION + 0x1000 + offset, function)
        struct.pack_into("<Q", protocol, 120, MODE)
        mem.add(PROTOCOL, protocol)
        self.mode = mem.add(MODE, 656)
        struct.pack_into("<IIII", self.mode, 0, 0, 6, 14, 1500)
        struct.pack_into("<I", self.mode, 24, 0x1F)
        self.mode[552:558] = MAC
        self.mode[648:653] = b"\x01\x00\x00\x01\x01"

    def place(self, table, offset, address, function):
        struct.pack_into("<Q", table, offset, address)
        efi.functions[address] = function

    # -- boot services ---------------------------------------------------------------------------

    def locate(self, how, guid, key, count, buffer):
        struct.pack_into("<Q", count, 0, 1)
        struct.pack_into("<Q", buffer, 0, HANDLES)
        return 0

    def open(self, handle, guid, out, agent, controller, attributes):
        self.calls.append("take" if attributes == 0x20 else "open")
        struct.pack_into("<Q", out, 0, PROTOCOL)
        return 0

    def close(self, handle, guid, agent, controller):
        self.calls.append("close")
        return 0

    def connect(self, handle, *rest):
        self.calls.append("connect")
        return 0

    # -- the card ------------------------------------------------------------------------------------

    def state(self, value):
        self.mode[0] = value
        return 0

    def start(self, card):
        assert self.mode[0] == 0
        return self.state(1)

    def stop(self, card):
        assert self.mode[0] == 1
        return self.state(0)

    def initialize(self, card, a, b):
        return self.state(2)

    def shutdown(self, card):
        assert self.mode[0] == 2
        return self.state(1)

    def receive_filters(self, card, on, *rest):
        self.filters = on
        return 0

    def get_status(self, card, interrupts, buffer):
        if self.reclaimed is None:
            self.reclaimed = self.sent[0][0] if self.sent else 0
        struct.pack_into("<Q", buffer, 0, self.reclaimed)
        if self.sent and self.reclaimed:
            self.sent.pop(0)
        self.reclaimed = None
        return 0

    def transmit(self, card, header, length, buffer, *rest):
        if len(self.sent) > 3:
            return NOT_READY
        self.sent.append((buffer, bytes(ram.uctypes.bytes_at(buffer, length))))
        return 0

    def receive(self, card, header, size, buffer, *rest):
        if not self.frames:
            return NOT_READY
        frame = self.frames.pop(0)
        ram.uctypes.bytearray_at(buffer, len(frame))[:] = frame
        struct.pack_into("<Q", size, 0, len(frame) if self.length is None else self.length)
        return 0


def probe():
    return uefi_net.probe(SystemTable(efi.system_table()))


def polled(nic):
    frames = []
    nic.poll(lambda addr, length, info: frames.append((bytes(ram.uctypes.bytes_at(addr, length)), info)), 4)
    return frames


def test_life_and_frames():
    firmware = Firmware()
    nic = probe()
    same((nic.mac, nic.mtu, nic.csum, nic.link()), (MAC, 1500, False, False))
    events = []
    nic.start(lambda: events.append(1), None)
    same((firmware.filters, nic.link(), firmware.calls), (0x15, True, ["open", "take"]))
    irq.ring(sorted(irq.ticks)[0])
    same(events, [1])
    firmware.frames = [bytes([i]) * 60 for i in range(6)]
    same(polled(nic), [(bytes([i]) * 60, 0) for i in range(4)])
    same(len(polled(nic)), 2)
    for i in range(100):
        ram.uctypes.bytearray_at(nic.tx[0], 60)[:] = bytes([i]) * 60
        nic.transmit(60, 0)
        same(firmware.sent[-1][1], bytes([i]) * 60)
    firmware.mode[652] = 0
    same(nic.link(), False)
    nic.stop()
    nic.stop()
    same((firmware.mode[0], firmware.calls[2:], len(ram.live), irq.ticks, nic.tx[0]), (0, ["close", "connect"], 0, {}, 0))


def test_card_in_use():
    """The firmware left it initialised: it is taken down first. A foreign MAC makes it listen to all."""
    firmware = Firmware()
    firmware.state(2)
    nic = probe()
    nic.mac = b"\x02\x00\x00\x00\x00\x01"
    nic.start(lambda: None, None)
    same(firmware.filters, 0x1D)
    nic.stop()
    struct.pack_into("<I", firmware.mode, 24, 5)
    same(str(raises(EFIError, lambda: nic.start(lambda: None, None))), "the card takes no other MAC")
    same((firmware.mode[0], len(ram.live), irq.ticks), (0, 0, {}))


def test_busy_card():
    firmware = Firmware()
    nic = probe()
    nic.start(lambda: None, None)
    firmware.get_status = None
    efi.functions[FUNCTION + 0x1000 + 88] = lambda *a: 0  # gives nothing back
    for _ in range(40):
        if nic.tx[0]:
            nic.transmit(60, 0)
    same(nic.stats(), {"frames that the card did not take": 36})


def test_mode_that_lies():
    for offset, data, text in ((648, b"\x06", "no Ethernet"), (4, b"\x08", "no Ethernet"), (8, b"\x10", "no Ethernet"), (12, b"\xff\x04\x00\x00", "too small"),
                               (552, b"\x01", "no station's"), (552, bytes(6), "no station's")):
        firmware = Firmware()
        firmware.mode[offset : offset + len(data)] = data
        error = raises(EFIError, probe)
        assert text in str(error), error
    Firmware()
    mem.regions[:] = [r for r in mem.regions if r[0] != MODE]
    assert "not mapped" in str(raises(EFIError, probe))


def test_answers_that_lie():
    """A length that is none, a buffer that was not sent: the card is given up and goes back."""
    for length in (0, 13, 2049, 1 << 40):
        firmware = Firmware()
        nic = probe()
        nic.start(lambda: None, None)
        firmware.frames, firmware.length = [bytes(60)], length
        same(polled(nic), [])
        assert "Receive" in nic.broken
        same((firmware.mode[0], len(ram.live), irq.ticks, nic.link()), (0, 0, {}, False))
    firmware = Firmware()
    nic = probe()
    nic.start(lambda: None, None)
    nic.transmit(60, 0)
    firmware.reclaimed = 0x1234
    same((polled(nic), nic.broken, nic.tx[0], len(ram.live)), ([], "GetStatus: a buffer that was not sent", 0, 0))


def test_boot_services_go():
    """Their functions are not called any more."""
    firmware = Firmware()
    nic = probe()
    nic.start(lambda: None, None)
    efi.state["alive"] = False
    efi.functions.clear()
    nic.transmit(60, 0)
    same((polled(nic), nic.broken, len(ram.live), irq.ticks), ([], "boot services were exited", 0, {}))
    assert "boot services were exited" in str(raises(EFIError, probe))


run(globals())
