# A socket that nobody holds is closed by the collector, whatever state it is in, and lwIP's memory comes back.
import gc, netif, socket, time


def used():
    gc.collect()
    for _ in range(5):
        time.sleep_ms(1)
    return netif.memory()[0]


def pair():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(5)
    client = socket.socket()
    client.connect(server.getsockname())
    accepted, _ = server.accept()
    return server, client, accepted


def forget():
    """Sockets of every kind, with something unread in each, left where the collector finds them."""
    for _ in range(20):
        server, client, accepted = pair()
        client.send(bytes(1000))
        accepted.send(bytes(1000))
        waiting = socket.socket()
        waiting.connect(server.getsockname())
        waiting.send(b"never accepted")
        udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        udp.bind(("::1", 0))
        udp.sendto(b"to myself", udp.getsockname())
        unbound = socket.socket()
        connecting = socket.socket()
        connecting.setblocking(False)
        try:
            connecting.connect(server.getsockname())
        except OSError:
            pass
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)


forget()
before = used()
forget()
forget()
after = used()
print(before == after or (before, after))

server, client, accepted = pair()
called = []
accepted.setsockopt(socket.SOL_SOCKET, 20, lambda s: called.append(s is accepted))
client.send(b"x")
time.sleep_ms(5)
print(called)
accepted.setsockopt(socket.SOL_SOCKET, 20, None)
client.send(b"x")
time.sleep_ms(5)
print(called, accepted.recv(5))
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
print(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
print(client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), client.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE))
for args in ((socket.SOL_SOCKET, 99, 1), (socket.IPPROTO_TCP, 99, 1), (99, 1, 1), (socket.IPPROTO_IP, 99, 1)):
    try:
        client.setsockopt(*args)
    except OSError as e:
        print(e.errno)
