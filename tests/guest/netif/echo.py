# A network card made of Python under lwIP: it answers ARP and ping, counts, and survives what is no frame.
# with: netcard
import struct
import netif
from netcard import MAC, PEER, Card, Link, checksum, ipv4


def ping(payload):
    icmp = struct.pack(">BBHHH", 8, 0, 0, 7, 1) + payload
    return ipv4(icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:], 1)


link = Link()
link.up()
en, card, receive = link.en, link.card, link.ask
print(en.addresses()[0], en.gateway())

arp = b"\xff" * 6 + PEER + b"\x08\x06" + b"\x00\x01\x08\x00\x06\x04\x00\x01" + PEER + b"\x0a\x00\x00\x02" + b"\x00" * 6 + b"\x0a\x00\x00\x01"
answer = receive(arp)[0]
print(answer[:6] == PEER, answer[20:22], answer[22:28] == MAC, answer[28:32])
echo = receive(ping(b"abcdefgh" * 100))[0]
print(echo[:6] == PEER, echo[34], echo[42:50], checksum(echo[14:34]), checksum(echo[34:]))

broken = bytearray(ping(b"12"))
broken[-1] ^= 1
print(receive(bytes(broken)))
for length in range(1, 60):
    receive(ping(b"x" * 40)[:length])
print(receive(b""), receive(b"\xff" * 4000))
card.tx[0] = 0  # no room
print(receive(ping(b"")), en.counters()[5] > 0)
card.tx[0] = card.buffer.addr


class Bad(Card):
    mac = b"123"


for make in (lambda: netif.Netif(Bad()), lambda: netif.Netif(3), lambda: en.ipv4("10.0.0", "x", "y")):
    try:
        make()
    except (ValueError, AttributeError) as e:
        print(type(e).__name__)
print(len(receive(ping(b"ok"))))
en.remove()
try:
    en.addresses()
except OSError as e:
    print(e)
print(receive(ping(b"gone")))
