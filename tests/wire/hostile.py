"""Frames that no kernel would send, as bytes; each function gives a list, the same for the same seed. Made with scapy."""

import logging
import random
import struct

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

from scapy.config import conf  # noqa: E402
from scapy.layers.dhcp import BOOTP, DHCP  # noqa: E402
from scapy.layers.dns import DNS, DNSQR, DNSRR  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment  # noqa: E402
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6MLQuery, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA,  # noqa: E402
                                ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr, ICMPv6NDOptMTU, ICMPv6NDOptPrefixInfo,
                                ICMPv6NDOptRDNSS, ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting)
from scapy.layers.l2 import ARP, Dot1Q, Ether  # noqa: E402

from rig import GUEST, GUEST6, HOST, LINK6, MAC  # noqa: E402

conf.ipv6_enabled = True
BAD, BAD_MAC = "10.0.0.66", "02:00:00:00:00:66"  # who sends all this
BAD6 = "fe80::66"
_eth = Ether(dst=MAC, src=BAD_MAC)
_mcast = Ether(dst="33:33:00:00:00:01", src=BAD_MAC)
_ip, _ip6 = IP(src=BAD, dst=GUEST), IPv6(src=BAD6, dst=LINK6.partition("%")[0])


def templates():
    """One good frame of every kind that the machine understands."""
    nd = IPv6(src=BAD6, dst=_ip6.dst, hlim=255)
    return [bytes(p) for p in (
        _eth / ARP(op=1, psrc=BAD, hwsrc=BAD_MAC, pdst=GUEST), _eth / ARP(op=2, psrc=BAD, hwsrc=BAD_MAC, pdst=GUEST),
        _eth / _ip / ICMP() / b"ping", _eth / _ip / UDP(sport=1, dport=7) / b"echo",
        _eth / _ip / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr="10.0.0.99") / DHCP(options=[("message-type", "ack"), "end"]),
        _eth / _ip / UDP(sport=53, dport=1024) / DNS(qr=1, qd=DNSQR(qname="a.test"), an=DNSRR(rrname="a.test", rdata="10.0.0.9")),
        _eth / _ip / TCP(sport=2, dport=7, flags="S", options=[("MSS", 1460), ("WScale", 7), ("SAckOK", b""), ("Timestamp", (1, 2))]),
        _eth / _ip / TCP(sport=3, dport=9, flags="A", options=[("SAck", (1, 2, 3, 4))]) / b"data",
        _eth / _ip / ICMP(type=3, code=4, nexthopmtu=68) / IP(src=GUEST, dst=BAD) / TCP(sport=7, dport=2),
        _eth / IP(src=BAD, dst=GUEST, flags="MF", frag=0) / (b"f" * 64), _eth / _ip6 / ICMPv6EchoRequest(data=b"ping"),
        _eth / _ip6 / UDP(sport=1, dport=7) / b"echo", _eth / _ip6 / TCP(sport=4, dport=7, flags="S"),
        _eth / nd / ICMPv6ND_NS(tgt=_ip6.dst) / ICMPv6NDOptSrcLLAddr(lladdr=BAD_MAC),
        _eth / nd / ICMPv6ND_NA(tgt=BAD6) / ICMPv6NDOptDstLLAddr(lladdr=BAD_MAC),
        _eth / nd / ICMPv6ND_Redirect(tgt=BAD6, dst="fd00::9"), _mcast / IPv6(src=BAD6, dst="ff02::1", hlim=1) / ICMPv6MLQuery(),
        _eth / nd / ICMPv6ND_RA() / ICMPv6NDOptPrefixInfo(prefix="fd66::", prefixlen=64) / ICMPv6NDOptMTU() / ICMPv6NDOptRDNSS(),
        _eth / _ip6 / IPv6ExtHdrFragment(m=1, id=5) / (b"f" * 64), _eth / _ip6 / IPv6ExtHdrHopByHop() / ICMPv6EchoRequest(),
        _eth / Dot1Q(vlan=1) / _ip / ICMP())]


