# asyncio and select over IPv6: server and clients on ::1, one server for both families, addresses that programs see.
import asyncio
import select
import socket


async def echo(reader, writer):
    data = await reader.readexactly(100000)
    peer = writer.get_extra_info("peername")
    writer.write(data)
    writer.write(("%s" % peer[0]).encode() + b"\n")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def client(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    data = bytes(range(250)) * 400
    writer.write(data)
    await writer.drain()
    same = await reader.readexactly(len(data)) == data
    seen = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return same, seen


async def main():
    server = await asyncio.start_server(echo, "::", 8071)
    print(await asyncio.gather(*[client("::1", 8071) for _ in range(3)]))
    print(await client("127.0.0.1", 8071))
    server.close()
    await server.wait_closed()


asyncio.run(main())

listener = socket.socket(socket.AF_INET6)
listener.bind(socket.getaddrinfo("::1", 8072)[0][-1])
listener.listen(1)
s = socket.socket(socket.AF_INET6)
s.connect(socket.getaddrinfo("::1", 8072)[0][-1])
poller = select.poll()
poller.register(listener, select.POLLIN)
print([event for _, event in poller.poll(5000)] == [select.POLLIN])
peer, address = listener.accept()
print(address[0], s.getpeername()[:2], peer.getsockname()[:2])
s.send(b"over six")
print(peer.recv(100))
for x in (s, peer, listener):
    x.close()
