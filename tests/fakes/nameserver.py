"""A name server on the loopback, for the unix port: what it answers is a function of the question.

    async with Server(answer) as server: ... server.address ...

answer(message, name, kind, tcp) -> bytes, a list of bytes (datagrams), or None for silence.
"""

import asyncio
import socket
import struct
from asyncio import core


def question_of(message):
    """-> (name in lower case as text, kind, the question's bytes)."""
    labels, at = [], 12
    while message[at]:
        labels.append(str(message[at + 1 : at + 1 + message[at]], "utf-8").lower())
        at += message[at] + 1
    return ".".join(labels), message[at + 2], message[12 : at + 5]


def answer(message, records=(), rcode=0, flags=0x8180, opt=True):
    """-> an answer to message; records: (kind, data) of the name asked for."""
    body = b"".join([b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data for kind, data in records])
    head = message[:2] + struct.pack(">HHHHH", flags | rcode, 1, len(records), 0, 1 if opt else 0)
    return head + question_of(message)[2] + body + (b"\0\0\x29\x04\xd0\0\0\0\0\0\0" if opt else b"")


class Server:
    """On a port of 127.0.0.1 for UDP, and the same for TCP."""

    def __init__(self, reply):
        self.reply = reply
        self.asked = []  # (name, kind, tcp)

    async def __aenter__(self):
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for port in range(20053, 20153):
            where = socket.getaddrinfo("127.0.0.1", port, 0, socket.SOCK_DGRAM)[0][-1]
            try:
                self._udp.bind(where)
                self._tcp = await asyncio.start_server(self._stream, "127.0.0.1", port)
                break
            except OSError:
                self._udp.close()
                self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = ("127.0.0.1", port)
        self._udp.setblocking(False)
        self._task = core.create_task(self._datagrams())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        self._tcp.close()
        await self._tcp.wait_closed()
        self._udp.close()

    async def _datagrams(self):
        while True:
            await _readable(self._udp)
            message, peer = self._udp.recvfrom(4096)
            for data in self._answers(message, False):
                self._udp.sendto(data, peer)

    async def _stream(self, stream, _):
        length = await stream.readexactly(2)
        message = await stream.readexactly(length[0] << 8 | length[1])
        for data in self._answers(message, True):
            stream.write(struct.pack(">H", len(data)) + data)
            await stream.drain()
        stream.close()
        await stream.wait_closed()

    def _answers(self, message, tcp):
        name, kind, _ = question_of(message)
        self.asked.append((name, kind, tcp))
        data = self.reply(message, name, kind, tcp)
        return data if isinstance(data, list) else [data] if data is not None else []


def _readable(s):
    yield core._io_queue.queue_read(s)
