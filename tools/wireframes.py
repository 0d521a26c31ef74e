"""Build and read Ethernet frames by hand: what measurements and answering machines need; scapy is for the odd ones.

Addresses are text, MACs bytes. Checksums are complete. Source: RFC 826, 791, 792, 768, 9293, 1071.
"""

import socket
import struct

MACHINE_MAC = bytes.fromhex("525400123456")  # QEMU's first card
PEER_MAC = bytes.fromhex("020000000002")
GUEST, PEER = "10.0.0.1", "10.0.0.2"
ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86dd
ICMP, TCP, UDP = 1, 6, 17
BROADCAST = b"\xff" * 6


def checksum(data):
    """Return the Internet checksum of data, which is 0 over data that has its own in it."""
    data = bytes(data) + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(kind, payload, to=MACHINE_MAC, source=PEER_MAC):
    """Pack a frame, padded to the least that Ethernet carries."""
    return (to + source + struct.pack(">H", kind) + payload).ljust(60, b"\0")


def ipv4(protocol, payload, source=PEER, to=GUEST, ident=1, ttl=64):
    """Pack an IPv4 packet in a frame."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, 0, ttl, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(to))
    return ethernet(IPV4, head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload)


def ping(ident, sequence, payload=b"", source=PEER, to=GUEST):
    """Pack an echo request."""
    head = struct.pack(">BBHHH", 8, 0, 0, ident, sequence)
    return ipv4(ICMP, head[:2] + struct.pack(">H", checksum(head + payload)) + head[4:] + payload, source, to)


def is_pong(frame, ident, sequence):
    """Is a frame the answer to ping(ident, sequence)?"""
    return frame[12:14] == b"\x08\x00" and frame[23] == ICMP and frame[34] == 0 and frame[38:42] == struct.pack(">HH", ident, sequence)


def udp(source_port, port, payload, source=PEER, to=GUEST):
    """Pack a datagram."""
    length = 8 + len(payload)
    pseudo = socket.inet_aton(source) + socket.inet_aton(to) + struct.pack(">BBH", 0, UDP, length)
    head = struct.pack(">HHHH", source_port, port, length, 0)
    total = checksum(pseudo + head + payload) or 0xFFFF
    return ipv4(UDP, head[:6] + struct.pack(">H", total) + payload, source, to)


def datagram(frame):
    """Return (source port, port, payload) of a UDP frame over IPv4 without options, else None."""
    if frame[12:14] != b"\x08\x00" or frame[14] != 0x45 or frame[23] != UDP:
        return None
    source_port, port, length = struct.unpack(">HHH", frame[34:40])
    return source_port, port, frame[42:34 + length]


FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32


def tcp(source_port, port, flags, seq=0, ack=0, payload=b"", window=65535, source=PEER, to=GUEST, options=b""):
    """Pack a TCP segment; options are padded to whole words."""
    options += b"\0" * (-len(options) % 4)
    head = struct.pack(">HHIIBBHHH", source_port, port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (20 + len(options)) // 4 << 4, flags,
                       window, 0, 0) + options
    pseudo = socket.inet_aton(source) + socket.inet_aton(to) + struct.pack(">BBH", 0, TCP, len(head) + len(payload))
    return ipv4(TCP, head[:16] + struct.pack(">H", checksum(pseudo + head + payload)) + head[18:] + payload, source, to)


def segment(frame):
    """Return (source port, port, seq, ack, flags, window, payload) of a TCP frame over IPv4 without options, else None."""
    if frame[12:14] != b"\x08\x00" or frame[14] != 0x45 or frame[23] != TCP:
        return None
    end = 14 + int.from_bytes(frame[16:18], "big")
    source_port, port, seq, ack, offset, flags, window = struct.unpack(">HHIIBBH", frame[34:50])
    return source_port, port, seq, ack, flags & 63, window, frame[34 + (offset >> 4) * 4:end]


def arp(operation, sender_mac, sender, target_mac, target, to=BROADCAST):
    """Pack an ARP packet: operation 1 asks, 2 answers."""
    return ethernet(ARP, struct.pack(">HHBBH6s4s6s4s", 1, IPV4, 6, 4, operation, sender_mac, socket.inet_aton(sender), target_mac,
                                     socket.inet_aton(target)), to, sender_mac)


def arp_answerer(peer, mine=PEER, mac=PEER_MAC):
    """Return a handler for a peer.Peer that answers ARP requests for one address."""

    def answer(frame):
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == socket.inet_aton(mine):
            asker = socket.inet_ntoa(frame[28:32])
            peer.send(arp(2, mac, mine, frame[22:28], asker, frame[22:28]))

    return answer
