"""The network over a VirtIO card and QEMU's user networking: commands, DHCP, TCP both ways, one interface after the other."""

import re
import socket

import pytest

import rawrepl

STATIC = "net-virtio 10.0.0.1 255.255.255.0 10.0.0.2"
SERVER = """
import asyncio
async def echo(reader, writer):
    while True:
        data = await reader.read(4096)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()
asyncio.create_task(asyncio.start_server(echo, "0.0.0.0", 80))
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def machine(boot):
    """A machine whose port 80 is `machine.port` here, once it has the address 10.0.0.1."""
    port = free_port()
    started = boot(net="user", forwards={80: port}, files={"server.py": SERVER})
    started.port = port
    return started


def test_commands(machine):
    """Static addresses in both forms, DHCP, again and again; wrong input is one line; net-down ends it."""
    assert "no network" in machine.command("net")
    assert "command error, " in machine.command("net 10.0.0.1/24 : 10.0.0.2") and "Traceback" not in machine.tail()
    assert re.search(r"^network initialized \(10\.0\.0\.1/24 52:54:00:12:34:56\)$", machine.command(STATIC), re.M)
    assert re.search(r"Address \.*: 10\.0\.0\.1/24\n.*Gateway \.*: 10\.0\.0\.2", machine.command("net"))
    assert re.search(r"\(10\.0\.0\.9/25 .[26ae](:..){5}\)", machine.command("net-virtio 10.0.0.9/25 : 10.0.0.2"))
    assert "(10.0.0.9/25 02:00:00:00:00:07)" in machine.command("virtio-net 10.0.0.9/25 2:0:0:0:0:7 10.0.0.2")
    assert re.search(r"network initialized \(10\.0\.0\.\d+/24 52:54:00:12:34:56\)", machine.command("net-virtio"))
    assert re.search(r"\(fd00::9/64 .[26ae](:..){5}\)", machine.command("net-virtio fd00::9/64 : fd00::2"))
    assert re.search(r"^Gateway \.+: fd00::2$", machine.command("net"), re.M)
    for wrong in ("fd00::9/48 : fd00::2", "fd00::x/64 : fd00::2", "fd00::9 : fd00::2", "1.2.3.4 255.0.255.0 1.2.3.1",
                  "1.2.03 255.0.0.0 1.2.3.1", "1.2.3.4/24 : fd00::1", "1.2.3.4", "1.2.3.4 x y", "1.2.3.4/33 : 1.2.3.1", "1.2.3.4/24 01:0:0:0:0:0 1.2.3.1", "1.2.3.4/24 1:2 1.2.3.1", "a b c d"):
        answer = machine.command("net-virtio " + wrong)
        assert answer.count("command error, ") == 1 and "Traceback" not in answer, answer
    machine.command("net-down")
    assert "command error, no network to stop" in machine.command("net-down")


def serve(machine):
    assert "initialized" in machine.command(STATIC)
    machine.send("python\r")
    machine.expect(rb">>> \Z", 30)
    machine.send("import server\r")
    machine.expect(rb"server\r\n>>> \Z", 30)
    machine.send("import time; time.sleep_ms(1)\r")  # the task that listens runs while the prompt waits
    machine.expect(rb"1\)\r\n>>> \Z", 30)


def exchange(port, data):
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.settimeout(60)
        s.sendall(data[:65536])
        received, sent = bytearray(), 65536
        while len(received) < len(data):
            received += s.recv(65536)
            if sent < len(data) and sent - len(received) < 65536:
                s.sendall(data[sent:sent + 65536])
                sent += 65536
    return bytes(received)


def test_tcp(machine):
    """A megabyte goes there and comes back the same, over several connections at once, and the prompt lives meanwhile."""
    serve(machine)
    data = bytes(range(256)) * 4096
    with socket.create_connection(("127.0.0.1", machine.port), 20) as other:
        assert exchange(machine.port, data) == data
        other.sendall(b"still here")
        other.settimeout(20)
        assert other.recv(100) == b"still here"
    machine.send("print(6 * 7)\r")
    machine.expect(rb"\n42\r\n>>> \Z", 20)


def test_soft_reset(machine):
    """A soft reset stops the card before its memory is used for something else; the network starts anew."""
    serve(machine)
    machine.send("\x04")
    machine.wait_prompt(20)
    assert rawrepl.run(machine, "print(sum(bytearray(1 << 20)))") == ("0\n", "")
    assert "no network" in machine.command("net")
    serve(machine)
    assert exchange(machine.port, b"again" * 1000) == b"again" * 1000


def test_transitional_and_bridged(boot):
    """A card that could also be driven the old way, and one behind a PCI Express port."""
    user = ("-netdev", "user,id=n,net=10.0.0.0/24,host=10.0.0.2")
    for device in (("-device", "virtio-net-pci,netdev=n,disable-legacy=off,romfile="),
                   ("-device", "pcie-root-port,id=root", "-device", "virtio-net-pci,netdev=n,bus=root,romfile=")):
        machine = boot(net="none", extra=user + device)
        assert "initialized" in machine.command("net-virtio")


def test_none(boot):
    """Without a card, and in firmware mode, one line says so."""
    assert "command error, no VirtIO network card" in boot(net="none").command(STATIC)
    assert "exit-boot-services" in boot(append="boot_services=keep", net="user").command(STATIC)
