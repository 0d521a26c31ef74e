"""TCP segments that no kernel would send, from a client made by hand, in every state of a connection."""

import random

import pytest

import wireframes
from wireframes import ACK, FIN, PSH, RST, SYN
from rig import GUEST
from test_hostile_frames import SLACK, memory, still_well, storm
from traffic import echo

BAD, BAD_MAC = "10.0.0.66", b"\x02\0\0\0\0\x66"


@pytest.fixture
def peer(raw):
    """The raw rig's peer, where 10.0.0.66 is at home."""
    answer = wireframes.arp_answerer(raw.peer, BAD, BAD_MAC)
    raw.peer.handlers.append(answer)
    yield raw.peer
    raw.peer.handlers.remove(answer)


class Client:
    """One connection from BAD, driven segment by segment. next, ack: sequence numbers to send."""

    _ports = iter(range(20000, 65000))

    def __init__(self, peer, port=7, window=65535):
        self.peer, self.port, self.window, self.mine = peer, port, window, next(self._ports)
        self.next, self.ack = 1000, 0

    def send(self, flags, payload=b"", seq=None, ack=None):
        seq, ack = self.next if seq is None else seq, self.ack if ack is None else ack
        self.peer.send(wireframes.tcp(self.mine, self.port, flags, seq, ack, payload, self.window, BAD))

    def expect(self, wanted, limit=5):
        """The machine's next segment whose flags hold all of wanted: (seq, ack, flags, window, payload)."""
        def matches(frame):
            found = wireframes.segment(frame)
            return found and found[:2] == (self.port, self.mine) and found[4] & wanted == wanted
        return wireframes.segment(self.peer.expect(matches, limit))[2:]

    def open(self):
        self.peer.forget()
        self.send(SYN)
        seq = self.expect(SYN | ACK)[0]
        self.next, self.ack = self.next + 1, seq + 1 & 0xFFFFFFFF
        self.send(ACK)
        return self

    def say(self, text):
        """Send a text to the echo service and take it back."""
        self.peer.forget()
        self.send(ACK | PSH, text)
        self.next += len(text)
        while True:
            seq, _, _, _, payload = self.expect(ACK)
            if payload:
                break
        assert payload == text
        self.ack = seq + len(payload) & 0xFFFFFFFF
        self.send(ACK)

    def reset(self):
        self.send(RST)


def in_state(peer, state):
    """A connection that the machine has in a state of RFC 9293."""
    client = Client(peer)
    if state == "SYN-RECEIVED":
        client.send(SYN)
        client.ack = client.expect(SYN | ACK)[0] + 1
        client.next += 1
    elif state != "LISTEN":
        client.open()
    if state in ("CLOSE-WAIT", "LAST-ACK"):  # the echo service closes behind our end: LAST-ACK until we confirm
        client.send(FIN | ACK)
        client.next += 1
        if state == "LAST-ACK":
            client.expect(FIN)
    if state == "CLOSED":
        client.reset()
    return client


def in_time_wait(peer):
    """A connection that the machine ended first, by whose time in TIME-WAIT a new one may come from the same port."""
    client = Client(peer, 19).open()
    client.send(ACK | PSH, b"0\n")
    client.next += 2
    seq, _, _, _, payload = client.expect(FIN)
    client.ack = seq + len(payload) + 1 & 0xFFFFFFFF
    client.send(FIN | ACK)
    client.next += 1
    peer.forget()
    return client


def test_same_ports_again(raw, peer):
    """A request whose number lies beyond the last connection's begins a new one at once, with a number of ours beyond the old; another
    does not, and a reset ends nothing. RFC 9293, 3.10.7.4; RFC 1337."""
    client = in_time_wait(peer)
    client.send(RST)
    client.send(SYN, seq=client.next - 5000)
    assert client.expect(ACK)[1:3] == (client.next, ACK)
    for _ in range(3):
        old = client.ack
        client.next += 100000
        client.open()
        assert 0 < (client.ack - old & 0xFFFFFFFF) < 1 << 31
        client.send(ACK | PSH, b"0\n")
        client.next += 2
        seq = client.expect(FIN)[0]
        client.ack = seq + 1 & 0xFFFFFFFF
        client.send(FIN | ACK)
        client.next += 1
        peer.forget()
    still_well(raw)


