"""What an HTTP handler is given and what it returns: Request, with its body, and Response.

A request's body is read when the handler asks for it, so that it can refuse one, and "Expect: 100-continue" is
answered no sooner than that. Source: RFC 9112 (6, 7), RFC 9110 (10.1.1). Leaves out: what trailers say.
"""

# SPDX-License-Identifier: BSD-3-Clause

from asyncio import TimeoutError, wait_for_ms
from time import ticks_add, ticks_diff, ticks_ms

from net.http_wire import CHUNKED, LINE_MAX, HTTPError, body_length, chunk_length, parse_query

_PIECE = 16384  # bytes read from the connection at once
_AHEAD = 65536  # bytes that a client may send ahead of an answer before we stop reading
_TRAILERS_MAX = 8192


class Input:
    """The receiving side of a connection: bytes until an empty line, by line, or by count.

    limit: called with True before and False after each wait within a request.
    """

    def __init__(self, stream, limit):
        self._stream = stream
        self._limit = limit
        self._buffer = b""
        self._ended = False

    async def fill(self):
        """Wait for more. -> False at the connection's end, however it came."""
        if self._ended:
            return False
        try:
            data = await self._stream.read(_PIECE)
        except OSError:
            data = b""
        self._ended = not data
        self._buffer += data
        return bool(data)

    @property
    def waiting(self):
        """Bytes that were received and not read."""
        return len(self._buffer)

    def clear(self):
        """Forget what was received and not read."""
        self._buffer = b""

    async def head(self, line_max, head_max):
        """-> the lines before an empty one, or None: the connection ended before their first byte.

        Raises HTTPError 400, 414 (its first line is longer than line_max), 431 (all are longer than head_max).
        """
        looked = 0
        while True:
            while self._buffer[:2] == b"\r\n":  # RFC 9112, 2.2: behind the body of the request before
                self._buffer = self._buffer[2:]
            buffer = self._buffer
            end = buffer.find(b"\r\n\r\n", looked)
            line_end = buffer.find(b"\n")
            if buffer and not (0x41 <= buffer[0] <= 0x5A or buffer[0] == 0x0D) or line_end > 0 and buffer[line_end - 1] != 0x0D:
                raise HTTPError(400, "not HTTP")
            if (line_end if line_end >= 0 else len(buffer)) > line_max:
                raise HTTPError(414)
            if (end if end >= 0 else len(buffer)) > head_max:
                raise HTTPError(431)
            if end >= 0:
                self._buffer = buffer[end + 4 :]
                return buffer[:end]
            looked = max(0, len(buffer) - 3)
            if not await self.fill():
                if self._buffer:
                    raise HTTPError(400, "the connection ends within a request")
                return None

    async def line(self):
        """-> the bytes before CR LF, LINE_MAX of them at most. Raises HTTPError 400."""
        while True:
            line, end, rest = self._buffer.partition(b"\r\n")
            if len(line) > LINE_MAX or b"\n" in line:
                raise HTTPError(400, "not a chunk")
            if end:
                self._buffer = rest
                return line
            await self._more()

    async def some(self, n):
        """-> at least one and at most n bytes. Raises HTTPError 400 at the connection's end."""
        if not self._buffer:
            await self._more()
        data = self._buffer[:n]
        self._buffer = self._buffer[len(data) :]
        return data

    async def _more(self):
        self._limit(True)
        filled = await self.fill()
        self._limit(False)
        if not filled:
            raise HTTPError(400, "the connection ends within a request")

    async def gone(self, ms):
        """Wait that long. -> True, at once, when the client closes the connection."""
        end = ticks_add(ticks_ms(), ms)
        while True:
            if self.waiting > _AHEAD:
                raise HTTPError(400, "too much ahead of an answer")
            try:
                if not await wait_for_ms(self.fill(), max(0, ticks_diff(end, ticks_ms()))):
                    return True
            except TimeoutError:
                return False


