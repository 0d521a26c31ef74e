"""SSH over IPv4 and IPv6 between a kernel and the machine: commands, terminals, and the farewell when the network stops."""

import pytest

import sshclient
from rig import BOTH, LINK6, STATIC

LIMIT = 60  # s


@pytest.fixture
def debug(wire):
    """The wire, whose machine has its debug servers."""
    start(wire, " debug")
    yield wire
    start(wire)


def start(wire, more=""):
    """Start the network anew; the services' listeners stay."""
    assert "network initialized" in wire.vm.command(STATIC + more)
    wire.advertise()


def client(wire, address, *options):
    return [*wire.host.prefix, *sshclient.command(22, *options, host=address)]


def test_both_families(debug):
    """One server listens to all: a global address, one of the link, and IPv4; a command each, a large answer, a terminal."""
    for address in (*BOTH, LINK6):
        assert debug.host.run(*sshclient.command(22, host=address), "uptime", limit=LIMIT).stdout.strip()
        text = debug.host.run(*sshclient.command(22, "-T", host=address), input="help\n" * 50, stdin=None, limit=LIMIT).stdout
        assert len(text) > 50000 and text.count("show system running time") == 50, address
        t = sshclient.Terminal(client(debug, address, "-tt"))
        t.expect(b"\r\n\r\n> ", LIMIT)
        t.send(b"net\r")
        assert b"fd00::" in t.expect(b"\r\n\r\n> ", LIMIT)
        t.send(b"exit\r")
        assert t.end(LIMIT)[1] == 0


def test_farewell(debug):
    """`net-down` tells every client, over either family; the card is stopped when its last frames are out."""
    for _ in range(3):
        terminals = [sshclient.Terminal(client(debug, address, "-tt")) for address in (*BOTH, LINK6, *BOTH)]
        for t in terminals:
            t.expect(b"\r\n\r\n> ", LIMIT)
        debug.vm.command("net-down")
        for t in terminals:
            seen, status = t.end(LIMIT)
            assert status == 255 and b"Received disconnect from" in seen and b"the server stops" in seen, seen
        start(debug, " debug")
