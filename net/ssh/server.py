"""The SSH server: it listens, admits connections within limits, and knows who serves their sessions.

    server = Server(HostKey(), serve)
    server.start(22)
    ...
    server.close()

serve(channel) is a coroutine that returns an exit status; a channel (channel.py) is a stream. Tasks run in asyncio's loop.
"""

# SPDX-License-Identifier: BSD-3-Clause

import socket
import sys
from asyncio import core

from micropython import const

from net.ssh import kex
from net.ssh.connection import Connection
from net.ssh.consts import DISCONNECT_BY_APPLICATION, Disconnect

_BACKLOG = 32
_BREATH_MS = 100  # after accept() failed, for want of memory say
_EAGAIN = const(11)
_REHEARSAL_MS = const(100)  # after the start


class Limits:
    """What one peer, and all of them, may cost."""

    connections_max = 32
    fresh_max = 16  # connections that are not authenticated yet; a further one ends the oldest
    fresh_per_host_max = 8
    channels_max = 10  # sessions of one connection
    grace_ms = 60000  # to authenticate
    unauthenticated_bytes = 262144  # that may come in until then
    alive_ms = 60000  # of silence, then the peer is asked whether it is there
    missed_max = 3  # so often without an answer, then it is not
    rekey_bytes = 1 << 30  # new keys after so much data, or
    rekey_ms = 3600000  # with the first message after so long


class Server:
    """host_key: a HostKey. keys: the PublicKeys that may enter, None: everybody. report(e): gets what nobody foresaw."""

    def __init__(self, host_key, serve, keys=None, limits=Limits, report=sys.print_exception):
        self.host_key = host_key
        self.serve = serve
        self.keys = keys
        self.limits = limits
        self.report = report
        self.port = None
        self._connections = []  # the oldest first
        self._listener = None
        self._task = None

    @property
    def open(self):
        """True: there is no authentication."""
        return self.keys is None

    @property
    def fingerprint(self):
        """-> `SHA256:…` of the host key, which a user compares with what the client shows."""
        return self.host_key.fingerprint

    def start(self, port):
        """Listen on every interface, IPv4 and IPv6. OSError: the port is taken."""
        self._listener = self._listen(socket.AF_INET6, "::", port)
        self.port = port
        self._task = core.create_task(self._accept())
        core.create_task(self._rehearse())

    async def _rehearse(self):
        """Task: what the first login of a machine would have to wait for, before that comes."""
        await core.sleep_ms(_REHEARSAL_MS)
        if self._task and not self._connections:
            kex.rehearse(self.host_key)

    def _listen(self, family, address, port):
        listener = socket.socket(family)
        listener.setblocking(False)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(socket.getaddrinfo(address, port)[0][-1])
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        return listener

    def close(self):
        """Stop listening and end all connections."""
        if self._task:
            self._task.cancel()
            self._task = None
            self._listener.close()
            for connection in self._connections:
                connection.stop(Disconnect(DISCONNECT_BY_APPLICATION, "the server stops"))

    async def _accept(self):
        while True:
            await self._incoming()
            try:
                sock, address = self._listener.accept()
                self._take(sock, address)
            except (OSError, MemoryError) as e:
                if e.args != (_EAGAIN,):  # gone again: the next one can come in at once
                    await core.sleep_ms(_BREATH_MS)
            except KeyboardInterrupt:  # meant for somebody else's event loop, in which this ran
                self._task = core.create_task(self._accept())
                raise

    def _incoming(self):  # a coroutine, in the form that asyncio's own streams have
        yield core._io_queue.queue_read(self._listener)

    def _take(self, sock, address):
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what belongs together is sent together
        self._admit(sock, address[0])

    def _admit(self, sock, host):
        """Take a connection in; where there are too many, the oldest that is not authenticated gives way."""
        fresh = [c for c in self._connections if not c.authenticated]
        same = [c for c in fresh if c.host == host]
        if len(same) >= self.limits.fresh_per_host_max:
            fresh = same
        elif len(fresh) < self.limits.fresh_max and len(self._connections) < self.limits.connections_max:
            fresh = ()
        elif not fresh:
            sock.close()
            return
        if fresh:
            fresh[0].fail(Disconnect(DISCONNECT_BY_APPLICATION, "too many connections"))
        connection = Connection(self, sock, host)
        self._connections.append(connection)
        core.create_task(connection.run())

    def forget(self, connection):
        """A connection has ended."""
        if connection in self._connections:
            self._connections.remove(connection)
