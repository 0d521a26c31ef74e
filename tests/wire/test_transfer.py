"""TCP and UDP between the machine and a kernel: bulk both ways, many at once, slow readers, every size; checksums judged."""

import concurrent.futures
import random

import pytest

from rig import GUEST
from traffic import captured, download, echo, udp_echo, upload, verdict

MIB = 1 << 20


def test_bulk(wire):
    upload(wire.host, GUEST, 8 * MIB)
    download(wire.host, GUEST, 8 * MIB)


def test_both_ways_at_once(wire):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(function, wire.host, GUEST, 2 * MIB) for function in (upload, download, upload, download)]
        for job in jobs:
            job.result(120)


def test_slow_reader(wire):
    """A client that reads slowly closes the window again and again; it costs no byte, and others go on."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(download, wire.host, GUEST, 2 * MIB, 0.05)
        echo(wire.host, GUEST, random.Random(1).randbytes(MIB // 4))
        slow.result(120)


@pytest.mark.parametrize("size", [0, 1, 1459, 1460, 1461, 2920, 65535, 65537])
def test_sizes(wire, size):
    download(wire.host, GUEST, size)
    if size:
        upload(wire.host, GUEST, size)


@pytest.mark.parametrize("size", [0, 1, 1472, 1473, 8000])
def test_udp(wire, size):
    assert udp_echo(wire.host, GUEST, random.Random(size).randbytes(size), tries=2)


def test_many_connections(wire):
    """One after the other, and many at a time: none is left over."""
    for n in range(30):
        echo(wire.host, GUEST, b"%d" % n)
    sockets = [wire.host.connect((GUEST, 7)) for _ in range(12)]
    for n, s in enumerate(sockets):
        s.sendall(b"%d" % n)
    for n, s in enumerate(sockets):
        assert s.recv(100) == b"%d" % n
        s.close()
    echo(wire.host, GUEST, b"and again")
    assert wire.python("import services; print(services.count['open'])") == "0"


def test_checksums(wire, tmp_path):
    """tcpdump finds no wrong checksum in anything that the machine sends, where the card completes them."""
    path = tmp_path / "capture"
    with captured(wire.host, path):
        traffic(wire)
    assert verdict(wire.host, path) > 200


def test_checksums_without_offload(raw, tmp_path):
    """The same where the machine computes all of them."""
    path = tmp_path / "capture"
    with captured(raw.host, path):
        traffic(raw)
    assert verdict(raw.host, path) > 200


def traffic(rig):
    upload(rig.host, GUEST, MIB)
    download(rig.host, GUEST, MIB)
    for size in (0, 1, 1472, 3000):
        assert udp_echo(rig.host, GUEST, bytes(size), tries=2)
    rig.host.run("ping", "-c3", "-i0.01", "-s2000", GUEST)
