# UDP over the loopback, of both families: datagrams keep their bounds and their order, wait in a bounded queue.
import errno, select, socket


def fails(f, *args):
    try:
        print("no error", f(*args))
    except OSError as e:
        print(errno.errorcode.get(e.errno, e.errno))


for host, any in (("127.0.0.1", "0.0.0.0"), ("::1", "::"), ("127.0.0.1", "::"), ("::1", "")):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    a = socket.socket(socket.AF_INET6 if ":" in any else family, socket.SOCK_DGRAM)
    a.bind((any, 0))
    b = socket.socket(family, socket.SOCK_DGRAM)
    port = a.getsockname()[1]
    for text in (b"one", b"", b"three" * 300):
        b.sendto(text, (host, port))
    poller = select.poll()
    poller.register(a, select.POLLIN)
    print([ev for _, ev in poller.poll(1000)], a.recvfrom(100)[0], a.recv(100), len(a.recv(1400)), poller.poll(0))
    b.connect((host, port))
    print(b.send(b"connected"), b.getpeername() == (host, port))
    data, address = a.recvfrom(100)
    print(data, address[0], address[1] == b.getsockname()[1])
    a.sendto(b"answer", address)
    buffer = bytearray(10)
    print(b.recv_into(buffer), bytes(buffer))
    a.close()
    b.close()

a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a.bind(("127.0.0.1", 0))
a.settimeout(0)
fails(a.recv, 1)
fails(b.send, b"to whom")
fails(b.sendto, bytes(65508), a.getsockname())
fails(b.sendto, b"family", ("::1", 1))
big = bytes(range(256)) * 128
b.sendto(big, a.getsockname())
a.settimeout(1)
print(a.recv(100000) == big)
for i in range(500):  # more than the queue holds: the first ones stay
    b.sendto(b"%d" % i + bytes(996), a.getsockname())
a.settimeout(0.01)
order = []
try:
    while True:
        order.append(int(a.recv(10).rstrip(b"\0")))
except OSError as e:
    print(errno.errorcode[e.errno], order == sorted(order), order[:100] == list(range(100)), len(order) < 500)
a.close()
fails(a.recv, 1)

# raw: an echo request to ourselves is seen, and answered
import struct

for family, proto, host, kinds in ((socket.AF_INET, socket.IPPROTO_ICMP, "127.0.0.1", (8, 0)), (socket.AF_INET6, socket.IPPROTO_ICMPV6, "::1", (128, 129))):
    raw = socket.socket(family, socket.SOCK_RAW, proto)
    packet = struct.pack(">BBHHH", kinds[0], 0, 0, 77, 1) + b"payload!"
    if family == socket.AF_INET:
        total = sum(struct.unpack(">8H", packet))
        total = (total & 0xFFFF) + (total >> 16)
        packet = packet[:2] + struct.pack(">H", ~total & 0xFFFF) + packet[4:]
    raw.sendto(packet, (host, 0))
    raw.settimeout(1)
    seen = []
    for _ in range(2):
        data, address = raw.recvfrom(100)
        head = 20 if family == socket.AF_INET else 40 if data[0] >> 4 == 6 else 0
        seen.append((data[head], data[-8:], address[0]))
    print([kind in [k for k, _, _ in seen] for kind in kinds], seen[0][1:])
    raw.close()
