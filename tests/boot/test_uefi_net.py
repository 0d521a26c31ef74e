"""UEFI networking: the firmware's own driver of a card carries our stack, and gets its card back."""

import re
import socket

import pytest

import pyprompt
from test_net import SERVER, exchange, free_port

KEEP = {"keelback.cfg": "boot_services=keep\n", "server.py": SERVER}
COMPUTE = ("from shell import network; seen = lambda: network.interface.counters()[0][1]; before = seen(); "
           "exec('print(\"comp\" + \"uting\")\\nwhile seen() == before: pass'); print('frames' + ' came')")
STATIC = "net-uefi 10.0.0.1/24 : 10.0.0.2"


@pytest.fixture(params=["virtio-net-pci", "e1000"])  # OVMF's own driver, and one of iPXE's in a ROM
def machine(boot, request):
    """A machine in firmware mode whose port 80 is `machine.port` here, once it has the address 10.0.0.1."""
    port = free_port()
    started = boot(files=KEEP, net="user", nic=request.param, forwards={80: port})
    started.port = port
    return started


def test_commands_and_tcp(machine):
    """Addresses in both forms, wrong ones, TCP both ways, again and again; then bare mode takes the card over."""
    assert "command error, the firmware has the devices" in machine.command("net-virtio")
    assert re.search(r"initialized \(10\.0\.0\.\d+/24 52:54:00:12:34:56\)", machine.command("net-uefi"))
    assert re.search(r"initialized \(10\.0\.0\.1/24 .[26ae](:..){5}\)", machine.command(STATIC))
    assert "Interface ..............: uefi" in machine.command("net")
    assert "command error, " in machine.command("net-uefi 10.0.0.1/24 x 10.0.0.2")
    pyprompt.enter(machine)
    pyprompt.evaluate(machine, "import server, time; time.sleep_ms(1)")
    data = bytes(range(256)) * 1024
    assert exchange(machine.port, data) == data
    machine.send(COMPUTE + "\r")
    machine.expect(rb"computing", 30)
    with socket.create_connection(("127.0.0.1", machine.port), 10):
        machine.expect(rb"frames came\r\n>>> \Z", 60)
    pyprompt.leave(machine)
    assert "initialized" in machine.command(STATIC)
    assert "exited EFI boot services" in machine.command("exit-boot-services")
    assert "no network" in machine.command("net")
    assert "`boot_services=keep` in keelback.cfg" in machine.command(STATIC)
    if machine.options.nic.startswith("virtio"):
        assert "initialized" in machine.command("net-virtio")


def test_firmware_gets_it_back(machine):
    """`exit` with the network up hands the card to the firmware, which goes on."""
    assert "initialized" in machine.command(STATIC)
    machine.command("net-down")
    assert "initialized" in machine.command(STATIC)
    machine.send("exit\r")
    machine.expect(rb"BdsDxe|Boot Manager|Shell>|UEFI Interactive Shell|Continue", 120)
    assert machine.process.poll() is None


def test_boot_services_go(boot):
    """A program that exits boot services under the driver's feet: one line says what happened, and the shell goes on."""
    machine = boot(files=KEEP, net="user")
    assert "initialized" in machine.command(STATIC)
    pyprompt.enter(machine)
    assert "uefi: boot services were exited, the card was stopped" in pyprompt.evaluate(
        machine, "import efi, time; efi.exit_boot_services(); time.sleep_ms(200)")
    pyprompt.leave(machine)
    assert re.search(r"Link \.*: down\n.*boot services were exited", machine.command("net"), re.S)
    assert "initialized" in machine.command("net-virtio")
