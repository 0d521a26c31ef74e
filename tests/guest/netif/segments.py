# A card that cuts long frames into TCP segments: what it is given, cut as virtio 1.2, 5.1.6.2 says, is what a plain card would send.
# with: netcard
import array, socket, struct, time
import mem
from netcard import ARP_ANSWER, MAC, PEER, Link, checksum, ipv4

HERE6, THERE6 = b"\xfd\x00" + bytes(13) + b"\x01", b"\xfd\x00" + bytes(13) + b"\x02"
SYN, PSH, ACK = 2, 8, 16
ROOM = 24


class Card:
    mac = MAC
    mtu = 1500
    csum = True
    cuts = 3

    def __init__(self):
        self.buffer = mem.dma(2048 * ROOM)
        self.at = 0
        self.tx = array.array("Q", [self.buffer.addr])
        self.parts, self.sent = [], []

    def take(self, length):
        self.parts.append(self.buffer.view[2048 * self.at : 2048 * self.at + length])  # its headers change until it is sent
        self.at = (self.at + 1) % ROOM
        self.tx[0] = self.buffer.addr + 2048 * self.at
        if len(self.parts) >= self.room:
            self.tx[0] = 0

    room = ROOM

    def transmit(self, length, csum):
        assert not self.parts, "a frame amid another one"
        self.take(length)
        self.send_held(csum, 0)

    def hold(self, length):
        self.take(length)

    def send_held(self, csum, gso):
        self.sent.append(([bytearray(part) for part in self.parts], csum, gso))
        self.parts = []
        self.tx[0] = self.buffer.addr + 2048 * self.at


card = Card()
link = Link(card)
en, receive = link.en, link.give
en.ipv4("10.0.0.1", "255.255.255.0", "10.0.0.2")
en.ipv6("fd00::1")
en.active(True, True)


def packet(ip6, payload):
    if ip6:
        return MAC + PEER + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(payload), 6, 64) + THERE6 + HERE6 + payload
    return ipv4(payload, 6)