class Request:
    """What a client asks for.

    method; path, decoded; rest: what follows the route's prefix; query: {name: value}; headers: {lower-case name: value};
    peer: the client's address as accept() gives it.
    """

    def __init__(self, method, path, query, headers, minor, source):
        self.method = method
        self.path = self.rest = path
        self.query = parse_query(query)
        self.query_string = query
        self.headers = headers
        self.minor = minor
        self.peer = None
        self.body_max = 0
        self.ready = None  # to be awaited before the body is read: sends "100 Continue"
        self._source = source
        self._chunked = False
        self._left = body_length(headers, minor)  # of the body, or of the chunk
        if self._left == CHUNKED:
            self._chunked, self._left = True, 0
        self._done = not (self._chunked or self._left)
        self.received = 0  # bytes of the body so far
        self.broken = False  # the body has no end that could be found

    @property
    def length(self):
        """Bytes of the body that Content-Length states; None: it comes in chunks."""
        return None if self._chunked else self._left

    @property
    def unread(self):
        """True while the body was not read to its end."""
        return not self._done

    async def read(self, n=-1):
        """-> at most n bytes of the body, at least one; b"" behind its end; n -1: all that is left.

        Raises HTTPError: 413, the body is longer than the route allows; 400, it is malformed or ends too soon.
        """
        if n < 0:
            parts = []
            while not self._done:
                parts.append(await self.read(_PIECE))
            return b"".join(parts)
        if self.ready and not self._done:
            ready, self.ready = self.ready, None
            await ready()
        try:
            return await self._read(n)
        except HTTPError:
            self.broken = True
            raise

    async def _read(self, n):
        if self._chunked and not self._left and not self._done:
            await self._next_chunk()
        if self._done or not n:
            return b""
        data = await self._source.some(min(n, self._left, _PIECE))
        self._left -= len(data)
        self.received += len(data)
        if not self._left:
            await self._piece_read()
        return data

    async def _next_chunk(self):
        self._left = chunk_length(await self._source.line())
        if self.received + self._left > self.body_max:
            raise HTTPError(413)
        if not self._left:  # the last one, and trailers
            length = 0
            line = b"-"
            while line:
                line = await self._source.line()
                length += len(line)
                if length > _TRAILERS_MAX:
                    raise HTTPError(431)
            self._done = True

    async def _piece_read(self):
        if not self._chunked:
            self._done = True
        elif await self._source.line():
            raise HTTPError(400, "a chunk that is longer than it says")

    async def form(self):
        """-> {name: value} of a body of type application/x-www-form-urlencoded."""
        return parse_query(await self.read())

    async def gone(self, ms):
        """Wait that many ms while working on an answer. -> True, at once, when nobody is there any more to get it."""
        return await self._source.gone(ms)


class Response:
    """What a client gets.

    body: text, bytes, an open binary file (it is closed), an iterator of bytes (a generator, say), or a coroutine
    function that is called with an object to await for each piece: `await send(data)`. The last two go out in chunks.
    type: Content-Type; None: one that fits the body. headers: (name, value) pairs.
    """

    def __init__(self, body=b"", status=200, type=None, headers=()):
        if isinstance(body, str):
            body = body.encode()
            type = type or "text/plain; charset=utf-8"
        self.body = body
        self.status = status
        self.type = type or "application/octet-stream"
        self.headers = list(headers)
        self.size = None  # bytes of the body, where they are known before it was sent
        if isinstance(body, bytes):
            self.size = len(body)

    def measure(self):
        """Find out the body's size. Raises OSError (a file), TypeError (no body)."""
        body = self.body
        if hasattr(body, "readinto"):
            self.size = body.seek(0, 2)
            body.seek(0)
        elif not hasattr(body, "__next__") and not callable(body):
            self.size = len(memoryview(body))


def error_response(e):
    """-> the Response that tells an HTTPError."""
    return Response(e.text + "\n", e.status, headers=e.headers)
