"""drivers/pci.py: both ways to configuration space, bridges, BARs, capabilities, a lying host."""

import random

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
