"""One question over UDP and the answer to it, for DNS and NTP. A task may wait for it beside others.

Each question has a socket of its own: on a random port, and connected, so that the stack passes on only
what comes from the server's address and port.
"""

# SPDX-License-Identifier: BSD-3-Clause

import os
import socket
from asyncio import core, wait_for_ms

from micropython import const

_PORT_MIN = const(49152)  # RFC 6335, 6: the dynamic ports
_TRIES = const(8)  # for a port that is free
_ANSWER_LEN = const(4096)


async def ask(server, message, accept, timeout_ms):
    """Send a message to a server and -> what accept(data) makes of the first datagram for which it is not None.

    server: (address as text, port). Raises OSError, of which ETIMEDOUT says that no good answer came in time.
    """
    s = _open(server)
    try:
        s.send(message)
        return await wait_for_ms(_answer(s, accept), timeout_ms)
    except core.TimeoutError:
        raise OSError(110)  # ETIMEDOUT
    finally:
        s.close()


def _open(server):
    family, _, _, _, address = socket.getaddrinfo(server[0], server[1])[0]
    s = socket.socket(family, socket.SOCK_DGRAM)
    try:
        s.setblocking(False)
        _bind(s, "::" if ":" in server[0] else "0.0.0.0")
        s.connect(address)
        return s
    except BaseException:
        s.close()
        raise


def _bind(s, any_address):
    for _ in range(_TRIES):
        port = _PORT_MIN + (int.from_bytes(os.urandom(2), "little") & 0x3FFF)
        try:
            return s.bind(socket.getaddrinfo(any_address, port)[0][-1])
        except OSError as e:
            if e.errno != 98:  # EADDRINUSE
                raise
    raise OSError(98)


async def _answer(s, accept):
    while True:
        await _readable(s)
        try:
            data = s.recv(_ANSWER_LEN)
        except OSError as e:
            if e.errno == 11:  # EAGAIN: the datagram was no good, and is gone
                continue
            raise
        value = accept(data)
        if value is not None:
            return value


def _readable(s):
    yield core._io_queue.queue_read(s)
