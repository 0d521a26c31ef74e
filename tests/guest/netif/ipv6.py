# IPv6 on a card made of Python: addresses from a router's advertisement, its name servers and MTU, neighbours, echo,
# a static address with a static gateway, fragments, and a packet that was too big somewhere.
# with: netcard
import socket, struct, time
import netif
from netcard import MAC, Link
from netcard import PEER as ROUTER

OURS_LL = b"\xfe\x80" + bytes(6) + b"\x00\x00\x00\xff\xfe\x00\x00\x01"
ROUTER_LL = b"\xfe\x80" + bytes(6) + b"\x00\x00\x00\xff\xfe\x00\x00\x02"
ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"
PREFIX = b"\xfd\x00" + bytes(6)
OURS = PREFIX + OURS_LL[8:]
FAR = b"\xfd\x07" + bytes(13) + b"\x07"
NS, NA, RA, RS, PING, PONG, TOO_BIG = 135, 136, 134, 133, 128, 129, 2


def checksum(source, target, protocol, payload):
    data = source + target + struct.pack(">II", len(payload), protocol) + payload + bytes(len(payload) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ip6(source, target, protocol, payload, hops=255, at=2):
    if protocol in (58, 17):
        payload = payload[:at] + struct.pack(">H", checksum(source, target, protocol, payload)) + payload[at + 2 :]
    mac = b"\x33\x33" + target[12:] if target[0] == 0xFF else MAC
    return mac + ROUTER + b"\x86\xdd" + struct.pack(">IHBB", 0x60000000, len(payload), protocol, hops) + source + target + payload


def icmp(source, target, kind, body, code=0):
    return ip6(source, target, 58, struct.pack(">BBH", kind, code, 0) + body)


def wait(condition, ms=5000):
    until = time.ticks_add(time.ticks_ms(), ms)
    while not condition() and time.ticks_diff(until, time.ticks_ms()) > 0:
        time.sleep_ms(20)
    return condition()


def kinds(frames):
    return [f[54] for f in frames if f[12:14] == b"\x86\xdd" and f[20] == 58]


link = Link()
en, card, receive = link.en, link.card, link.ask
en.active(True, True)
print(wait(lambda: len(en.addresses()) == 1), en.addresses())
print(wait(lambda: RS in kinds(card.sent)), NS in kinds(card.sent))

# A router with an address prefix, its own link address, an MTU and a name server
options = b"\x01\x01" + ROUTER + b"\x05\x01\x00\x00" + struct.pack(">I", 1400)
options += b"\x03\x04\x40\xc0" + struct.pack(">III", 86400, 14400, 0) + PREFIX + bytes(8)
options += b"\x19\x03\x00\x00" + struct.pack(">I", 600) + PREFIX + bytes(7) + b"\x53"
receive(icmp(ROUTER_LL, ALL_NODES, RA, b"\x40\x00" + struct.pack(">HII", 1800, 0, 0) + options))
print(wait(lambda: len(en.addresses()) == 2), en.addresses()[-1], netif.dns_servers())

# Who has it, and is it there
group = b"\xff\x02" + bytes(9) + b"\x01\xff" + OURS[13:]
answer = [f for f in receive(icmp(ROUTER_LL, group, NS, bytes(4) + OURS + b"\x01\x01" + ROUTER)) if f[54] == NA]
print(len(answer), answer[0][62:78] == OURS, answer[0][-6:] == MAC)
echo = receive(icmp(ROUTER_LL, OURS, PING, b"\x00\x07\x00\x01" + b"data" * 50))
print(kinds(echo), echo[0][62:66], checksum(echo[0][22:38], echo[0][38:54], 58, echo[0][54:]))
broken = bytearray(icmp(ROUTER_LL, OURS, PING, b"\x00\x07\x00\x01"))
broken[-1] ^= 1
print(receive(bytes(broken)))

# Far away goes to the router; too big a packet comes in fragments, smaller ones when somebody says so
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.sendto(b"x", ("fd07::7", 9))
got, card.sent = card.sent, []
print([(f[:6] == ROUTER, f[38:54] == FAR, f[20]) for f in got])
s.sendto(bytes(3000), ("fd07::7", 9))
got, card.sent = card.sent, []
print([len(f) - 14 for f in got], {f[20] for f in got})
receive(icmp(ROUTER_LL, OURS, TOO_BIG, struct.pack(">I", 1280) + got[0][14:1200]))
s.sendto(bytes(3000), ("fd07::7", 9))
got, card.sent = card.sent, []
print(max(len(f) - 14 for f in got) <= 1280)

# Fragments come together, in any order
receiver = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
receiver.bind(("::", 7))
receiver.settimeout(1)
payload = struct.pack(">HHHH", 5, 7, 2008, 0) + b"ab" * 1000
payload = payload[:6] + struct.pack(">H", checksum(FAR, OURS, 17, payload)) + payload[8:]
for at, more in ((1000, 0), (0, 1)):
    receive(ip6(FAR, OURS, 44, struct.pack(">BBHI", 17, 0, at | more, 99) + payload[at : at + 1000 if more else None]))
data, address = receiver.recvfrom(3000)
print(data == b"ab" * 1000, address)

# A link-local peer is named with its interface, and can be answered by that name
receive(ip6(ROUTER_LL, OURS_LL, 17, struct.pack(">HHHH", 5, 7, 10, 0) + b"hi", at=6))
data, address = receiver.recvfrom(100)
print(data, address)
receiver.sendto(b"you", address)
print([(f[:6] == ROUTER, f[-3:]) for f in card.sent])

en.ipv6("fd01::1", "fe80::ff:fe00:2")
print(wait(lambda: ("fd01::1", 64) in en.addresses()))
for wrong in ("x", "1.2.3.4", ""):
    try:
        en.ipv6(wrong)
    except ValueError as e:
        print(e)
receive(icmp(ROUTER_LL, ALL_NODES, RA, b"\x40\x00" + struct.pack(">HII", 0, 0, 0)))  # no router any more
card.sent.clear()
s.sendto(b"y", ("fd07::8", 9))
print([f[:6] == ROUTER for f in card.sent if f[20] == 17])
en.remove()
print(netif.dns_servers())
