"""Frames that no kernel would send: the machine goes on, answers everybody else, and holds no memory for them."""

import time

import pytest

import wireframes
import hostile
from rig import BOTH, GUEST
from traffic import echo

SLACK = 1 << 20  # bytes of the network's memory that fragments without an end, neighbours and routers may hold for a while

STORMS = {
    "cut short": hostile.cut_short, "changed": lambda: hostile.changed(20000), "options": hostile.options,
    "extension headers": hostile.extension_headers, "fragments": hostile.fragments, "impossible senders": hostile.impossible_senders,
    "junk": hostile.junk, "neighbours": hostile.neighbours, "routers": hostile.routers,
}


def memory(raw):
    """The network's memory in use, and what it may use at most."""
    used, limit = raw.python("import netif; print(*netif.memory())").split()
    return int(used), int(limit)


def storm(raw, made, piece=64):
    for at in range(0, len(made), piece):
        raw.peer.send(*made[at:at + piece])


def still_well(raw):
    """The shell, ping, and an echo over TCP and both protocols, for a host that did nothing of this."""
    raw.host.run("ip", "neigh", "flush", "dev", "eth0")  # it asks anew who has what, and is believed again
    for address in BOTH:
        raw.host.run("ping", "-c1", "-W5", address)
        echo(raw.host, address, b"still there")
    used, limit = memory(raw)
    assert used <= limit


@pytest.mark.parametrize("name", STORMS)
def test_storm(raw, name):
    storm(raw, STORMS[name]())
    still_well(raw)


def test_spoofed_neighbours(raw):
    """The host's address at a liar's: it comes back as soon as the host itself says where it is."""
    raw.host.run("ping", "-c1", "-W5", GUEST)
    storm(raw, [wireframes.arp(2, bytes.fromhex("020000000066"), "10.0.0.2", wireframes.MACHINE_MAC, GUEST, wireframes.MACHINE_MAC)] * 100)
    still_well(raw)


def test_routers_are_bounded(raw):
    """However many prefixes were advertised: the machine has a handful of addresses, and the one in use is among them."""
    storm(raw, hostile.routers(300, seed=9))
    shown = [line for line in raw.vm.command("net").splitlines() if line.startswith("Address")]
    assert 1 < len(shown) <= 8 and any(GUEST in line for line in shown)
    still_well(raw)


def test_floods_leave_time(raw):
    """While frames pour in that end nowhere, the host's echoes go on, and the prompt answers."""
    flood = [wireframes.udp(1, 4444, b"x" * 32), wireframes.ping(1, 1, b"y" * 32, source="10.0.0.66")] * 32
    until = time.monotonic() + 3
    rounds = 0
    while time.monotonic() < until:
        raw.peer.send(*flood)
        rounds += 1
        if rounds % 20 == 0:
            echo(raw.host, GUEST, b"through the flood")
    assert rounds > 20
    assert "10.0.0.1/24" in raw.vm.command("net")
    still_well(raw)


def test_memory_is_bounded(raw):
    """The storms together hold little, and an established connection in the meantime is none the worse."""
    before, _ = memory(raw)
    with raw.host.connect((GUEST, 7)) as s:
        for name in ("changed", "fragments", "neighbours"):
            storm(raw, STORMS[name]())
            raw.host.run("ip", "neigh", "flush", "dev", "eth0")  # a liar was believed until the host says where it is
            s.sendall(name.encode())
            assert s.recv(100) == name.encode()
    assert memory(raw)[0] < before + SLACK
