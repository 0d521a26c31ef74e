"""Every form in which QEMU has a virtio network card, and every place behind bridges: each carries TCP, one after the other.

A machine has many cards, each with a user network of its own; a script in the guest drives them all.
"""

import json
import socket
import threading

import pytest

import rawrepl

LIMIT = 120  # s, for all cards of a machine
SIZE = 300_000  # bytes there and back over each

# What a guest does with each of its cards, in the order of the bus. NETS: {MAC: number of the network}.
SCRIPT = """
import efi, gc, mem, socket
from drivers import pci, virtio, virtio_net
from net.iface import Interface

def exchange(net):
    data = bytes(range(256)) * (SIZE // 256)
    s = socket.socket()
    s.settimeout(20)
    s.connect(("10.0.%d.2" % net, PORT))
    got, sent, same = 0, 0, True
    while got < len(data):
        if sent - got < 60000 and sent < len(data):
            sent += s.write(data[sent:sent + 20000])
        part = s.recv(20000)
        same = same and part == data[got:got + len(part)]
        got += len(part)
    s.close()
    return same

def drive(function):
    nic = virtio_net.VirtioNet(function)
    net = NETS[nic.mac[5]]
    interface = Interface("test", nic, print)
    interface.up()
    interface.static("10.0.%d.1" % net, "255.255.255.0", "10.0.%d.2" % net)
    try:
        told = [net, exchange(net), nic.mtu, nic.csum, nic._device.legacy, len(nic._vectors), nic._features, interface.link()]
    finally:
        interface.down()
    return told

free = None
for function in pci.functions(pci.config(efi.rsdp())):
    if virtio.kind(function) == 1:
        try:
            print(drive(function))
        except OSError as e:
            print([str(function), str(e)])
        if free is None:
            free = mem.info()[2]
print("memory", free - mem.info()[2])
import irq
print("vectors", [irq.alloc(print) for _ in range(16)][0] > 0)
"""

MRG, EVENT, CSUM, CTRL, VERSION_1, PLATFORM, ANY_LAYOUT = 1 << 15, 1 << 29, 1, 1 << 17, 1 << 32, 1 << 33, 1 << 27
FORMS = (
    # properties of the device; what the driver says of it: features that it has and has not, and more
    ("", VERSION_1 | MRG | EVENT | CTRL, 0, {}),
    ("mrg_rxbuf=off", VERSION_1, MRG, {}),
    ("event_idx=off", VERSION_1 | MRG, EVENT, {}),
    ("packed=on", VERSION_1, 0, {}),
    ("csum=off,guest_csum=off,gso=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off", VERSION_1, CSUM, {}),
    ("mq=on,vectors=10", VERSION_1 | CTRL, 0, {}),
    ("ctrl_vq=off,ctrl_rx=off,ctrl_vlan=off,ctrl_rx_extra=off,ctrl_mac_addr=off,ctrl_guest_offloads=off", VERSION_1, CTRL, {}),
    ("host_mtu=9000", VERSION_1, 0, {"mtu": 9000}),
    ("host_mtu=9000,mrg_rxbuf=off", VERSION_1, MRG, {"mtu": 9000}),
    ("host_mtu=1280", VERSION_1, 0, {"mtu": 1280}),
    ("iommu_platform=on,disable-legacy=on", VERSION_1 | PLATFORM, 0, {}),
    ("rx_queue_size=1024,tx_queue_size=256", VERSION_1, 0, {}),
    ("vectors=1", VERSION_1, 0, {"vectors": 1}),
    ("disable-legacy=off", VERSION_1, 0, {}),
    ("disable-modern=on,disable-legacy=off", MRG | EVENT | CTRL | ANY_LAYOUT, VERSION_1, {"legacy": True}),
    ("disable-modern=on,disable-legacy=off,mrg_rxbuf=off,event_idx=off", ANY_LAYOUT, MRG | EVENT, {"legacy": True}),
    ("disable-modern=on,disable-legacy=off,mrg_rxbuf=off,any_layout=off", EVENT, MRG | ANY_LAYOUT, {"legacy": True}),
    ("disable-modern=on,disable-legacy=off,any_layout=off", MRG, ANY_LAYOUT, {"legacy": True}),
    ("disable-modern=on,disable-legacy=off,rx_queue_size=1024,host_mtu=9000,vectors=1", MRG, 0, {"legacy": True, "mtu": 9000, "vectors": 1}),
)
BEHIND = ("pcie-root-port,id=upper,chassis=1", "pcie-pci-bridge,id=conventional", "pci-bridge,id=deeper,bus=conventional,chassis_nr=9",
          "pxb-pcie,id=pxb,bus_nr=128", "pcie-root-port,id=pxbport,bus=pxb,chassis=2")
