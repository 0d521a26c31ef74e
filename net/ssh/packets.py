"""SSH's binary packets over a socket: buffers in both directions, sequence numbers, ciphers.

A message is the payload of one packet. Received ones lie in _in until the next turn; what is to be sent lies in _out until
the socket takes it. Whatever a length says, no more is kept than one packet of the largest size.
Source: RFC 4253, 6.
"""

# SPDX-License-Identifier: BSD-3-Clause

from micropython import const

from net.ssh.cipher import Plain
from net.ssh.consts import protocol_error
from net.ssh.wire import u32

_PACKET_MAX = const(35000)  # RFC 4253, 6.1: bytes, all of it but the tag
_IN_FIRST = const(4096)  # bytes of the buffer that a connection begins with


class Packets:
    """greeting: bytes that go out first. quota: bytes that may come in, None for any."""

    def __init__(self, sock, greeting, quota):
        self.quota = quota
        self._sock = sock
        self._in = bytearray(_IN_FIRST)
        self._start = self._end = 0  # what of it is received and not handled
        self._out = bytearray(greeting)
        self._in_cipher = self._out_cipher = Plain()
        self._seq_in = self._seq_out = 0
        self._moved = 0  # bytes with the present keys

    def push(self):
        """Queue more, if there is more and room for it: a subclass may."""

    def flush(self):
        """Hand to the socket what it takes. -> True if nothing is left. OSError: the connection is broken."""
        self.push()
        while self._out:
            n = self._sock.write(self._out)
            if not n:
                break
            self._out = self._out[n:]
            self.push()
        return not self._out

    def _seal(self, *parts):
        """Put one message into a packet. The padding is zeroes: every cipher here is a stream."""
        sealer = self._out_cipher
        block = sealer.BLOCK
        text_len = 5 + sum([len(part) for part in parts])
        padding = block - (text_len - sealer.CLEAR) % block
        if padding < 4:
            padding += block
        packet = bytearray(text_len + padding + sealer.tag_len)
        packet[:4] = u32(text_len + padding - 4)
        packet[4] = padding
        at = 5
        for part in parts:
            packet[at : at + len(part)] = part
            at += len(part)
        sealer.seal(self._seq_out, memoryview(packet))
        self._seq_out = self._seq_out + 1 & 0xFFFFFFFF
        self._moved += len(packet)
        self._out += packet

    def _fill(self):
        """-> False at the stream's end."""
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == len(self._in):
            self._move(len(self._in))
        view = memoryview(self._in)[self._end :]
        if not view:
            return True  # a packet's worth waits to be handled
        n = self._sock.readinto(view)
        if n is None:
            return True
        self._end += n
        if self.quota is not None:
            self.quota -= n
            if self.quota < 0:
                raise protocol_error("too much before authentication")
        return n > 0

    def _move(self, size):
        """Bring what is there to the beginning of a buffer of at least that size."""
        have = self._end - self._start
        buffer = self._in if size <= len(self._in) else bytearray(size)
        buffer[:have] = self._in[self._start : self._end]
        self._in = buffer
        self._start, self._end = 0, have

    def _next(self):
        """-> the next message, or None until its packet is complete. It is only good until the next turn."""
        have = self._end - self._start
        if have < 4:
            return None
        opener = self._in_cipher
        view = memoryview(self._in)[self._start : self._end]
        length = opener.length(self._seq_in, view[:4])
        total = 4 + length + opener.tag_len
        if length < 6 or length + 4 > _PACKET_MAX or (length + 4 - opener.CLEAR) % opener.BLOCK:
            raise protocol_error("bad packet length")
        if have < total:
            if self._start + total > len(self._in):
                self._move(total)
            return None
        packet = view[:total]
        opener.open(self._seq_in, packet)
        padding = packet[4]
        if padding < 4 or padding + 2 > length:
            raise protocol_error("bad padding")
        self._seq_in = self._seq_in + 1 & 0xFFFFFFFF
        self._moved += total
        self._start += total
        return packet[5 : 4 + length - padding]

    def wipe(self):
        """Forget the keys."""
        self._in_cipher.wipe()
        self._out_cipher.wipe()
