"""The transport of SSH: identification, key exchange and re-keying, over the packets of packets.py.

Everything that is received is handled in turn(), which waits for nothing: so it may also be called from code that
computes (pump()). Upper layers hand messages to send() and get what is received through receive(number, reader).
Source: RFC 4253; OpenSSH's PROTOCOL 1.9 (strict KEX). Left out: compression, protocol 1.
"""

# SPDX-License-Identifier: BSD-3-Clause

import select
import time
from asyncio import Event, core

from micropython import const

from net.ssh import kex
from net.ssh.consts import *
from net.ssh.packets import Packets
from net.ssh.wire import Reader, byte, string, u32

VERSION = b"SSH-2.0-Keelback"
_VERSION_MAX = const(255)  # RFC 4253, 4.2
_OUT_HIGH = const(65536)  # bytes to be sent: above, nothing more is handled or taken
_HELD_MAX = const(256)  # messages that wait for the end of a key exchange
_KEX_LAST = const(49)


class Transport(Packets):
    """One connection's packets. limits: see server.Limits."""

    def __init__(self, sock, host_key, limits):
        super().__init__(sock, VERSION + b"\r\n", limits.unauthenticated_bytes)
        self.session_id = None
        self.closed = False
        self._host_key = host_key
        self._limits = limits
        self._peer_version = None
        self._sent_init = self._peer_init = None  # KEXINIT messages of the exchange that is under way
        self._agreement = self._secrets = None
        self._strict = False
        self._held = []  # messages that wait for the end of a key exchange
        self._keyed_at = time.ticks_ms()
        self._turning = False
        self._dirty = Event()  # there is something to flush
        self._poller = select.poll()

    # -- sending -------------------------------------------------------------------------------

    def send(self, *parts):
        """Queue one message, given in parts. During a key exchange it waits for the end of that; at the end it is dropped."""
        if self.closed:
            return
        if self._sent_init:
            self._held.append(b"".join(parts))
            if len(self._held) > _HELD_MAX:
                raise protocol_error("key exchange never ends")
            return
        self._seal(*parts)
        if self._moved > self._limits.rekey_bytes or time.ticks_diff(time.ticks_ms(), self._keyed_at) > self._limits.rekey_ms:
            self._begin_kex()

    @property
    def can_send(self):
        """False while what is queued must first go out, or keys are exchanged."""
        return not self._sent_init and not self.closed and len(self._out) < _OUT_HIGH

    def wake(self):
        """Have what is queued sent soon, together with what is queued until then."""
        self._dirty.set()

    async def write_out(self):
        """Task: send what wake() tells of."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            while not self.flush():
                await self._ready(core._io_queue.queue_write)

    def _ready(self, queue):  # a coroutine, in the form that asyncio's own streams have
        yield queue(self._sock)

    # -- receiving -----------------------------------------------------------------------------

    async def read_in(self):
        """Handle what comes in until the connection ends: Disconnect, OSError, or return at its end."""
        while self.turn():
            if len(self._out) < _OUT_HIGH:
                await self._ready(core._io_queue.queue_read)
            else:
                await self._ready(core._io_queue.queue_write)
                self.flush()

    def turn(self):
        """Handle what has come in and send the answers; wait for nothing. -> False at the stream's end."""
        self._turning = True
        try:
            alive = self._fill()
            if self._peer_version is None:
                self._identify()
            while self._peer_version and not self.closed and len(self._out) < _OUT_HIGH:
                message = self._next()
                if message is None:
                    break
                self._dispatch(message)
            self.flush()
            return alive and not self.closed
        finally:
            self._turning = False

    def pump(self, wait_ms):
        """From code that computes: handle what comes in within a time, send what goes out. OSError: the connection is broken."""
        if self._turning:
            return
        self._poller.register(self._sock, select.POLLIN | select.POLLOUT if self._out else select.POLLIN)
        if not self._poller.poll(wait_ms):
            return
        try:
            if self.turn():
                return
        except Disconnect as e:
            self.fail(e)
        raise OSError(104)  # ECONNRESET

    def _identify(self):
        """Take the peer's identification, once its line is complete."""
        line = bytes(self._in[: self._end])
        end = line.find(b"\n")
        line = line[:end] if end >= 0 else line
        if end < 0 and len(line) < _VERSION_MAX and (line + b"SSH-2.0-"[len(line) :]).startswith(b"SSH-2.0-"):
            return
        if end < 0 or end >= _VERSION_MAX or not line.startswith(b"SSH-2.0-") or b"\0" in line:
            raise Disconnect(DISCONNECT_PROTOCOL_VERSION_NOT_SUPPORTED, "this is an SSH-2.0 server")
        self._start = end + 1
        self._peer_version = line.rstrip(b"\r")

    def _dispatch(self, message):
        number = message[0]
        if self._agreement and self._agreement.wrong_guess and MSG_KEX_ECDH_INIT <= number <= _KEX_LAST:
            self._agreement.wrong_guess = False
            return
        if not self._allowed(number):
            raise protocol_error("message %d out of order" % number)
        handler = _HANDLERS.get(number)
        if handler:
            handler(self, message)
        elif not self.receive(number, Reader(message, 1)):
            self.send(byte(MSG_UNIMPLEMENTED), u32(self._seq_in - 1 & 0xFFFFFFFF))

    def _allowed(self, number):
        """May the peer send this now? RFC 4253, 7.1; strict KEX: in the first exchange nothing but what it needs."""
        if MSG_KEX_ECDH_INIT <= number <= _KEX_LAST or number == MSG_NEWKEYS:
            return self._peer_init is not None
        if number == MSG_KEXINIT or number == MSG_DISCONNECT:
            return self._peer_init is None or number == MSG_DISCONNECT
        if self.session_id is None and self._strict:
            return False
        if number in (MSG_IGNORE, MSG_DEBUG, MSG_UNIMPLEMENTED):
            return True
        return self._peer_init is None and self.session_id is not None

    # -- transport messages --------------------------------------------------------------------

    def _on_disconnect(self, message):
        self.closed = True

    def _on_ignored(self, message):
        pass

    def offer(self):
        """Begin the first key exchange where the peer does not, but waits for us to.

        Else ours is sent with what answers the peer's, whose arrival it so acknowledges: a peer with Nagle's algorithm holds its next
        message back until then, and a kernel that expects an answer acknowledges late (40 ms in Linux, 250 ms in lwIP).
        """
        if not self._sent_init and self.session_id is None:
            self._begin_kex()
            self.wake()

    def _begin_kex(self):
        self._sent_init = kex.kexinit(self.session_id is None)
        self._seal(self._sent_init)

    def _on_kexinit(self, message):
        if not self._sent_init:
            self._begin_kex()
        self._peer_init = bytes(message)
        first = self.session_id is None
        self._agreement = kex.Agreement(self._peer_init, first)
        if self._agreement.strict:
            if self._seq_in != 1:
                raise protocol_error("strict KEX: KEXINIT was not the first message")
            self._strict = True

    def _on_ecdh_init(self, message):
        if self._secrets:
            raise protocol_error("second message of a key exchange")
        reader = Reader(message, 1)
        theirs = reader.string()
        reader.check_end()
        versions, inits = (self._peer_version, VERSION), (self._peer_init, self._sent_init)
        reply, self._secrets = kex.exchange(self._agreement, self._host_key, theirs, versions, inits)
        self._seal(reply)
        self._seal(byte(MSG_NEWKEYS))
        if self.session_id is None:
            self.session_id = self._secrets.digest
        self._out_cipher.wipe()
        self._out_cipher = self._secrets.cipher(self._agreement.cipher_out, self._agreement.mac_out, b"BDF", self.session_id)
        self._seq_out = 0 if self._strict else self._seq_out

    def _on_newkeys(self, message):
        if not self._secrets:
            raise protocol_error("NEWKEYS without a key exchange")
        agreement = self._agreement
        self._in_cipher.wipe()
        self._in_cipher = self._secrets.cipher(agreement.cipher_in, agreement.mac_in, b"ACE", self.session_id)
        self._seq_in = 0 if self._strict else self._seq_in
        self._secrets.wipe()
        self._sent_init = self._peer_init = self._agreement = self._secrets = None
        self._moved = 0
        self._keyed_at = time.ticks_ms()
        if agreement.ext_info:
            self.send_ext_info()
        held, self._held = self._held, []
        for message in held:
            self.send(message)

    def disconnect(self, e):
        """Tell the peer why, as far as it still listens. OSError: it does not."""
        if self._peer_version:
            number, text = e.args
            self._seal(byte(MSG_DISCONNECT), u32(number), string(text.encode()), string(b""))
        else:
            self._out = bytearray(e.args[1].encode() + b"\r\n")
        self.flush()

    def wipe(self):
        """Forget all keys."""
        super().wipe()
        if self._secrets:
            self._secrets.wipe()


_HANDLERS = {
    MSG_DISCONNECT: Transport._on_disconnect,
    MSG_IGNORE: Transport._on_ignored,
    MSG_DEBUG: Transport._on_ignored,
    MSG_UNIMPLEMENTED: Transport._on_ignored,
    MSG_KEXINIT: Transport._on_kexinit,
    MSG_KEX_ECDH_INIT: Transport._on_ecdh_init,
    MSG_NEWKEYS: Transport._on_newkeys,
}
