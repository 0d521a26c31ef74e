# How connections end, and what every call says then.
import errno, select, socket, time


def fails(f, *args):
    try:
        print("no error", f(*args))
    except OSError as e:
        print(errno.errorcode.get(e.errno, e.errno))


def pair():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    client = socket.socket()
    client.connect(server.getsockname())
    accepted, _ = server.accept()
    server.close()
    return client, accepted


def events(s, mask=select.POLLIN | select.POLLOUT):
    poller = select.poll()
    poller.register(s, mask)
    return [ev for _, ev in poller.poll(0)]


print("fresh")
s = socket.socket()
print(events(s) == [select.POLLOUT | select.POLLHUP])
for call in (s.recv, s.read):
    fails(call, 1)
fails(s.send, b"x")
fails(s.accept)
fails(s.getpeername)
s.close()
print(events(s) == [32])
for call, args in ((s.recv, (1,)), (s.send, (b"",)), (s.accept, ()), (s.listen, ()), (s.bind, (("127.0.0.1", 1),)), (s.getsockname, ())):
    fails(call, *args)
s.close()

print("refused, timed out")
s = socket.socket()
fails(s.connect, ("127.0.0.1", 9))
print(events(s) == [select.POLLIN | select.POLLOUT | select.POLLHUP])
fails(s.send, b"x")
print(s.recv(1))
s.close()
a, b = pair()
a.settimeout(0.05)
fails(a.recv, 1)
a.settimeout(0)
fails(a.recv, 1)
print(a.read(1), a.readline())
print(a.write(bytes(1 << 20)) < 1 << 20)
fails(a.sendall, bytes(1 << 20))
a.settimeout(0.05)
while True:
    try:
        a.send(bytes(100000))
    except OSError as e:
        print(errno.errorcode[e.errno])
        break
print(events(a) == [], events(b) == [select.POLLIN | select.POLLOUT])
a.close()
b.close()

print("half closed")
a, b = pair()
a.send(b"question")
a.shutdown(socket.SHUT_WR)
print(b.read(), events(b) == [select.POLLIN | select.POLLOUT])
fails(a.send, b"more")
b.send(b"answer")
b.close()
print(a.read(), a.recv(1), events(a) == [select.POLLIN | select.POLLOUT | select.POLLHUP] or events(a) == [select.POLLIN | select.POLLOUT])
a.close()
a, b = pair()
b.shutdown(socket.SHUT_RD)
a.send(b"nobody reads")
print(b.recv(100), b.send(b"back"), a.recv(100))
a.close()
b.close()

print("reset")
a, b = pair()
b.send(b"unread")
a.send(b"sent before")
time.sleep_ms(10)
a.close()  # with something unread
time.sleep_ms(10)
print(events(b) == [select.POLLIN | select.POLLOUT | select.POLLERR | select.POLLHUP], b.recv(100))
fails(b.recv, 100)
print(b.recv(100), events(b) == [select.POLLIN | select.POLLOUT | select.POLLHUP])
fails(b.send, b"x")
b.close()

print("listener")
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(2)
server.setblocking(False)
fails(server.accept)
print(events(server))
clients = [socket.socket() for _ in range(2)]
for c in clients:
    c.connect(server.getsockname())
    c.send(b"early")
print(events(server) == [select.POLLIN])
clients[0].close()
accepted, _ = server.accept()
accepted.setblocking(True)
print(accepted.read())
fails(server.listen, 3)
other = socket.socket()
fails(other.bind, server.getsockname())
other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
fails(other.bind, server.getsockname())
server.close()
time.sleep_ms(10)
fails(clients[1].recv, 1)
s = socket.socket()
s.bind(("127.0.0.1", 0))
fails(s.bind, ("127.0.0.1", 0))
s.close()
for bad in (("1.2.3.x", 1), ("127.0.0.1", 65536), ("127.0.0.1",), ("a\0b", 1)):
    try:
        socket.socket().connect(bad)
    except ValueError as e:
        print(e)
for family, kind in ((3, 1), (2, 9)):
    fails(socket.socket, family, kind)
