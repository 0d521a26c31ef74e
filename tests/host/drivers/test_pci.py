"""drivers/pci.py: both ways to configuration space, bridges, BARs, capabilities, a lying host."""

import random
import struct

import cpu
import mem
import pcibus
import tables
from check import run, same
from drivers import pci
from pcibus import header

Q35 = {
    (0, 0, 0): header(0x8086, 0x29C0, 0x060000),
    (0, 1, 0): header(0x1234, 0x1111, 0x030000, bars=(0xFD000008, 0, 0xFEBD0000)),
    (0, 2, 0): header(0x1B36, 0x000C, 0x060400, kind=0x81, secondary=1),
    (0, 2, 1): header(0x1B36, 0x000C, 0x060400, kind=0x81, secondary=2),
    (0, 31, 0): header(0x8086, 0x2918, 0x060100, kind=0x80),
    (0, 31, 2): header(0x8086, 0x2922, 0x010601, bars=(0, 0, 0, 0, 0xC041, 0xFEBD4000)),
    (1, 0, 0): header(0x1AF4, 0x1041, 0x020000, bars=(0, 0xFE600000, 0, 0, 0x0000000C, 0x000080)),
    (2, 0, 0): header(0x1B36, 0x0010, 0x010802, bars=(0xFE400004, 0)),
}

NAMES = ["00:00.0", "00:01.0", "00:02.0", "00:02.1", "00:1f.0", "00:1f.2", "01:00.0", "02:00.0"]

BARS = (
    # registers, (kind, address, bits, prefetch) of each
    ([0], [None]),
    ([0xC041], [("io", 0xC040, 16, False)]),
    ([0xFEBD0000], [("mem", 0xFEBD0000, 32, False)]),
    ([0xFD000008], [("mem", 0xFD000000, 32, True)]),
    ([0x000A0002], [("mem", 0x000A0000, 20, False)]),
    ([0xFD000006], [None]),  # reserved type
    ([0x0000000C, 0x80], [("mem", 0x8000000000, 64, True)]),
    ([0x0000000C], [None]),  # no room for the upper half
)


def ports(functions):
    cpu.ports = pcibus.Ports(functions)
    return pci.ConfigPorts()


def listed(config):
    return [str(f) for f in pci.functions(config)]


def test_ports():
    same(listed(ports(Q35)), NAMES)


def test_ecam():
    mem.reset()
    tables.install(tables.mcfg((0x1000000, 0, 0, 2)))
    pcibus.ecam(0x1000000, 3, Q35)
    config = pci.config(tables.RSDP)
    assert isinstance(config, pci.ConfigECAM)
    del mem.accesses[:]
    same(listed(config), NAMES)
    same({kind for kind, _ in mem.accesses}, {"r32"})
    same(config.read32(3, 0, 0, 0), 0xFFFFFFFF)


def test_config_falls_back_to_ports():
    bad = ((0x5000000, 0, 0, 2), (0x1000000, 1, 0, 2), (0x1000000, 0, 3, 2), (0x1000000, 0, 0, 255))
    for entry in bad:
        mem.reset()
        tables.install(tables.mcfg(entry))
        mem.add(0x1000000, 4096)
        assert isinstance(pci.config(tables.RSDP), pci.ConfigPorts), entry
    assert isinstance(pci.config(0), pci.ConfigPorts)


def test_fields():
    found = {str(f): f for f in pci.functions(ports(Q35))}
    nic = found["01:00.0"]
    same((nic.vendor, nic.device, nic.code, nic.header), (0x1AF4, 0x1041, 0x020000, 0))
    same([bar and (bar.kind, bar.addr, bar.bits) for bar in nic.bars()], [None, ("mem", 0xFE600000, 32), None, None, ("mem", 0x8000000000, 64), None])
    same(found["00:02.0"].secondary_bus, 1)
    same(found["00:1f.2"].read16(pci.DEVICE_ID), 0x2922)
    same(len(found["00:02.0"].bars()), 2)


def test_decode_bars():
    for registers, expected in BARS:
        bar = pci.decode_bar(registers)
        same(bar and [(bar.kind, bar.addr, bar.bits, bar.prefetch)] or [None], expected)


# register: (value, bytes), what bar_len() finds
LENGTHS = (
    ({0: (0xC041, 32)}, {0: 32}),
    ({0: (0xFEBD0000, 4096), 1: (0xFD000008, 16 << 20)}, {0: 4096, 1: 16 << 20, 2: 0}),
    ({0: (0x0000000C, 16384), 1: (0x80, 0)}, {0: 16384, 1: 0}),
    ({2: (0x0000000C, 8 << 30), 3: (0x80, 0)}, {2: 8 << 30, 3: 0, 6: 0, 7: 0}),
    ({0: (0x00000004, 1 << 20), 1: (0, 0)}, {0: 1 << 20}),  # nobody gave it an address
)


def test_lengths_of_bars():
    """Found by writing; afterwards registers and command are as before, and meanwhile the function answered nowhere."""
    for registers, expected in LENGTHS:
        values = [registers.get(i, (0, 0))[0] for i in range(6)]
        space = header(1, 2, 0x020000, bars=values)
        space[4] = 7
        lengths = {(0, 3, 0): {i: n for i, (_, n) in registers.items() if n}}
        cpu.ports = pcibus.Ports({(0, 3, 0): space}, lengths)
        function = pci.Function(pci.ConfigPorts(), 0, 3, 0)
        for number, length in expected.items():
            before = bytes(space)
            same((number, function.bar_len(number)), (number, length))
            same(bytes(space), before)


