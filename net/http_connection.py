"""One HTTP connection: requests read one after the other, each answered before the next is looked at.

Source: RFC 9112 (9, connection management), RFC 9110 (10.1.1 Expect, 15.5 what clients do wrong).
"""

# SPDX-License-Identifier: BSD-3-Clause

import asyncio
import time

from net.http_message import Input, Request, Response, error_response
from net.http_wire import HTTPError, date, keeps_alive, parse_head, parse_target, response_head

_PIECE = 16384  # bytes sent at once
_DISCARD_MAX = 65536  # bytes of a body that nobody read, which we read to keep the connection
_LINGER_MAX = 16 << 20  # of one that was refused, which we read so that the client gets to its answer; linger_ms bounds it, too


class Disconnected(OSError):
    """The client took no more of its answer."""


class Connection:
    """One client of a net.http.Server."""

    def __init__(self, server, stream, peer, client=None):
        self.began = False  # its task has run
        self.idle = True  # between two requests
        self.refused = False  # too many are connected
        self.task = None
        self.deadline = None  # ticks_ms() at which the server calls expire()
        self._server = server
        self._stream = stream
        self._peer = peer
        self._client = client  # the socket below the stream
        self._input = Input(stream, self._body_wait)
        self._receiving = False  # waiting for a part of a request
        self._request = None
        self._body_began = 0
        self._expired = False
        self._open = True

    def end(self):
        """Close it, whatever it is doing."""
        self.idle = False
        self.task.cancel()
        if not self.began and self._client:
            self._client.close()  # a task that has not begun yet ends without a word

    def expire(self):
        """Its time is over: tell a client that is slow with a request, and close."""
        if self._expired:
            self.end()
        self._expired = True
        self._limit(self._server.linger_ms)
        self.task.cancel()

    def _limit(self, ms):
        self.deadline = None if ms is None else time.ticks_add(time.ticks_ms(), ms)

    def _body_wait(self, begins):
        """A body may take request_ms, and 1 ms for each byte of it."""
        self._receiving = begins
        self.deadline = None
        if begins:
            self.deadline = time.ticks_add(self._body_began, self._server.request_ms + self._request.received)

    async def run(self):
        """Serve until one side closes. Raises nothing, but CancelledError where the server ends it."""
        self.began = True
        try:
            while self._open:
                await self._turn()
        except asyncio.CancelledError:
            if not self._expired:
                raise
            if self._receiving:
                await self._refuse(HTTPError(408))
        except Disconnected:
            pass  # nobody is left to tell
        finally:
            self._stream.close()
            await self._stream.wait_closed()

    async def _turn(self):
        """Read one request and answer it."""
        try:
            request = await self._receive()
            if request is None:
                self._open = False
                return
            self._open = keeps_alive(request.headers, request.minor)
            response = await self._answer(request)
            if request.unread and not await self._discard(request):
                self._open = False
            await self._send(request, response)
            if request.unread:
                await self._linger()
        except HTTPError as e:
            await self._refuse(e)

    # -- requests ------------------------------------------------------------------------------

    async def _receive(self):
        """-> the next Request, or None: the client has no more."""
        server, source = self._server, self._input
        self._limit(server.request_ms if self.refused else server.idle_ms)
        self.idle = not source.waiting
        if self.idle and not await source.fill():
            return None
        self.idle = False
        self._receiving = True
        self._limit(server.request_ms)
        head = await source.head(server.line_max, server.head_max)
        if head is None:
            return None
        if self.refused:
            raise HTTPError(503, "too many connections")
        method, target, minor, headers = parse_head(head, server.headers_max)
        path, query = parse_target(target)
        self._receiving = False
        self._limit(None)
        self._body_began = time.ticks_ms()
        self._request = request = Request(method, path, query, headers, minor, source)
        request.peer = self._peer
        return request

    async def _answer(self, request):
        """-> the Response to a request: the route's handler's, or what is to be said in its place."""
        try:
            response = await self._handle(request)
            response.measure()
            return response
        except HTTPError as e:
            if request.broken:
                raise
            return error_response(e)
        except Exception as e:
            return self._failed(e)

    async def _handle(self, request):
        self._expect(request)
        if request.path == "*":
            return Response(status=204)
        handler, methods, body_max, request.rest = self._server.find(request.path)
        allow = [("Allow", ", ".join(methods + ("OPTIONS",)))]
        if request.method not in methods:
            if request.method == "OPTIONS":
                return Response(status=204, headers=allow)
            raise HTTPError(405, headers=allow)
        request.body_max = self._server.body_max if body_max is None else body_max
        if request.length is not None and request.length > request.body_max:
            raise HTTPError(413)
        result = handler(request)
        if hasattr(result, "send"):
            result = await result
        return _response(result)

    def _failed(self, e):
        self._server.failed(e)
        return Response("internal error\n", 500)

    def _expect(self, request):
        expect = request.headers.get("expect")
        if expect is None or not request.minor or not request.unread:
            return
        if expect.lower() != "100-continue":
            raise HTTPError(417)
        request.ready = self._continue

    async def _continue(self):
        await self._write(response_head(100, ()))

    async def _discard(self, request):
        """Read what a handler left of a body. -> False: too much, or it waits to be asked for."""
        if request.ready or (request.length or 0) > _DISCARD_MAX:
            return False
        try:
            while request.unread and request.received <= _DISCARD_MAX:
                await request.read(_PIECE)
        except HTTPError:
            return False
        return not request.unread

    # -- answers -------------------------------------------------------------------------------

    async def _refuse(self, e):
        """Answer a request that is none, or that takes too long, and close behind it."""
        self._receiving = self._open = False
        await self._send(None, error_response(e))
        await self._linger()

    async def _linger(self):
        """Take what the client still sends, for a while: closing at once would lose it the answer."""
        self._limit(self._server.linger_ms)
        read = 0
        while read < _LINGER_MAX and await self._input.fill():
            read += self._input.waiting
            self._input.clear()

    async def _send(self, request, response):
        """Send a response. One whose body fails on the way ends with the connection, which tells the client."""
        bodiless = response.status in (204, 304) or (request and request.method == "HEAD")
        chunked = response.size is None and bool(request and request.minor)
        if response.size is None and not bodiless and not chunked:
            self._open = False  # HTTP/1.0: the connection's end is the body's
        try:
            head = self._head(request, response, chunked)
        except ValueError as e:
            response, bodiless, chunked = self._failed(e), False, False
            head = self._head(request, response, chunked)
        try:
            if bodiless:
                await self._write(head)
            elif response.size is not None and not hasattr(response.body, "readinto"):
                await self._write_all(head, response.body)
            else:
                await self._write(head)
                await self._send_body(response, chunked)
        finally:
            if hasattr(response.body, "close"):
                response.body.close()

    def _head(self, request, response, chunked):
        headers = [("Date", date(int(time.time())))]
        if response.status not in (204, 304):
            headers.append(("Content-Type", response.type))
            if chunked:
                headers.append(("Transfer-Encoding", "chunked"))
            elif response.size is not None:
                headers.append(("Content-Length", response.size))
        if not self._open:
            headers.append(("Connection", "close"))
        elif request and not request.minor:
            headers.append(("Connection", "keep-alive"))
        return response_head(response.status, headers + response.headers)

    async def _send_body(self, response, chunked):
        body = response.body
        out = _chunks(self._write) if chunked else self._write
        try:
            if hasattr(body, "readinto"):
                await self._send_file(body, response.size)
            elif hasattr(body, "__next__"):
                for piece in body:
                    await out(piece)
            else:
                await body(out)
            if chunked:
                await self._write(b"0\r\n\r\n")
        except Disconnected:
            raise
        except Exception as e:
            self._open = False
            self._server.failed(e)

    async def _send_file(self, file, length):
        buffer = memoryview(bytearray(min(_PIECE, length)))
        while length:
            n = file.readinto(buffer[: min(len(buffer), length)])
            if not n:
                raise OSError("a file became shorter while it was sent")
            await self._write(buffer[:n])
            length -= n

    async def _write_all(self, head, body):
        """A short answer goes out in one write, so in one packet."""
        if len(body) <= _PIECE:
            await self._write(head + body)
            return
        await self._write(head)
        body = memoryview(body)
        for at in range(0, len(body), _PIECE):
            await self._write(body[at : at + _PIECE])

    async def _write(self, data):
        self._limit(self._server.send_ms)
        try:
            self._stream.write(data)
            await self._stream.drain()
        except OSError as e:
            raise Disconnected(e.errno)
        self._limit(None)


def _chunks(write):
    """-> a coroutine function that writes data as one chunk."""

    async def out(data):
        if data:
            await write(b"".join((b"%x\r\n" % len(data), data, b"\r\n")))

    return out


def _response(result):
    if isinstance(result, Response):
        return result
    return Response(status=204) if result is None else Response(result)
