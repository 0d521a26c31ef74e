"""A network card made of Python under lwIP, and frames for it, for scripts that say `# with: netcard`.

    link = netcard.Link()
    link.en.ipv4("10.0.0.1", "255.255.255.0", "10.0.0.2")
    sent = link.ask(frame)
"""

import array
import struct

import mem
import netif

MAC, PEER = b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02"
HERE, THERE = b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02"
ARP_ANSWER = MAC + PEER + b"\x08\x06" + b"\x00\x01\x08\x00\x06\x04\x00\x02" + PEER + THERE + MAC + HERE  # who has 10.0.0.2


class Card:
    """Keeps what it is to send, in `sent`."""

    mac = MAC
    mtu = 1500
    csum = False

    def __init__(self):
        self.buffer = mem.dma(4096)
        self.tx = array.array("Q", [self.buffer.addr])
        self.sent = []

    def transmit(self, length, csum):
        self.sent.append(bytes(self.buffer.view[:length]))


class Link:
    """A card, and lwIP's interface `en` on it, not active yet."""

    def __init__(self, card=None):
        self.card = card or Card()
        self.en = netif.Netif(self.card)
        self._frame = mem.dma(4096)

    def up(self, address="10.0.0.1"):
        """Give it an address and let it send; what it says of itself is forgotten."""
        self.en.ipv4(address, "255.255.255.0", "10.0.0.2")
        self.en.active(True, True)
        self.card.sent.clear()

    def give(self, data, checked=True):
        """Let a frame come in. checked: the card vouches for the checksums of TCP and UDP; IP's must be right."""
        self._frame.view[: len(data)] = data
        self.en.input(self._frame.addr, len(data), checked)

    def take(self):
        """-> what was sent since the last time."""
        self.en.settle()
        got, self.card.sent = self.card.sent, []
        return got

    def ask(self, data, checked=False):
        """Let a frame come in. -> what was sent for it."""
        self.give(data, checked)
        return self.take()


def checksum(data):
    """-> the Internet checksum (RFC 1071) of data of an even length."""
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ipv4(payload, protocol, ident=1, fragment=0, source=THERE):
    """-> a frame with an IPv4 packet from the peer."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), ident & 0xFFFF, fragment, 64, protocol, 0) + source + HERE
    return MAC + PEER + b"\x08\x00" + head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload
