"""An SSH client for tests of the server, in memory: it speaks well, until a test has it do otherwise.

    peer = Peer(Server(HostKey(), serve, report=failed))      # a Connection on a socket that is a pair of buffers
    peer.login()
    peer.send(byte(MSG_PING) + string(b"x"))
    peer.messages()                                           # what the server answered
"""

import crypto
from net.ssh import kex
from net.ssh.connection import Connection
from net.ssh.consts import *
from net.ssh.packets import Packets
from net.ssh.wire import Reader, boolean, byte, mpint, name_list, string, u32

VERSION = b"SSH-2.0-peer"


class Pipe:
    """A socket whose other end is a test. room: bytes that write() takes, None for any."""

    def __init__(self):
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.room = None
        self.ended = False
        self.closed = False

    def readinto(self, view):
        if not self.incoming:
            return 0 if self.ended else None
        n = min(len(view), len(self.incoming))
        view[:n] = self.incoming[:n]
        self.incoming = self.incoming[n:]
        return n

    def write(self, data):
        if self.closed:
            raise OSError(9)
        n = len(data) if self.room is None else min(self.room, len(data))
        self.outgoing += data[:n]
        if self.room is not None:
            self.room -= n
        return n or None

    def close(self):
        self.closed = True


class Peer(Packets):
    """The client's side. cipher, kex: what it offers; strict: that it does strict KEX."""

    def __init__(self, server, cipher="aes256-gcm@openssh.com", method="curve25519-sha256", strict=True):
        self.pipe = Pipe()
        self.connection = Connection(server, self.pipe, "peer")
        self.connection._task = self  # whose cancel() is the end
        super().__init__(self.pipe, VERSION + b"\r\n", None)
        self._cipher, self._method, self._strict = cipher, method, strict
        self.session_id = None

    # Our own buffers are the pipe's, the other way round.
    def deliver(self):
        """Give the server what was queued, and let it handle that. -> False: it has ended. Disconnect: it would."""
        self.pipe.incoming += self._out
        self._out = bytearray()
        alive = True
        while alive and self.pipe.incoming:
            alive = self.connection.turn()
        return alive and self.connection.turn()

    def cancel(self):
        self.pipe.ended = True

    def queue(self, message):
        self._seal(message)

    def send(self, message):
        self._seal(message)
        return self.deliver()

    def messages(self):
        """-> list of the messages that came from the server."""
        self._move(len(self._in) + len(self.pipe.outgoing))
        count = len(self.pipe.outgoing)
        self._in[self._end : self._end + count] = self.pipe.outgoing
        self._end += count
        self.pipe.outgoing = bytearray()
        found = []
        while True:
            message = self._next()
            if message is None:
                return found
            found.append(bytes(message))

    def expect(self, number):
        """-> the only message that came, which has that number."""
        found = self.messages()
        assert [m[0] for m in found] == [number], [m[0] for m in found]
        return found[0]

    def kexinit(self):
        names = (self._method, "ext-info-c") + (("kex-strict-c-v00@openssh.com",) if self._strict else ())
        lists = (names, ("ecdsa-sha2-nistp256",), (self._cipher,), (self._cipher,)) + (("hmac-sha2-256-etm@openssh.com",),) * 2 + (("none",),) * 2 + ((), ())
        return byte(MSG_KEXINIT) + bytes(16) + b"".join([name_list(n) for n in lists]) + boolean(False) + u32(0)

    def identify(self):
        self.deliver()
        line, _, rest = bytes(self.pipe.outgoing).partition(b"\r\n")
        self.server_version, self.pipe.outgoing = line, bytearray(rest)

    def exchange(self, server_init=None):
        """Do one key exchange, the server's KEXINIT given where it began."""
        init, curve = self.kexinit(), kex._METHODS[self._method][1]
        self.send(init)
        server_init = server_init or self.expect(MSG_KEXINIT)
        private, public = crypto.ec_keypair(curve) if curve else (bytes(range(32)), crypto.x25519(bytes(range(32))))
        self.send(byte(MSG_KEX_ECDH_INIT) + string(public))
        reply = self._take_reply()
        reader = Reader(reply, 1)
        blob, theirs, _ = reader.string(), reader.string(), reader.string()
        shared = mpint(crypto.ecdh(curve, private, theirs) if curve else crypto.x25519(private, theirs))
        parts = (VERSION, self.server_version, init, server_init, blob, public, theirs)
        secrets = kex.Secrets(kex._METHODS[self._method][0], shared, crypto.sha2(kex._METHODS[self._method][0], *[string(p) for p in parts], shared))
        self.session_id = self.session_id or secrets.digest
        mac = "hmac-sha2-256-etm@openssh.com" if self._cipher == "aes256-ctr" else None
        self._in_cipher = secrets.cipher(self._cipher, mac, b"BDF", self.session_id)
        self._seq_in = 0 if self._strict else self._seq_in
        self.queue(byte(MSG_NEWKEYS))
        self._out_cipher = secrets.cipher(self._cipher, mac, b"ACE", self.session_id)
        self._seq_out = 0 if self._strict else self._seq_out
        self.deliver()

    def _take_reply(self):
        found = self.messages()
        assert [m[0] for m in found] == [MSG_KEX_ECDH_REPLY, MSG_NEWKEYS], [m[0] for m in found]
        return found[0]

    def login(self):
        """Identify, exchange keys, get in; everything that came by then is read."""
        self.identify()
        self.exchange()
        self.expect(MSG_EXT_INFO)
        self.send(byte(MSG_SERVICE_REQUEST) + string(b"ssh-userauth"))
        self.expect(MSG_SERVICE_ACCEPT)
        self.send(byte(MSG_USERAUTH_REQUEST) + string(b"me") + string(b"ssh-connection") + string(b"none"))
        self.expect(MSG_USERAUTH_SUCCESS)

    def open(self, window=1 << 20, packet_max=32768):
        """Open a session. -> the server's number of it"""
        self.send(byte(MSG_CHANNEL_OPEN) + string(b"session") + u32(77) + u32(window) + u32(packet_max))
        reader = Reader(self.expect(MSG_CHANNEL_OPEN_CONFIRMATION), 1)
        assert reader.u32() == 77
        return reader.u32()

    def request(self, channel, name, data=b"", reply=True):
        return self.send(byte(MSG_CHANNEL_REQUEST) + u32(channel) + string(name) + boolean(reply) + data)
