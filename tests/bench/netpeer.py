"""Ping and UDP echo: what a round trip costs in guest instructions, and how long after `net-virtio` the first ping is answered.

The card's other end is this process (tools/peer.py): every frame is one that we made, and no other comes by. Takes no
root. Servers: the stack itself, and udpecho.py.
"""
import contextlib
import pathlib
import tempfile
import time

import boot
import wireframes
from netguests import GATEWAY, GUEST, MASK
from peer import Peer

ROUNDS = 500
WARM = 20
SIZES = (64, 1400)      # bytes of payload
IDENT = 0x6b65
FIRST_PING_MS = 1       # between pings while the network starts
FIRST_PING_LIMIT = 10   # s


@contextlib.contextmanager
def wired(of, **options):
    """(guest, peer): a booted guest whose card ends in this process, which answers ARP."""
    with tempfile.TemporaryDirectory(prefix="keelback-") as folder, Peer(pathlib.Path(folder)) as peer:
        peer.handlers.append(wireframes.arp_answerer(peer))
        with of.boot(net=peer.net, **options) as guest:
            yield guest, peer


def ping(of):
    """{figure: guest instructions of one echo}."""
    with wired(of, icount=0, sleep=True) as (guest, peer):
        if of.name == "keelback":
            guest.network()
        return {f"ping {size} B": _cost(guest, lambda n: pong(peer, n, bytes(size))) for size in SIZES}


def udp(of):
    """{figure: guest instructions of one datagram there and back}."""
    with wired(of, icount=0, sleep=True) as (guest, peer), guest.serving("udpecho"):
        return {f"UDP echo {size} B": _cost(guest, lambda n: echo(peer, bytes(size))) for size in SIZES}


def _cost(guest, round_trip):
    for n in range(WARM):
        round_trip(n)
    return guest.instructions(lambda: [round_trip(n) for n in range(ROUNDS)]) / ROUNDS


def pong(peer, n, payload):
    """One echo request and its answer."""
    peer.ask(wireframes.ping(IDENT, n, payload), lambda frame: wireframes.is_pong(frame, IDENT, n))


def echo(peer, payload):
    """One datagram to the echo server and back."""
    peer.ask(wireframes.udp(4000, 7, payload), lambda frame: wireframes.datagram(frame) == (7, 4000, payload))


def first_ping(of, runs=3):
    """{figure: ms from the Enter behind `net-virtio ...` to the first answer}, the median of fresh boots, and its instructions."""
    if of.name != "keelback":
        return {}
    wall = boot.median(lambda: _first_ping(of)[0], runs)
    return {"first ping": wall, "first ping, instructions": _first_ping(of, icount=0, sleep=True)[1]}


def _first_ping(of, **options):
    """(ms, instructions or None)"""
    with wired(of, **options) as (guest, peer):
        guest.vm.send(f"net-virtio {GUEST} {MASK} {GATEWAY}")
        time.sleep(0.5)  # the line is echoed and the guest at rest
        before = boot.icount(guest.vm) if options else None
        answered = []
        peer.handlers.append(lambda frame: wireframes.is_pong(frame, IDENT, 1) and answered.append(time.monotonic()))
        start = time.monotonic()
        guest.vm.send("\r")
        while not answered and time.monotonic() < start + FIRST_PING_LIMIT:
            peer.send(wireframes.ping(IDENT, 1))
            time.sleep(FIRST_PING_MS / 1000)
        if not answered:
            raise ValueError(f"no answer to a ping within {FIRST_PING_LIMIT} s of net-virtio")
        return (answered[0] - start) * 1000, boot.icount(guest.vm) - before if options else None
