# A network card made of Python under lwIP: it answers ARP and ping, counts, and survives what is no frame.
import array, struct
import mem, netif

MAC, PEER = b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02"


class Card:
    mac = MAC
    mtu = 1500
    csum = False

    def __init__(self):
        self.buffer = mem.dma(4096)
        self.tx = array.array("Q", [self.buffer.addr])
        self.sent = []

    def transmit(self, length, csum):
        self.sent.append(bytes(self.buffer.view[:length]))


def ip_sum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ping(payload):
    icmp = struct.pack(">BBHHH", 8, 0, 0, 7, 1) + payload
    icmp = icmp[:2] + struct.pack(">H", ip_sum(icmp)) + icmp[4:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(icmp), 1, 0, 64, 1, 0) + b"\x0a\x00\x00\x02\x0a\x00\x00\x01"
    head = head[:10] + struct.pack(">H", ip_sum(head)) + head[12:]
    return MAC + PEER + b"\x08\x00" + head + icmp


card = Card()
en = netif.Netif(card)
frame = mem.dma(4096)


def receive(data, checked=False):
    frame.view[: len(data)] = data
    en.input(frame.addr, len(data), checked)
    en.settle()
    got, card.sent = card.sent, []
    return got


en.ipv4("10.0.0.1", "255.255.255.0", "10.0.0.2")
en.active(True, True)
card.sent.clear()  # announcements
print(en.addresses()[0], en.gateway())

arp = b"\xff" * 6 + PEER + b"\x08\x06" + b"\x00\x01\x08\x00\x06\x04\x00\x01" + PEER + b"\x0a\x00\x00\x02" + b"\x00" * 6 + b"\x0a\x00\x00\x01"
answer = receive(arp)[0]
print(answer[:6] == PEER, answer[20:22], answer[22:28] == MAC, answer[28:32])
echo = receive(ping(b"abcdefgh" * 100))[0]
print(echo[:6] == PEER, echo[34], echo[42:50], ip_sum(echo[14:34]), ip_sum(echo[34:]))

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