def tcp(ip6, port, seq, ack, flags, options=b"", window=0xFFFF):
    receive(packet(ip6, struct.pack(">HHIIBBHHH", port, 80, seq, ack & 0xFFFFFFFF, (5 + len(options) // 4) << 4, flags, window, 0, 0) + options))


def complete(data, csum):
    """What the device does first: add up from a place on, and write the sum. -> True if TCP's checksum is right then."""
    start, at = csum >> 16, (csum >> 16) + (csum & 0xFFFF)
    total = checksum(data[start:] + bytes(len(data) & 1))
    data[at : at + 2] = struct.pack(">H", total)


def cut(parts, csum, gso):
    """-> frames on the wire."""
    data = bytearray(b"".join(parts))
    if not gso:
        if csum:
            complete(data, csum)
        return [data]
    kind, headers, segment = gso >> 32, gso >> 16 & 0xFFFF, gso & 0xFFFF
    ip6 = kind == 4
    start = csum >> 16
    assert headers == start + 20 and start == (54 if ip6 else 34) and csum & 0xFFFF == 16
    length = struct.unpack_from(">H", data, 18 if ip6 else 16)[0]
    assert length == len(data) - (54 if ip6 else 14), "length in the IP header"
    assert ip6 or checksum(data[14:34]) == 0, "checksum of the IP header"
    pseudo = struct.unpack_from(">H", data, start + 16)[0]
    total = checksum(data[22 if ip6 else 26 : start] + struct.pack(">HH", 6, len(data) - start))
    assert pseudo == ~total & 0xFFFF, "sum of the pseudo header"
    out = []
    for at in range(headers, len(data), segment):
        piece = data[:headers] + data[at : at + segment]
        last = at + segment >= len(data)
        seq = struct.unpack_from(">I", data, start + 4)[0] + at - headers
        struct.pack_into(">I", piece, start + 4, seq & 0xFFFFFFFF)
        piece[start + 13] &= 0xFF if last else ~PSH
        struct.pack_into(">H", piece, 18 if ip6 else 16, len(piece) - (54 if ip6 else 14))
        struct.pack_into(">H", piece, start + 16, 0)
        out.append(piece)
    return out


def drain(ip6):
    """-> (data, pushes) of the segments that were sent since, in order; the number of frames that the card was given for them."""
    en.settle()
    given, card.sent = card.sent, []
    start = 54 if ip6 else 34
    data, pushes, expected, frames = b"", [], None, 0
    for parts, csum, gso in given:
        if parts[0][12:14] != (b"\x86\xdd" if ip6 else b"\x08\x00") or parts[0][20 if ip6 else 23] != 6:
            continue
        frames += 1
        for piece in cut(parts, csum, gso):
            seq = struct.unpack_from(">I", piece, start + 4)[0]
            payload = bytes(piece[start + 4 * (piece[start + 12] >> 4) :])
            if payload:
                assert expected in (None, seq), "segments out of order"
                expected = seq + len(payload) & 0xFFFFFFFF
                assert len(payload) <= 1460
                pushes.append(piece[start + 13] & PSH != 0)
                data += payload
    return data, pushes, frames


def opened(ip6, port, mss=1460, window=0xFFFF):
    tcp(ip6, port, 1000, 0, SYN, b"\x02\x04" + struct.pack(">H", mss) + b"\x01\x03\x03\x07", window)
    en.settle()
    (answer,) = [p[0] for p, c, g in card.sent if p[0][12:14] in (b"\x08\x00", b"\x86\xdd") and p[0][20 if ip6 else 23] == 6]
    card.sent.clear()
    ours = struct.unpack_from(">I", answer, (54 if ip6 else 34) + 4)[0] + 1
    tcp(ip6, port, 1001, ours, ACK, window=window)
    return server6.accept()[0] if ip6 else server.accept()[0], ours


receive(ARP_ANSWER)
server = socket.socket()
server.bind(("10.0.0.1", 80))
server.listen(8)
server6 = socket.socket(socket.AF_INET6)
server6.bind(("fd00::1", 80))
server6.listen(8)
text = bytes([i * 7 & 0xFF for i in range(5000)]) * 4

for ip6 in (False, True):
    if ip6:  # the peer asks for us, and so tells where it is
        for _ in range(300):
            if ("fd00::1", 64) in en.addresses():
                break
            time.sleep_ms(10)
        nd = b"\x87\x00\x00\x00" + bytes(4) + HERE6 + b"\x01\x01" + PEER
        total = checksum(THERE6 + HERE6 + struct.pack(">II", len(nd), 58) + nd)
        nd = nd[:2] + struct.pack(">H", total) + nd[4:]
        receive(MAC + PEER + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(nd), 58, 255) + THERE6 + HERE6 + nd)
    s, ours = opened(ip6, 50000)
    sent, frames, got, pushes = 0, 0, b"", []
    while sent < len(text):
        sent += s.send(text[sent:])
        more, push, count = drain(ip6)
        got, pushes, frames = got + more, pushes + push, frames + count
        tcp(ip6, 50000, 1001, ours + len(got), ACK)
    while len(got) < len(text):
        more, push, count = drain(ip6)
        got, pushes, frames = got + more, pushes + push, frames + count
        tcp(ip6, 50000, 1001, ours + len(got), ACK)
    print("IPv6" if ip6 else "IPv4", got == text, len(pushes), "segments,", "fewer frames" if frames < len(pushes) // 2 else frames, pushes[-1], sum(pushes) < 4)
    # Not the first time: the window is open, all goes at once.
    some = 5 * (1440 if ip6 else 1460)
    card.sent.clear()
    s.send(text[:some])
    got, pushes, frames = drain(ip6)
    print("at once", got == text[:some], len(pushes), frames, pushes)
    tcp(ip6, 50000, 1001, ours + len(text) + some, ACK)
    drain(ip6)
    s.send(b"one byte more than none")
    print("short", drain(ip6))
    s.close()
    card.sent.clear()

# A small largest segment: parts of a frame are bounded, as are frames; each is what the peer can take.
s, ours = opened(False, 50002, 100)
sent, got, longest = 0, b"", 0
while len(got) < 20000:
    sent += s.send(text[sent : sent + 20000 - sent]) if sent < 20000 else 0
    en.settle()
    longest = max([longest] + [len(p) for p, c, g in card.sent])
    assert all([g & 0xFFFF in (0, 100) for p, c, g in card.sent])
    got += drain(False)[0]
    tcp(False, 50002, 1001, ours + len(got), ACK)
print("small segments", got == text[:20000], 4 < longest <= 64)
s.close()
card.sent.clear()

# The card takes three parts, then it is full: what it has goes, the rest later.
s, ours = opened(False, 50003)
card.room = 3
s.send(text[:1460])
got = drain(False)[0]
tcp(False, 50003, 1001, ours + len(got), ACK)
s.send(text[1460:])
while len(got) < len(text):
    more, push, count = drain(False)
    assert all([len(p) <= 3 for p, c, g in card.sent])
    got += more
    tcp(False, 50003, 1001, ours + len(got), ACK)
print("little room", got == text)
s.close()
server.close()
server6.close()
en.remove()
