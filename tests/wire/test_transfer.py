"""TCP and UDP between the machine and a kernel: bulk both ways, many at once, slow readers, every size; checksums judged."""

import concurrent.futures
import random

import pytest

from rig import BOTH, LINK6, STATIC
from traffic import captured, download, echo, udp_echo, upload, verdict

MIB = 1 << 20
both = pytest.mark.parametrize("address", BOTH)


@both
def test_bulk(wire, address):
    upload(wire.host, address, 8 * MIB)
    download(wire.host, address, 8 * MIB)


def test_both_ways_at_once(wire):
    """Four transfers, over IPv4 and IPv6, share the machine."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(function, wire.host, address, 2 * MIB) for function in (upload, download) for address in BOTH]
        for job in jobs:
            job.result(120)


@both
def test_slow_reader(wire, address):
    """A client that reads slowly closes the window again and again; it costs no byte, and others go on."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(download, wire.host, address, MIB, 0.05)
        echo(wire.host, address, random.Random(1).randbytes(MIB // 4))
        slow.result(120)


@pytest.mark.parametrize("address", [*BOTH, LINK6])
@pytest.mark.parametrize("size", [0, 1, 1440, 1441, 1459, 1460, 1461, 2920, 65535, 65537])
def test_sizes(wire, address, size):
    download(wire.host, address, size)
    upload(wire.host, address, size)


@both
@pytest.mark.parametrize("size", [0, 1, 1452, 1453, 1472, 1473, 8000])
def test_udp(wire, address, size):
    assert udp_echo(wire.host, address, random.Random(size).randbytes(size), tries=2)


@both
def test_many_connections(wire, address):
    """One after the other, and many at a time: none is left over."""
    for n in range(100):
        echo(wire.host, address, b"%d" % n)
    sockets = [wire.host.connect((address, 7)) for _ in range(40)]
    for n, s in enumerate(sockets):
        s.sendall(b"%d" % n)
    for n, s in enumerate(sockets):
        assert s.recv(100) == b"%d" % n
        s.close()
    echo(wire.host, address, b"and again")
    assert wire.python("import services; print(services.count['open'])") == "0"


def test_started_again(wire):
    """net-virtio once more: the card begins anew, and servers that listened go on."""
    assert "network initialized" in wire.vm.command(STATIC)
    wire.advertise()
    for address in BOTH:
        echo(wire.host, address, b"again")


def test_checksums(wire, tmp_path):
    """tcpdump finds no wrong checksum in anything that the machine sends, where the card completes them."""
    judged(wire, tmp_path)


def test_checksums_without_offload(raw, tmp_path):
    """The same where the machine computes all of them."""
    judged(raw, tmp_path)


def judged(rig, folder):
    with captured(rig.host, folder / "capture"):
        for address in BOTH:
            upload(rig.host, address, MIB)
            download(rig.host, address, MIB)
            for size in (0, 1, 1452, 3000):
                assert udp_echo(rig.host, address, bytes(size), tries=2)
            rig.host.run("ping", "-c3", "-i0.01", "-s2000", address)
    assert verdict(rig.host, folder / "capture") > 400
