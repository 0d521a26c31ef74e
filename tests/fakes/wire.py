"""A connection to a net.http.Server without sockets: what a client sends, in pieces, and what it gets."""

import asyncio

from net.http_connection import Connection


class Stream:
    """The server's end. pieces: bytes that arrive one read after the other; a number waits that many ms.

    stays: the client keeps the connection open behind the last one. takes: bytes it takes, then it is gone.
    """

    def __init__(self, pieces, stays=False, takes=None):
        self.out = bytearray()
        self.closed = False
        self._pieces = list(pieces)
        self._stays = stays
        self._takes = takes

    async def read(self, n):
        while self._pieces and isinstance(self._pieces[0], int):
            await asyncio.sleep_ms(self._pieces.pop(0))
        if not self._pieces:
            while self._stays and not self.closed:
                await asyncio.sleep_ms(5)
            return b""
        piece = self._pieces.pop(0)
        if len(piece) > n:
            self._pieces.insert(0, piece[n:])
        return bytes(piece[:n])

    def write(self, data):
        if self._takes is not None and len(self.out) + len(data) > self._takes:
            raise OSError(104)  # ECONNRESET
        self.out += data

    async def drain(self):
        await asyncio.sleep_ms(0)

    def close(self):
        self.closed = True

    async def wait_closed(self):
        pass


def talk(server, *pieces, **kwargs):
    """-> what a client of the server gets that sends these pieces, until one of them closes."""
    stream = Stream(pieces, **kwargs)
    asyncio.run(serve(server, stream))
    assert stream.closed
    return bytes(stream.out)


async def serve(server, stream):
    connection = Connection(server, stream, ("192.0.2.1", 1))
    server._add(connection)
    try:
        await connection.task
    except asyncio.CancelledError:
        pass


def split(data, methods=()):
    """-> [(status, {lower-case header: value}, body)] of the responses in data, and what is left of it.

    methods: of the requests they answer, as far as they are not GET. Fails where a response is malformed.
    """
    found = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        assert end, data
        lines = str(head, "utf-8").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1" and len(status) == 3, lines[0]
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(": ")
            assert colon and name.lower() not in headers, line
            headers[name.lower()] = value
        method = methods[len(found)] if len(found) < len(methods) else "GET"
        body, data = _body(int(status), headers, rest, method)
        if status != "100":
            found.append((int(status), headers, body))
    return found


def _body(status, headers, rest, method):
    if method == "HEAD" or status in (100, 204, 304):
        return b"", rest
    if "transfer-encoding" in headers:
        assert "content-length" not in headers
        body = b""
        while True:
            line, end, rest = rest.partition(b"\r\n")
            length = int(line, 16)
            assert end and rest[length : length + 2] == b"\r\n"
            body += rest[:length]
            rest = rest[length + 2 :]
            if not length:
                return body, rest
    if "content-length" in headers:
        length = int(headers["content-length"])
        assert len(rest) >= length
        return rest[:length], rest[length:]
    assert headers.get("connection") == "close"
    return rest, b""
