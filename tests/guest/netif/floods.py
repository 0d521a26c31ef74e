# What no honest peer sends, and much of it: memory stays bounded and comes back, and the stack answers as before.
# with: netcard
import gc, socket, struct, time
import netif
from netcard import ARP_ANSWER, HERE, THERE, Link
from netcard import ipv4 as ip

SYN, RST, ACK = 2, 4, 16


link = Link()
link.up()
en, card, receive = link.en, link.card, link.give


def tcp(port, seq, ack, flags, data=b"", source=THERE, options=b""):
    return ip(struct.pack(">HHIIBBHHH", port, 80, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (5 + len(options) // 4) << 4, flags, 0xFFFF, 0, 0) + options + data, 6, source=source)


def answers():
    return [f for f in link.take() if f[12:14] == b"\x08\x00"]


def settled():
    """Memory in use once all that was let go is gone."""
    gc.collect()
    for _ in range(3):
        en.settle()
        time.sleep_ms(2)
    return netif.memory()[0]


def shake(port, source=THERE, scaling=b"\x01\x03\x03\x07"):
    """Connect as a peer. -> the number of its next byte, of ours"""
    receive(tcp(port, 1000, 0, SYN, source=source, options=b"\x02\x04\x05\xb4" + scaling))
    syn_ack = [f for f in answers() if f[47] == SYN | ACK and f[36:38] == struct.pack(">H", port)][0]  # others are repeated
    ours = struct.unpack(">I", syn_ack[38:42])[0] + 1
    receive(tcp(port, 1001, ours, ACK, source=source))
    return 1001, ours


receive(ARP_ANSWER)
server = socket.socket()
server.bind(("10.0.0.1", 80))
server.listen(20)
server.settimeout(1)
stats = dict(netif.stats())
limit = netif.memory()[1]
start = settled()

# Requests that nobody finishes, from many places: a later honest one gets in.
for i in range(2000):
    receive(tcp(1024 + i, i, 0, SYN))
    if i % 100 == 0:
        card.sent.clear()
card.sent.clear()
print("half open", netif.memory()[0] - start < 40000, dict(netif.stats())["requests_dropped"] - stats["requests_dropped"])
theirs, ours = shake(50000)
connection, address = server.accept()
print(address)

# Where it is full of connections that nobody took yet, one more request waits, and nobody is reset who answers late.
for i in range(1900, 2000):
    receive(tcp(1024 + i, i + 1, 0, RST))
taken = [(51000 + i,) + shake(51000 + i) for i in range(12)]
for i in range(8):
    receive(tcp(52000 + i, 1000, 0, SYN))
numbers = {struct.unpack(">H", f[36:38])[0]: struct.unpack(">I", f[38:42])[0] + 1 for f in answers() if f[47] == SYN | ACK}
taken += [(52000 + i, 1001, numbers[52000 + i]) for i in range(8)]
receive(tcp(53000, 1000, 0, SYN))
for port, theirs_now, ours_now in taken[12:]:
    receive(tcp(port, theirs_now, ours_now, ACK))
en.settle()
print("late answers", [f[47] for f in answers() if f[47] & RST])
print("accepted", sorted([server.accept()[1][1] for _ in range(20)]) == [port for port, _, _ in taken])
for port, theirs_now, ours_now in taken:
    receive(tcp(port, theirs_now, ours_now, RST))
en.settle()
card.sent.clear()

# Bytes one by one cost no more than they must; a shut window lets none in.
for i in range(20000):
    receive(tcp(50000, theirs + i, ours, ACK, b"x"))
    card.sent.clear()
en.settle()
print("single bytes", netif.memory()[0] - start < 200000, len(connection.recv(1 << 20)))
theirs += 20000

# Everything but the first byte, then nothing more.
for i in range(600, 0, -1):
    receive(tcp(50000, theirs + 1400 * i, ours, ACK, bytes(1400)))
    card.sent.clear()
en.settle()
print("out of order", 300000 < netif.memory()[0] - start < 1500000)
receive(tcp(50000, theirs, ours, ACK, b"z" * 1400))
en.settle()
got = connection.recv(1 << 20)
print("filled", len(got) > 300000, got == b"z" * 1400 + bytes(len(got) - 1400))
theirs += len(got)
for i in range(3000):  # holes everywhere
    receive(tcp(50000, theirs + 2 + 140 * i, ours, ACK, b"y"))
    card.sent.clear()
en.settle()
print("holes", netif.memory()[0] - start < 1500000)
receive(tcp(50000, theirs - 1, ours, RST))  # not the next byte: no reset
receive(tcp(50000, theirs + 5000000, ours, ACK, b"far away"))
en.settle()
print(connection.send(b"alive"), [f[54:] for f in answers() if f[36:38] == b"\xc3\x50" and f[54:]])
connection.close()
receive(tcp(50000, theirs, ours + 6, RST))

# A peer without window scaling that has filled the window is told when there is room again.
theirs, ours = shake(50001, scaling=b"")
connection = server.accept()[0]
for at in range(0, 65535, 1285):
    receive(tcp(50001, theirs + at, ours, ACK, bytes(1285)))
answers()
connection.read(65535)
print("window", max([struct.unpack(">H", f[48:50])[0] for f in answers() if f[36:38] == b"\xc3\x51"]) > 20000)
connection.close()
receive(tcp(50001, theirs + 65535, ours + 1, RST))

# Fragments of which one is always missing, of datagrams without end.
for i in range(500):
    for part in (1, 2, 3):
        receive(ip(bytes(1400), 17, i, 0x2000 | part * 175))
en.settle()
print("fragments", netif.memory()[0] - start < 300000)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("10.0.0.1", 53))
udp.settimeout(1)
for i in range(1000):
    receive(ip(struct.pack(">HHHH", 5, 53, 1008, 0) + bytes(1000), 17))
en.settle()
print("datagrams", netif.memory()[0] - start < 600000, udp.recvfrom(10))
udp.close()

# Ten connections that are sent all that their windows take, and nobody reads: data is turned away before all is gone.
for i in range(200):
    theirs, ours = shake(20000 + i)
    for at in range(0, 450000, 1450):
        receive(tcp(20000 + i, theirs + at, ours, ACK, bytes(1450)))
    card.sent.clear()
    en.settle()
    try:
        connection = server.accept()[0]
    except OSError:
        break
    card.held = getattr(card, "held", []) + [connection]
    if netif.memory()[0] > limit // 4 * 3:
        break
print("unread", netif.memory()[0] < limit, dict(netif.stats())["frames_refused"] > 0)
receive(ip(b"\x08\x00\xf7\xfe\x00\x00\x00\x01", 1))
print("ping", [f[34] for f in answers() if f[23] == 1])
for connection in card.held:
    connection.close()
card.held = []
server.close()
en.settle()
card.sent.clear()
before = time.ticks_ms()
while settled() > start + 60000 and time.ticks_diff(time.ticks_ms(), before) < 25000:  # fragments age for 15 s
    card.sent.clear()
    time.sleep_ms(500)
print("given back", settled() <= start + 60000 or (settled(), start))
print(sorted(k for k, v in netif.stats() if v > stats[k] and k != "memory_used"))
en.remove()
