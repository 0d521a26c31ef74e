"""A session channel: what of it is data is a stream for whoever serves it, what is requests sets it up.

Flow control is both ways: the peer may send as much as read() has taken, and what is written waits in _out for the peer's
window. Who writes without await (print() in code that computes) waits in write_now(), for a peer that takes nothing not long.
Source: RFC 4254, 5 and 6; RFC 4335 (break). Left out: subsystems, agents, X11, environment variables.
"""

# SPDX-License-Identifier: BSD-3-Clause

import time
from asyncio import Event

from micropython import const

from net.ssh.consts import *
from net.ssh.wire import Reader, byte, string, u32

WINDOW = const(65536)  # bytes that the peer may send ahead of read()
PACKET_MAX = const(32768)  # bytes of data in one message, either way
_OUT_LOW = const(16384)  # bytes: drain() waits while more than that is left
_OUT_HIGH = const(131072)  # bytes: write_now() waits while more than that is left
_TOGETHER = const(1024)  # bytes that write_now() lets come together; what is less, pump() sends
_STALL_MS = const(2000)  # and for a peer that takes nothing, that long
_SLICE_MS = const(50)
_COLUMNS_MAX = const(1000)
_PTY_MODES_MAX = const(1024)
_WINDOW_MAX = const(0xFFFFFFFF)


