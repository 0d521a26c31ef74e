# When a card is told of frames: once for what comes together, and of acknowledgements alone with what the program does next.
# A timer of lwIP's may ring between, and a host may be busy: each is tried a few times.
# with: netcard
import clock, socket, struct, time
from netcard import ARP_ANSWER, Card, Link, checksum, ipv4

SYN, ACK = 2, 16
PART = 1460
LIMIT = 10_000_000  # ns; acknowledgements wait no longer


class Bell(Card):
    def __init__(self):
        super().__init__()
        self.told = self.told_at = 0

    def notify(self):
        self.told += 1
        self.told_at = clock.ns()


card = Bell()
link = Link(card)
link.up()
link.give(ARP_ANSWER)
server = socket.socket()
server.bind(("10.0.0.1", 80))
server.listen(2)
server.settimeout(10)


def tcp(seq, ack, flags, data=b"", options=b""):
    head = struct.pack(">HHIIBBHHH", 50000, 80, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (5 + len(options) // 4) << 4, flags, 0xFFFF, 0, 0)
    link.give(ipv4(head + options + data, 6))


def packets():
    """-> frames that were sent, without those by which an interface makes itself known."""
    return [f for f in card.sent if f[12:14] == b"\x08\x00"]


def told():
    """-> (frames sent, how often the card was told) since the last time."""
    frames, times = len(packets()), card.told
    card.sent.clear()
    card.told = 0
    return frames, times


def bring(count):
    """Let so many segments come in."""
    global at
    for _ in range(count):
        tcp(1001 + at, ours, ACK, b"x" * PART)
        at += PART
    link.en.settle()


def settled():
    time.sleep_ms(20)
    return told()


def check(trial, *expected):
    for _ in range(5):
        settled()
        got = trial()
        if got == expected:
            break
    print(trial.__name__, got == expected or got)


tcp(1000, 0, SYN, options=b"\x02\x04\x05\xb4\x01\x03\x03\x07")
link.en.settle()
(answer,) = packets()
print("connection", card.told > 0)
ours, at = struct.unpack_from(">I", answer, 38)[0] + 1, 0
tcp(1001, ours, ACK)
s = server.accept()[0]


def read_and_wait():
    bring(40)  # acknowledgements behind 16, 32 and all segments
    came = told()
    n = len(s.recv(65536))
    read = told()
    time.sleep_ms(1)
    return came, n, read, told()


def read_much():
    bring(90)
    s.recv(65536)
    first = told()
    s.recv(65536)
    second = told()
    time.sleep_ms(1)
    return first, second, told()


def answered():
    global ours
    bring(4)
    came = told()
    ours += s.write(b"answer")
    s.recv(65536)
    return came, told()


def computing():
    bring(4)
    start = clock.ns()
    came = told()
    while card.told == 0 and clock.ns() - start < 100 * LIMIT:
        pass
    waited = card.told_at - start
    s.recv(65536)
    return came, told(), LIMIT * 0.9 < waited < LIMIT * 1.5


def pinged():
    bring(4)
    came = told()
    echo = b"\x08\x00" + bytes(2) + b"\x12\x34\x00\x01" + b"ping"
    link.give(ipv4(echo[:2] + struct.pack(">H", checksum(echo)) + echo[4:], 1))
    link.en.settle()
    s.recv(65536)
    return came, told()


def missing():
    tcp(1001 + at + PART, ours, ACK, b"x" * PART)
    link.en.settle()
    return told()


check(read_and_wait, (3, 0), 40 * PART, (0, 0), (0, 1))
check(read_much, (6, 0), (1, 1), (0, 0))
check(answered, (1, 0), (1, 1))
check(computing, (1, 0), (0, 1), True)
check(pinged, (1, 0), (1, 1))
check(missing, 1, 1)
s.close()
server.close()
link.en.remove()