OLD = ("pci-bridge,id=bridge,chassis_nr=5", "pci-bridge,id=second,bus=bridge,chassis_nr=6,addr=7", "pxb,id=pxb,bus_nr=160")


@pytest.fixture
def echo():
    """The port on 127.0.0.1 of a server that says everything again."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        def serve(connection):
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)

        def accept():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]


def drive(boot, port, devices, bridges=(), **options):
    """Boot with these cards and return (what the script printed for each, by network; other lines)."""
    extra, nets = [], {}
    for bridge in bridges:
        extra += ["-device", bridge]
    for i, device in enumerate(devices, 1):
        nets[i] = i
        extra += ["-netdev", f"user,id=n{i},net=10.0.{i}.0/24,host=10.0.{i}.2"]
        extra += ["-device", f"virtio-net-pci,netdev=n{i},mac=52:54:00:00:00:{i:02x},romfile=" + "," * bool(device) + device]
    machine = boot(net="none", extra=tuple(extra), mem="512M", **options)
    printed, error = rawrepl.run(machine, f"NETS, PORT, SIZE = {nets}, {port}, {SIZE}\n{SCRIPT}", LIMIT)
    assert not error, printed + error
    lines = [line for line in printed.splitlines()]
    shown = [json.loads(line.replace("True", "true").replace("False", "false").replace("'", '"')) for line in lines if line.startswith("[")]
    return {line[0]: line for line in shown}, [line for line in lines if not line.startswith("[")]


def check(line, has, has_not, more):
    _, same, mtu, csum, legacy, vectors, features, link = line
    assert same and link
    assert features & has == has and features & has_not == 0, hex(features)
    expected = {"mtu": 1500, "legacy": False, "vectors": 2, **more}
    assert {"mtu": mtu, "legacy": legacy, "vectors": vectors} == expected
    assert csum == bool(features & CSUM)


def test_forms(boot, echo):
    """All of them on one bus; afterwards neither memory nor an interrupt is missing."""
    told, others = drive(boot, echo, [form[0] for form in FORMS])
    assert [line for line in told.values() if isinstance(line[0], str)] == []  # what a driver said
    for i, (properties, has, has_not, more) in enumerate(FORMS, 1):
        assert i in told, f"{properties}: {told}"
        check(told[i], has, has_not, more)
    missing, vectors = others
    assert int(missing.split()[1]) < 4 << 20  # page tables, the heap; the buffers of all cards are some 25 MiB
    assert vectors == "vectors True"


def test_behind_bridges(boot, echo):
    """Ports, bridges to the old bus, a bridge behind a bridge, and a root that no bridge leads to; and a card without MSI-X."""
    devices = ["bus=upper", "bus=conventional,addr=2", "bus=deeper,addr=3", "bus=pxbport", "bus=pcie.0,vectors=0"]
    told, _ = drive(boot, echo, devices, BEHIND)
    for i in range(1, 5):
        assert i in told and told[i][1] is True, told
    assert [line[1] for line in told.values() if isinstance(line[1], str)] == ["no interrupts: no MSI-X"]


def test_machine_pc(boot, echo):
    """Configuration space through the ports, legacy and modern cards, bridges of the old kind."""
    legacy = "disable-modern=on,disable-legacy=off"
    devices = ["bus=pci.0", legacy + ",bus=pci.0", legacy + ",bus=bridge,addr=3", "bus=second,addr=4", "bus=pxb,addr=5"]
    told, _ = drive(boot, echo, devices, OLD, machine="pc")
    assert all(len(line) > 4 for line in told.values()), told
    assert {i: (line[1], line[4]) for i, line in told.items()} == {1: (True, False), 2: (True, True), 3: (True, True), 4: (True, False), 5: (True, False)}