def cut_short():
    """Every good frame, at every length that QEMU passes on."""
    return [frame[:n] for frame in templates() for n in range(1, len(frame))]


def changed(count, seed=1):
    """Good frames in which a few bytes behind the Ethernet header are others; half of them with right IPv4 header sums."""
    rnd, good, made = random.Random(seed), templates(), []
    for _ in range(count):
        frame = bytearray(rnd.choice(good))
        for _ in range(rnd.randint(1, 4)):
            frame[rnd.randrange(14, min(len(frame), 80))] = rnd.choice((0, 1, 0x7F, 0x80, 0xFF, rnd.randrange(256)))
        if rnd.random() < 0.5 and frame[12:14] == b"\x08\x00" and len(frame) >= 34:
            frame[24:26] = b"\0\0"
            frame[24:26] = struct.pack(">H", _sum(frame[14:14 + 4 * (frame[14] & 15)]))
        made.append(bytes(frame))
    return made


def _sum(data):
    data = bytes(data) + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def options():
    """TCP and IP options of every kind and length, right checksums."""
    made = []
    for kind in (0, 1, 2, 3, 4, 5, 8, 19, 30, 254, 255):
        for length in (0, 1, 2, 3, 4, 6, 10, 18, 38, 40, 255):
            body = bytes([kind, length]).ljust(40, b"\x02")
            tcp = bytearray(bytes(TCP(sport=5, dport=7, flags="S", dataofs=15, chksum=0)) + body)
            made.append(bytes(_eth / _ip / TCP(bytes(tcp)[:20] + body)))
            made.append(bytes(_eth / IP(src=BAD, dst=GUEST, ihl=15, chksum=0, proto=1))[:34] + body + bytes(ICMP()))
    return made


def extension_headers():
    """IPv6 headers in chains that are long, circular, cut or lie about their lengths."""
    body, made = bytes(ICMPv6EchoRequest(data=b"x")), []
    for depth in (1, 2, 8, 100):
        for header in (IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment):
            packet = _ip6
            for _ in range(depth):
                packet = packet / header()
            made.append(bytes(_eth / packet / body))
    for length in (0, 1, 4, 31, 32, 127, 128, 255):
        made += [bytes(_eth / _ip6 / header(len=length) / body) for header in (IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt)]
        made.append(bytes(_eth / _ip6 / IPv6ExtHdrRouting(len=length, type=0, segleft=length) / body))
        made.append(bytes(_eth / IPv6(src=BAD6, dst=_ip6.dst, nh=0, plen=length) / bytes([58, length, 5, 2, 0, 0, 0xC2, 4, 0, 1, 0, 0])))
    return made


def fragments(count=300, seed=2):
    """Overlapping, beyond 64 KiB, in pieces of 8 bytes, of length 0, without an end, twice the last one."""
    rnd, made = random.Random(seed), []
    for n in range(count):
        for _ in range(4):
            offset, size, more = rnd.choice((0, 1, 2, 100, 181, 8190, 8191)), rnd.choice((0, 1, 7, 8, 16, 1400)), rnd.random() < 0.7
            made.append(bytes(_eth / IP(src=BAD, dst=GUEST, id=n, proto=1, frag=offset, flags="MF" if more else 0) / (b"a" * size)))
            made.append(bytes(_eth / _ip6 / IPv6ExtHdrFragment(nh=58, id=n, offset=offset, m=int(more)) / (b"a" * size)))
    whole = _ip / ICMP() / (b"tear" * 700)
    parts = [bytes(_eth / part) for part in fragment(whole, 24)]
    return made + parts[::-1] + parts[::2] + parts


