"""An HTTP/1.1 server for asyncio: routes to handlers, connections that stay open, limits on all that a client sends.

    async def hello(request):
        return "hello %s\n" % request.query.get("name", "you")

    server = Server()
    server.route("/hello", hello)                            # GET, and so HEAD and OPTIONS
    server.route("/notes/*", notes, ("GET", "PUT"))          # this and all below it: request.rest
    server.start(80)                                         # serves while the event loop runs
    ...
    server.close()

A handler is a function or a coroutine function. It returns text, bytes, a Response, or None (204), or raises
HTTPError(status, text). Anything else it raises is a 500 of one line to the client and a traceback to log.
Handlers of several connections run in turns, as asyncio's tasks do; one that computes should await now and then.
Source: RFC 9112, RFC 9110. Leaves out: TLS, trailers, ranges, compression.
"""

# SPDX-License-Identifier: BSD-3-Clause

import asyncio
import socket
import sys
import time
from asyncio import core

from net.http_connection import Connection
from net.http_message import Request, Response  # for who imports this module
from net.http_wire import HTTPError

_ACCEPT_AGAIN_MS = 100


class Server:
    """Routes, limits, and the connections under way. A limit is set as an attribute or an argument of its name."""

    line_max = 4096  # bytes of the request line, then 414
    head_max = 16384  # bytes of request line and headers, then 431
    headers_max = 100  # then 431
    body_max = 1 << 20  # bytes of a body, unless its route says otherwise, then 413
    idle_ms = 30000  # between two requests, then the connection is closed
    request_ms = 20000  # for a request's head, and the same for its body and 1 ms for each byte, then 408
    send_ms = 30000  # for a client that takes nothing, then the connection is dropped
    linger_ms = 2000  # for a client that still sends when it was refused: closing at once would lose it the answer
    watch_ms = 1000  # how exact these times are
    connections_max = 32  # the one that idles longest makes room; if none does, 503

    def __init__(self, log=sys.print_exception, **limits):
        self.port = None
        self._routes = {}  # path: (handler, methods, body_max)
        self._log = log
        self._connections = []
        self._listener = self._task = self._watcher = None
        for name, value in limits.items():
            getattr(type(self), name)
            setattr(self, name, value)

    # -- for its user --------------------------------------------------------------------------

    def route(self, path, handler, methods=("GET",), body_max=None):
        """Let a handler answer requests for a path, or for all paths that begin with one that ends in "/*", less the star."""
        if "GET" in methods and "HEAD" not in methods:
            methods = tuple(methods) + ("HEAD",)
        self._routes[path] = handler, methods, body_max

    def start(self, port=80, host=None):
        """Listen at an address, or at all, of IPv6 and IPv4. -> self. Raises OSError, for example EADDRINUSE."""
        try:
            self._listener = _listen(host or "::", port, self.connections_max)
        except OSError:
            if host:
                raise
            self._listener = _listen("0.0.0.0", port, self.connections_max)  # a machine without IPv6
        self.port = port
        self._task = asyncio.create_task(self._accept(self._listener))
        return self

    def close(self):
        """Stop listening, and end all connections."""
        if self._task:
            self._task.cancel()
            self._listener.close()  # by us: a task that has not begun yet ends without a word
            self._task = self._listener = None
        for connection in list(self._connections):
            self._end(connection)

    def connections(self):
        """-> how many there are."""
        return len(self._connections)

    # -- for its connections -------------------------------------------------------------------

    def find(self, path):
        """-> (handler, methods, body_max, rest of the path) of the longest route that fits. Raises HTTPError 404."""
        route = self._routes.get(path)
        if route:
            return route + ("",)
        end = path.rfind("/")
        while end >= 0:
            route = self._routes.get(path[: end + 1] + "*")
            if route:
                return route + (path[end + 1 :],)
            end = path.rfind("/", 0, end)
        raise HTTPError(404)

    def failed(self, e):
        """Log what a handler raised."""
        self._log(e)

    # -- its tasks -----------------------------------------------------------------------------

    async def _accept(self, listener):
        try:
            while True:
                yield core._io_queue.queue_read(listener)
                try:
                    client, peer = listener.accept()
                except OSError:
                    await asyncio.sleep_ms(_ACCEPT_AGAIN_MS)
                    continue
                client.setblocking(False)
                self._add(Connection(self, asyncio.StreamReader(client), peer, client))
        except asyncio.CancelledError:
            pass

    def _add(self, connection):
        if len(self._connections) >= self.connections_max:
            idle = [c for c in self._connections if c.idle]
            if idle:
                self._end(idle[0])
            else:
                connection.refused = True
        self._connections.append(connection)
        connection.task = asyncio.create_task(self._serve(connection))
        if not self._watcher:
            self._watcher = asyncio.create_task(self._watch())

    def _end(self, connection):
        connection.end()
        if not connection.began:
            self._connections.remove(connection)

    async def _serve(self, connection):
        try:
            await connection.run()
        finally:
            self._connections.remove(connection)

    async def _watch(self):
        """End connections whose time is over; looks only while there are any."""
        while self._connections:
            await asyncio.sleep_ms(self.watch_ms)
            now = time.ticks_ms()
            for connection in list(self._connections):
                if connection.deadline is not None and time.ticks_diff(now, connection.deadline) > 0:
                    connection.expire()
        self._watcher = None


def _listen(host, port, backlog):
    """-> a socket that listens. Raises OSError."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(backlog)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
