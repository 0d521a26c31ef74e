"""What the machine serves in tests/wire; runs in the machine: echo (7), discard (9), source (19), over TCP; echo over UDP.

discard answers, when its client has sent all, "COUNT SHA256\n". source reads a line "COUNT\n" and sends so many bytes of
block(0), block(1), ...: the host makes the same. count: what happened, for tests that look.
"""
import asyncio
import hashlib
import socket
from asyncio import core
from binascii import hexlify

count = {"open": 0, "udp": 0, "errors": 0}
BLOCK = 4096
_PATTERN = bytes(range(251)) * 18  # 251 is a prime: no two blocks within 251 are the same


def block(n):
    return _PATTERN[n % 251 : n % 251 + BLOCK]


async def echo(reader, writer):
    while True:
        data = await reader.read(8192)
        if not data:
            break
        writer.write(data)
        await writer.drain()


async def discard(reader, writer):
    digest, size = hashlib.sha256(), 0
    while True:
        data = await reader.read(16384)
        if not data:
            break
        size += len(data)
        digest.update(data)
    writer.write(b"%d %s\n" % (size, hexlify(digest.digest())))
    await writer.drain()


async def source(reader, writer):
    left, n = int(await reader.readline()), 0
    while left:
        piece = block(n)[:left]
        writer.write(piece)
        await writer.drain()
        left -= len(piece)
        n += 1


def served(handler):
    """-> the handler, closing its connection whatever happens to that."""

    async def serve(reader, writer):
        count["open"] += 1
        try:
            await handler(reader, writer)
        except (OSError, ValueError):
            count["errors"] += 1
        finally:
            count["open"] -= 1
            await writer.wait_closed()  # in MicroPython it is this that closes

    return serve


def udp_echo(s):
    while True:
        yield core._io_queue.queue_read(s)
        try:
            s.sendto(*s.recvfrom(65535))
            count["udp"] += 1
        except OSError:
            count["errors"] += 1


async def start(address):  # "::" takes IPv4 too
    for port, handler in ((7, echo), (9, discard), (19, source)):
        await asyncio.start_server(served(handler), address, port, backlog=16)
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(socket.getaddrinfo(address, 7)[0][-1])
    s.setblocking(False)
    asyncio.create_task(udp_echo(s))


asyncio.create_task(start("::"))