class Channel:
    """One session. The server's function gets it once shell or exec was asked for.

    command: bytes of exec, None for a shell. pty: True if the peer has a terminal. columns: its width, or 0. user: the
    key's owner as authorized_keys calls it. listener: an object with resized(), interrupt() and gone(), set by who serves.
    """

    def __init__(self, connection, number, peer_number, window, packet_max, key):
        self.command = None
        self.pty = False
        self.columns = 0
        self.key = key
        self.listener = None
        self.closed = False  # nothing can be sent any more
        self.started = False
        self._connection = connection
        self._head = u32(peer_number)
        self._number = number
        self._in = []  # pieces that came in
        self._in_len = 0
        self._at = 0  # what of the first one was read
        self._granted = WINDOW  # bytes that the peer may still send
        self._eof = False
        self._arrived = Event()
        self._out = bytearray()
        self._window = window
        self._packet_max = min(packet_max, PACKET_MAX)
        self._room = Event()
        self._ended = False  # EOF and CLOSE were sent

    # -- the stream ----------------------------------------------------------------------------

    async def read(self, n):
        """-> at least one byte and at most n; b"" at the end."""
        while not self._in:
            if self._eof or self.closed:
                return b""
            self._arrived.clear()
            await self._arrived.wait()
        piece = self._in[0]
        data = piece[self._at : self._at + n]
        self._at += len(data)
        if self._at == len(piece):
            self._in.pop(0)
            self._at = 0
        self._in_len -= len(data)
        if self._granted + self._in_len <= WINDOW // 2 and not self._ended:
            self._connection.send(byte(MSG_CHANNEL_WINDOW_ADJUST), self._head, u32(WINDOW - self._granted - self._in_len))
            self._granted = WINDOW - self._in_len
            self._connection.wake()
        return data

    def write(self, data):
        """Queue data; it goes out when others run. OSError: the peer is gone."""
        if self.closed or self._ended:
            raise OSError(32)  # EPIPE
        self._out += data
        self._connection.wake()

    async def drain(self):
        """Wait until most of what was written is on its way. OSError: the peer is gone."""
        self._connection.wake()
        while len(self._out) > _OUT_LOW and not self.closed:
            self._room.clear()
            await self._room.wait()
        if self.closed:
            raise OSError(32)  # EPIPE
        await self._connection.turn_of_others()

    def write_now(self, data):
        """From code that computes: queue data, and send what came together. OSError: the peer is gone, or takes nothing."""
        if self.closed or self._ended:
            raise OSError(32)  # EPIPE
        self._out += data
        if len(self._out) < _TOGETHER:
            return
        self._connection.flush()
        left, since = len(self._out), time.ticks_ms()
        while len(self._out) > _OUT_HIGH:
            self._connection.pump(_SLICE_MS)
            if len(self._out) < left:
                left, since = len(self._out), time.ticks_ms()
            elif self.closed or time.ticks_diff(time.ticks_ms(), since) > _STALL_MS:
                raise OSError(110)  # ETIMEDOUT

    def pump(self):
        """From code that computes: send what is queued, look what the peer sent. OSError: the connection is broken."""
        self._connection.flush()
        self._connection.pump(0)

    def push(self):
        """Send what the peer's window and the connection have room for."""
        while self._out and self._window and self._connection.can_send and not self._ended:
            n = min(len(self._out), self._window, self._packet_max)
            self._connection.send(byte(MSG_CHANNEL_DATA), self._head, u32(n), memoryview(self._out)[:n])
            self._out = self._out[n:]
            self._window -= n
        if len(self._out) <= _OUT_LOW:
            self._room.set()

    async def finish(self, status):
        """Send what is left, the exit status and the end."""
        while self._out and not self.closed:
            self._room.clear()
            self._connection.wake()
            await self._room.wait()
        if not self.closed:
            self._request(b"exit-status", u32(status))
            self._connection.send(byte(MSG_CHANNEL_EOF), self._head)
        self._end()

    # -- messages ------------------------------------------------------------------------------

    def _request(self, name, data):
        self._connection.send(byte(MSG_CHANNEL_REQUEST), self._head, string(name), b"\0", data)

    def _end(self):
        if not self._ended:
            self._ended = True
            self._connection.send(byte(MSG_CHANNEL_CLOSE), self._head)
            self._connection.wake()

    def on_window_adjust(self, reader):
        self._window += reader.u32()
        reader.check_end()
        if self._window > _WINDOW_MAX:
            raise protocol_error("window too large")
        self.push()

    def on_data(self, reader):
        self._receive(reader.string())
        reader.check_end()

    def on_extended_data(self, reader):
        reader.u32()
        reader.string()  # there is no second stream towards a server
        reader.check_end()

    def _receive(self, data):
        self._granted -= len(data)
        if self._granted < 0:
            raise protocol_error("more data than the window allows")
        if data and not self._ended and not self._eof:
            if self.listener and b"\x03" in data and self.listener.interrupt():
                data = data[data.rfind(b"\x03") + 1 :]
                self._void()
            if data:
                self._in.append(data)
                self._in_len += len(data)
            self._arrived.set()

    def _void(self):
        """Ctrl-C voids what was typed before, and output that waits."""
        self._in.clear()
        self._in_len = self._at = 0
        self._out = bytearray()
        self._room.set()

    def on_eof(self, reader):
        reader.check_end()
        self._eof = True
        self._arrived.set()

    def on_close(self, reader):
        reader.check_end()
        self.lost()
        self._end()
        return True

    def lost(self):
        """The peer closed the channel, or the connection ended."""
        if not self.closed:
            self.closed = True
            self._out = bytearray()
            self._arrived.set()
            self._room.set()
            if self.listener:
                self.listener.gone()

    def on_request(self, reader):
        name = reader.string()
        wanted = reader.boolean()
        handler = _REQUESTS.get(name)
        granted = not self._ended and handler is not None and handler(self, reader)
        if wanted and not self._ended:
            self._connection.send(byte(MSG_CHANNEL_SUCCESS if granted else MSG_CHANNEL_FAILURE), self._head)
        if granted and self.started is None:
            self.started = True
            self._connection.start(self)

    # -- requests: each returns True where it is granted -----------------------------------------

    def _pty(self, reader):
        reader.string()  # the terminal's kind: all of them are taken for ECMA-48
        columns = reader.u32()
        for _ in range(3):
            reader.u32()  # rows; width and height in pixels
        modes = reader.string()
        reader.check_end()
        if self.started or self.pty or len(modes) > _PTY_MODES_MAX or self.key and not self.key.pty:
            return False
        self.pty = True
        self.columns = min(columns, _COLUMNS_MAX)
        return True

    def _window_change(self, reader):
        columns = reader.u32()
        for _ in range(3):
            reader.u32()
        reader.check_end()
        if self.pty:
            self.columns = min(columns, _COLUMNS_MAX)
            if self.listener:
                self.listener.resized()
        return self.pty

    def _shell(self, reader):
        reader.check_end()
        return self._start(None)

    def _exec(self, reader):
        command = reader.string()
        reader.check_end()
        return self._start(command)

    def _start(self, command):
        if self.started is not False:
            return False
        self.command = self.key.command if self.key and self.key.command is not None else command
        self.started = None  # granted; it starts behind the answer
        return True

    def _signal(self, reader):
        name = reader.string()
        reader.check_end()
        if name == b"INT":
            return self._break(None)
        if name in (b"HUP", b"TERM", b"KILL", b"QUIT") and self.listener:
            self.lost()
            self._end()
            return True
        return False

    def _break(self, reader):
        if reader:
            reader.u32()  # how long, in ms
            reader.check_end()
        if self.listener and not self.listener.interrupt():
            self._in.append(b"\x03")
            self._in_len += 1
            self._arrived.set()
        return self.listener is not None


_REQUESTS = {
    b"pty-req": Channel._pty,
    b"window-change": Channel._window_change,
    b"shell": Channel._shell,
    b"exec": Channel._exec,
    b"signal": Channel._signal,
    b"break": Channel._break,
}