def test_room_of_bars():
    """At most what its alignment leaves, never less than its length; nothing where there is no address."""
    for registers, room in (((0xFEBD0000,), 0x10000), ((0x0000400C, 0xC0), 0x4000), ((0x0000000C, 0x80), 1 << 39), ((0x4,  0), 0)):
        same(pci.decode_bar(list(registers)).room, room)


def test_lengths_that_no_bar_has():
    """Whatever a function answers, a length is a power of two or 0."""
    random.seed(21)
    for _ in range(300):
        space = bytearray([random.getrandbits(8) for _ in range(256)])
        space[0x0E] &= 0x80
        cpu.ports = pcibus.Ports({(0, 3, 0): space}, {(0, 3, 0): {i: random.getrandbits(32) for i in range(6)}})
        function = pci.Function(pci.ConfigPorts(), 0, 3, 0)
        for number in range(8):
            length = function.bar_len(number)
            assert length >= 0 and length & length - 1 == 0, length


def test_roots_that_no_bridge_leads_to():
    """A second host bridge's buses are found last, and what is behind its bridges with them."""
    functions = dict(Q35)
    functions[(0x80, 0, 0)] = header(0x1B36, 0x000C, 0x060400, kind=1, secondary=0x81)
    functions[(0x81, 0, 0)] = header(0x1AF4, 0x1041, 0x020000)
    functions[(0x90, 5, 0)] = header(0x1AF4, 0x1041, 0x020000)
    same(listed(ports(functions)), NAMES + ["80:00.0", "81:00.0", "90:05.0"])


def test_extended_capabilities():
    """Found through ECAM; loops, strays and floating buses end."""
    space = {}
    for device, chain in enumerate((((0x100, 1, 0x140), (0x140, 0x10, 0)), ((0x100, 1, 0x100),), ((0x100, 3, 0x40),), ())):
        data = space[(0, device, 0)] = header(1, 2, 0) + bytes(4096 - 256)
        for offset, kind, following in chain:
            struct.pack_into("<I", data, offset, following << 20 | 1 << 16 | kind)
    mem.reset()
    tables.install(tables.mcfg((0x1000000, 0, 0, 0)))
    pcibus.ecam(0x1000000, 1, space)
    config = pci.config(tables.RSDP)
    found = [list(pci.Function(config, 0, i, 0).extended_capabilities()) for i in range(5)]
    same(found[0], [(1, 0x100), (0x10, 0x140)])
    same(len(found[1]), 480)
    same(found[2:], [[(3, 0x100)], [], []])
    same(list(pci.Function(ports(Q35), 0, 1, 0).extended_capabilities()), [])


def test_enable():
    space = header(1, 2, 0x020000)
    function = pci.Function(ports({(0, 3, 0): space}), 0, 3, 0)
    function.enable()
    same(space[4:6], b"\x07\x04")
    function.enable(False)
    same(space[4:6], b"\x00\x04")
    assert not function.gone() and pci.Function(ports({}), 0, 3, 0).gone()


def test_single_function_devices_are_asked_once():
    config = ports({(0, 3, 0): header(1, 2, 0), (0, 3, 1): header(3, 4, 0)})
    same(listed(config), ["00:03.0"])


def test_bridges_that_point_anywhere():
    loops = {
        (0, 0, 0): header(1, 1, 0x060400, kind=1, secondary=0),
        (0, 1, 0): header(1, 1, 0x060400, kind=1, secondary=5),
        (5, 0, 0): header(1, 1, 0x060400, kind=1, secondary=5),
        (5, 1, 0): header(1, 1, 0x060400, kind=1, secondary=200),
        (200, 0, 0): header(1, 1, 0x060400, kind=1, secondary=5),
    }
    same(listed(ports(loops)), ["00:00.0", "00:01.0", "05:00.0", "05:01.0", "c8:00.0"])


def test_every_slot_a_bridge_is_bounded():
    class Everywhere:
        first, last = 0, 255
        extended = False

        def at(self, *address):
            return lambda offset: self.read32(*address, offset), None, None

        def read32(self, bus, device, function, offset):
            return {0: 0x00011AF4, 8: 0x06040000, 0x0C: 0x00810000, 0x18: (bus * 7 + device + function) % 256 << 8}.get(offset & 0xFC, 0)

    count = sum([1 for _ in pci.functions(Everywhere())])
    same(count, 256 * 32 * 8)


def test_capabilities():
    chain = ((0x40, 0x11, 0x50), (0x50, 0x09, 0xFF), (0xFC, 0x05, 0))
    config = ports({(0, 0, 0): header(1, 2, 0, capabilities=chain)})
    same(list(pci.Function(config, 0, 0, 0).capabilities()), [(0x11, 0x40), (0x09, 0x50), (0x05, 0xFC)])


def test_capability_loops_and_strays():
    loop = header(1, 2, 0, capabilities=((0x40, 1, 0x44), (0x44, 2, 0x40)))
    stray = header(1, 2, 0, capabilities=((0x40, 1, 0x10),))
    config = ports({(0, 0, 0): loop, (0, 1, 0): stray, (0, 2, 0): header(1, 2, 0)})
    same(len(list(pci.Function(config, 0, 0, 0).capabilities())), 48)
    same(list(pci.Function(config, 0, 1, 0).capabilities()), [(1, 0x40)])
    same(list(pci.Function(config, 0, 2, 0).capabilities()), [])


def test_random_configuration_space():
    random.seed(13)
    for _ in range(100):
        space = bytearray([random.getrandbits(8) for _ in range(256)])
        config = ports({(0, 0, 0): space})
        function = pci.Function(config, 0, 0, 0)
        assert len(function.bars()) in (0, 2, 6)
        assert len(list(function.capabilities())) <= 48


run(globals())
