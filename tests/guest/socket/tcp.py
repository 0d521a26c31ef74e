# TCP over the loopback, of both families: what goes in comes out, in whatever pieces, and both ends see the end.
import socket, select


def pair(host, listen_on=None):
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    server.bind((listen_on or host, 0))
    server.listen(1)
    client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    client.connect((host, server.getsockname()[1]))
    accepted, address = server.accept()
    print(address[0], address == client.getsockname(), accepted.getpeername() == address, client.getpeername()[0])
    server.close()
    return client, accepted


for host, listen_on in (("127.0.0.1", None), ("::1", None), ("::1", "::"), ("127.0.0.1", "::"), ("127.0.0.1", ""), ("127.0.0.1", "0.0.0.0")):
    a, b = pair(host, listen_on)
    print(a.send(b"hello"), b.recv(3), b.recv(100))
    print(b.write(b"line one\nline two\nrest"), a.readline(), a.readline(5), a.readline(), a.read(2), a.recv(100))
    a.close()
    print(b.recv(10), b.read(), b.readline())
    b.close()

# 4 MiB each way at once, without waiting
a, b = pair("127.0.0.1")
a.setblocking(False)
b.setblocking(False)
data = memoryview(bytes(range(256)) * 16384)
sent = {a: 0, b: 0}
received = {a: 0, b: 0}
right = True
buffer = bytearray(100000)
poller = select.poll()
poller.register(a, select.POLLIN | select.POLLOUT)
poller.register(b, select.POLLIN | select.POLLOUT)
while min(received.values()) < len(data):
    for s, events in poller.poll(5000):
        if events & select.POLLIN:
            n = s.readinto(buffer)
            at = received[s]
            right = right and n is not None and buffer[: n] == data[at : at + n]
            received[s] += n
        if events & select.POLLOUT:
            sent[s] += s.write(data[sent[s] :]) or 0
            if sent[s] == len(data):
                poller.modify(s, select.POLLIN)
print(right, sum(sent.values()), sum(received.values()))
a.close()
b.close()

# a blocking sendall that is larger than every buffer waits for its reader
import micropython

a, b = pair("::1")
got = 0
sending = True


def reader(_):
    global got
    if sending:
        got += len(b.read(100000) or b"")
        micropython.schedule(reader, None)


b.setblocking(False)
micropython.schedule(reader, None)
a.sendall(bytes(3 << 20))
sending = False
a.close()
b.setblocking(True)
got += len(b.read())
print(got == 3 << 20)
b.close()