@pytest.mark.parametrize("state", ["CLOSED", "LISTEN", "SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK"])
def test_flags_in_every_state(raw, peer, state):
    """All 64 combinations of flags, with right, old and far sequence numbers and acknowledgements."""
    for seq_offset, ack_offset in ((0, 0), (-1, 0), (0x40000000, 0), (0, 0x40000000), (100, -100)):
        client = in_state(peer, state)
        for flags in range(64):
            if flags & RST and seq_offset == 0:
                continue  # that one ends it, as it should
            client.send(flags, b"?" * (flags % 3), client.next + seq_offset, client.ack + ack_offset)
        client.reset()
    still_well(raw)


def test_blind_attacks(raw, peer):
    """Who does not know the sequence numbers cannot end a connection nor speak in it. RFC 5961."""
    client = Client(peer).open()
    client.say(b"before")
    rnd = random.Random(1)
    for _ in range(200):
        far = client.next + rnd.randrange(1 << 20, 1 << 31)
        client.send(RST, seq=far)
        client.send(RST | ACK, seq=far)
        client.send(SYN, seq=rnd.randrange(1 << 32))
        client.send(ACK | PSH, b"injected", seq=far)
        client.send(FIN | ACK, seq=far)
        client.send(ACK | PSH, b"injected", ack=client.ack + rnd.randrange(1 << 20, 1 << 30))
    for offset in (1, 100, 10000):
        client.send(RST, seq=client.next + offset)  # within the window, but not the next one: a challenge
    client.say(b"after")
    client.reset()
    still_well(raw)


def test_isn_is_no_secret_told(raw, peer):
    """First sequence numbers differ widely from connection to connection. RFC 6528."""
    firsts = []
    for _ in range(8):
        client = Client(peer).open()
        firsts.append(client.ack)
        client.reset()
    gaps = [abs(a - b) for a, b in zip(firsts, firsts[1:])]
    assert sum(gap > 1 << 20 for gap in gaps) >= len(gaps) - 1, firsts


def test_syn_flood(raw, peer):
    """Half-open connections from everywhere: others get in meanwhile, and nothing piles up."""
    before, _ = memory(raw)
    rnd = random.Random(2)
    flood = [wireframes.tcp(rnd.randrange(1, 65536), 7, SYN, rnd.randrange(1 << 32), source=f"10.0.0.{rnd.randrange(100, 250)}")
             for _ in range(10000)]
    for at in range(0, len(flood), 1000):
        storm(raw, flood[at:at + 1000])
        echo(raw.host, GUEST, b"past the flood")
    assert memory(raw)[0] < before + SLACK
    still_well(raw)


def test_window_of_nothing(raw, peer):
    """Clients that ask for a megabyte and take none of it hold their own data up, nobody else's."""
    before, limit = memory(raw)
    clients = []
    for _ in range(16):
        client = Client(peer, 19).open()
        client.send(ACK | PSH, b"1000000\n")
        client.next += 8
        client.window = 0
        client.send(ACK)
        clients.append(client)
    assert memory(raw)[0] <= limit
    still_well(raw)
    for client in clients:
        client.reset()
    raw.peer.quiet(0.5)
    still_well(raw)
    assert memory(raw)[0] < before + SLACK


def test_gaps(raw, peer):
    """Single bytes with holes between them: what waits for the holes is bounded, and the rest still gets through."""
    before, _ = memory(raw)
    client = Client(peer).open()
    for n in range(5000):
        client.send(ACK, b"g", seq=client.next + 2 * n + 1)
    assert memory(raw)[0] < before + 4 * SLACK
    still_well(raw)
    client.reset()


def test_same_bytes_told_differently(raw, peer):
    """A segment that says something else about bytes that were received does not change them."""
    client = Client(peer).open()
    client.say(b"truth")
    client.send(ACK | PSH, b"a lie", seq=client.next - 5)
    client.say(b"more")
    client.reset()
