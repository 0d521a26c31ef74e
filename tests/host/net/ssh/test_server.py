"""net/ssh/server.py: who is admitted where there are too many, and what close() leaves. Real connections: tests/ssh."""

import asyncio

from check import raises, run, same
from net.ssh import server as module
from net.ssh.consts import DISCONNECT_BY_APPLICATION, MSG_DISCONNECT, Disconnect
from net.ssh.hostkey import HostKey
from net.ssh.keys import PublicKey
from net.ssh.server import Limits, Server
from net.ssh.wire import byte, string, u32
from sshpeer import Peer, Pipe

KEY = HostKey()


class Few(Limits):
    connections_max = 6
    fresh_max = 4
    fresh_per_host_max = 2


def admitted(server):
    return [(c.host, c._failure is not None) for c in server._connections]


def test_per_host():
    """The third of one address that is not in makes the first give way; others stay."""
    server = Server(KEY, None, limits=Few)
    for host in ("a", "b", "a", "a"):
        server._admit(Pipe(), host)
    same(admitted(server), [("a", True), ("b", False), ("a", False), ("a", False)])


def test_fresh():
    server = Server(KEY, None, limits=Few)
    for host in "abcde":
        server._admit(Pipe(), host)
    same(admitted(server), [("a", True)] + [(host, False) for host in "bcde"])


def test_those_who_are_in_stay():
    server = Server(KEY, None, limits=Few)
    for host in "abcdef":
        server._admit(Pipe(), host)
        server._connections[-1].authenticated = True
    late = Pipe()
    server._admit(late, "g")
    assert late.closed and admitted(server) == [(host, False) for host in "abcdef"]
    server._connections[3].authenticated = False
    server._admit(Pipe(), "g")
    same(admitted(server)[3], ("d", True))


def test_forget():
    server = Server(KEY, None)
    server._admit(Pipe(), "a")
    connection = server._connections[0]
    server.forget(connection)
    server.forget(connection)
    same(server._connections, [])


def test_open():
    same((Server(KEY, None).open, Server(KEY, None, []).open, Server(KEY, None, [PublicKey(KEY.blob)]).open), (True, False, False))
    same(Server(KEY, None).fingerprint, KEY.fingerprint)


def test_stop_tells_at_once():
    """Before anything else runs: the card may be stopped next."""
    peer = Peer(Server(KEY, None))
    peer.login()
    peer.connection.stop(Disconnect(DISCONNECT_BY_APPLICATION, "the server stops"))
    same(peer.expect(MSG_DISCONNECT), byte(MSG_DISCONNECT) + u32(11) + string(b"the server stops") + string(b""))
    assert peer.pipe.ended and peer.connection.closed


def test_rehearsal():
    """A server that is idle does one exchange with nobody; not one that somebody came to, or that was closed meanwhile."""
    class Key:
        blob, signed = KEY.blob, 0

        def sign(self, data):
            self.signed += 1
            return KEY.sign(data)

    def rehearsed(change):
        server = Server(Key(), None)
        server._task = True
        change(server)
        asyncio.run(server._rehearse())
        return server.host_key.signed

    same(rehearsed(lambda server: None), 1)
    same(rehearsed(lambda server: server._connections.append(None)), 0)
    same(rehearsed(lambda server: setattr(server, "_task", None)), 0)


def test_port_taken():
    """start() raises, and the server can be closed all the same."""
    class Taken:
        AF_INET6, SOL_SOCKET, SO_REUSEADDR = 10, 1, 2
        closed = False

        def socket(self, family):
            return self

        def getaddrinfo(self, address, port):
            return [(0, 0, 0, "", (address, port))]

        def setblocking(self, flag):
            pass

        def setsockopt(self, *args):
            pass

        def bind(self, address):
            raise OSError(98)

        def close(self):
            self.closed = True

    real, module.socket = module.socket, Taken()
    try:
        server = Server(KEY, None)
        same(raises(OSError, server.start, 22).errno, 98)
        assert module.socket.closed and server.port is None
        server.close()
    finally:
        module.socket = real


run(globals())