def impossible_senders():
    """LAND and its relatives: from ourselves, from everybody, from nobody."""
    made = []
    for source in (GUEST, "127.0.0.1", "0.0.0.0", "255.255.255.255", "10.0.0.255", "224.0.0.1", "240.0.0.1"):
        ip = IP(src=source, dst=GUEST)
        made += [bytes(_eth / ip / p) for p in (ICMP(), UDP(sport=7, dport=7) / b"x", TCP(sport=7, dport=7, flags="S"))]
        made.append(bytes(_eth / ARP(op=1, psrc=source, hwsrc=BAD_MAC, pdst=GUEST)))
    for source in (GUEST6, "::", "::1", "ff02::1", "::ffff:10.0.0.1"):
        ip = IPv6(src=source, dst=GUEST6)
        made += [bytes(_eth / ip / p) for p in (ICMPv6EchoRequest(), UDP(sport=7, dport=7) / b"x", TCP(sport=7, dport=7, flags="S"))]
    made += [bytes(Ether(dst=MAC, src=source) / _ip / ICMP()) for source in (MAC, "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00")]
    return made * 10


def junk(count=3000, seed=3):
    """Noise of every length and type."""
    rnd, made = random.Random(seed), []
    for _ in range(count):
        to = rnd.choice((bytes.fromhex(MAC.replace(":", "")), b"\xff" * 6, bytes.fromhex("333300000001"), rnd.randbytes(6)))
        kind = rnd.choice((b"\x08\x00", b"\x86\xdd", b"\x08\x06", b"\x81\x00", b"\x00\x00", rnd.randbytes(2)))
        made.append((to + rnd.randbytes(6) + kind + rnd.randbytes(rnd.choice((0, 1, 20, 46, 200, 1500, 1504, 4000))))
                    [:rnd.choice((1, 13, 14, 15, 34, 9000))])
    return made


def neighbours(count=500, seed=4):
    """ARP and ND announcements for addresses nobody asked for, among them ours and the host's."""
    rnd, made = random.Random(seed), []
    for _ in range(count):
        mac = "02:" + ":".join(f"{rnd.randrange(256):02x}" for _ in range(5))
        address = rnd.choice((f"10.0.0.{rnd.randrange(256)}", GUEST, HOST))
        made.append(bytes(Ether(dst=rnd.choice((MAC, "ff:ff:ff:ff:ff:ff")), src=mac) /
                          ARP(op=rnd.choice((1, 2)), psrc=address, hwsrc=mac, pdst=rnd.choice((GUEST, address)))))
        target = rnd.choice((f"fd00::{rnd.randrange(65536):x}", f"fe80::{rnd.randrange(65536):x}"))
        made.append(bytes(_eth / IPv6(src=target, dst=_ip6.dst, hlim=255) / ICMPv6ND_NA(tgt=target, S=rnd.randrange(2), O=1) /
                          ICMPv6NDOptDstLLAddr(lladdr=mac)))
    return made * 5


def routers(count=300, seed=5):
    """Router advertisements: everybody is one, with prefixes, MTUs, servers and lifetimes of all kinds."""
    rnd, made = random.Random(seed), []
    for n in range(count):
        ra = ICMPv6ND_RA(routerlifetime=rnd.choice((0, 1, 65535)), chlim=rnd.choice((0, 1, 64)))
        prefix = ICMPv6NDOptPrefixInfo(prefix=f"fd66:{n:x}::", prefixlen=rnd.choice((0, 48, 64, 127, 128, 255)), L=1, A=1,
                                       validlifetime=rnd.choice((0, 1, 0xFFFFFFFF)), preferredlifetime=rnd.choice((0, 0xFFFFFFFF)))
        made.append(bytes(_mcast / IPv6(src=f"fe80::{n + 100:x}", dst="ff02::1", hlim=255) / ra / prefix /
                          ICMPv6NDOptMTU(mtu=rnd.choice((0, 1, 1279, 1280, 1500, 9000, 0xFFFFFFFF))) /
                          ICMPv6NDOptRDNSS(dns=[f"fd66::{rnd.randrange(65536):x}" for _ in range(rnd.randrange(1, 5))])))
    return made * 3
