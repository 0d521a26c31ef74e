"""net/ssh/channel.py and connection.py: sessions, flow control both ways, requests, the end of channels and connections."""

import asyncio
from asyncio import core

from check import raises, run, same
from net.ssh.channel import PACKET_MAX, WINDOW
from net.ssh.consts import *
from net.ssh.hostkey import HostKey
from net.ssh.keys import PublicKey
from net.ssh.server import Server
from net.ssh.wire import Reader, boolean, byte, string, u32
from sshpeer import Peer

KEY = HostKey()
ANSWER = {True: MSG_CHANNEL_SUCCESS, False: MSG_CHANNEL_FAILURE}
PTY = string(b"vt100") + u32(100) + u32(24) + u32(0) + u32(0) + string(b"\0")


def failed(e):
    raise e


class Serving:
    """What serves channels: runs a coroutine function on each, and remembers them."""

    def __init__(self, function):
        self.channels = []
        self.gone = []
        self._function = function

    async def __call__(self, channel):
        self.channels.append(channel)
        return await self._function(channel)


def play(talk, serve=None):
    """Run talk(peer, serving) with a peer that is in, and the server's tasks beside it."""
    async def main():
        serving = Serving(serve or echo)
        peer = Peer(Server(KEY, serving, report=failed))
        peer.login()
        writer = core.create_task(peer.connection.write_out())
        await talk(peer, serving)
        writer.cancel()

    asyncio.run(main())


async def echo(channel):
    while True:
        data = await channel.read(100000)
        if not data:
            return 7
        channel.write(data)
        await channel.drain()


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep_ms(0)


def data_of(messages):
    out = b""
    for message in messages:
        if message[0] == MSG_CHANNEL_DATA:
            out += message[9:]
    return out


def asked(peer, channel, name, data=b""):
    """-> whether a request is granted."""
    peer.request(channel, name, data)
    return {MSG_CHANNEL_SUCCESS: True, MSG_CHANNEL_FAILURE: False}[peer.expect_last()[0]]


def expect_last(self):
    return self.messages()[-1]


Peer.expect_last = expect_last


def test_session():
    """Data there and back, then the end: exit status, EOF, CLOSE."""
    async def talk(peer, serving):
        number = peer.open()
        assert asked(peer, number, b"shell")
        await turns()
        peer.send(byte(MSG_CHANNEL_DATA) + u32(number) + string(b"hello"))
        await turns()
        same(data_of(peer.messages()), b"hello")
        peer.send(byte(MSG_CHANNEL_EOF) + u32(number))
        await turns()
        same(peer.messages(), [byte(MSG_CHANNEL_REQUEST) + u32(77) + string(b"exit-status") + b"\0" + u32(7),
                               byte(MSG_CHANNEL_EOF) + u32(77), byte(MSG_CHANNEL_CLOSE) + u32(77)])
        peer.send(byte(MSG_CHANNEL_CLOSE) + u32(number))
        same(peer.connection._channels, {})
        raises(Disconnect, peer.send, byte(MSG_CHANNEL_DATA) + u32(number) + string(b"x"))

    play(talk)


def test_peer_window():
    """Of what is written no byte goes out that the window has no room for, in packets as small as the peer wants them."""
    async def serve(channel):
        channel.write(bytes(100000))
        await channel.drain()
        return 0

    async def talk(peer, serving):
        number = peer.open(window=1000, packet_max=300)
        asked(peer, number, b"shell")
        await turns()
        found = peer.messages()
        same([len(m) - 9 for m in found if m[0] == MSG_CHANNEL_DATA], [300, 300, 300, 100])
        peer.send(byte(MSG_CHANNEL_WINDOW_ADJUST) + u32(number) + u32(1))
        same(data_of(peer.messages()), b"\0")
        peer.send(byte(MSG_CHANNEL_WINDOW_ADJUST) + u32(number) + u32(1 << 20))
        await turns(400)
        found = peer.messages()
        same(len(data_of(found)), 100000 - 1001)
        same(found[-1][0], MSG_CHANNEL_CLOSE)

    play(talk, serve)


def test_window_overflow():
    async def talk(peer, serving):
        number = peer.open(window=0xFFFFFFFF)
        raises(Disconnect, peer.send, byte(MSG_CHANNEL_WINDOW_ADJUST) + u32(number) + u32(1))

    play(talk)


def test_our_window():
    """A peer may send as much as was granted, and gets more when that is read."""
    async def serve(channel):
        await asyncio.sleep_ms(50)
        return await echo(channel)

    async def talk(peer, serving):
        number = peer.open()
        asked(peer, number, b"shell")
        for _ in range(WINDOW // PACKET_MAX):
            peer.send(byte(MSG_CHANNEL_DATA) + u32(number) + string(bytes(PACKET_MAX)))
        same(peer.messages(), [])
        await asyncio.sleep_ms(60)
        await turns(100)
        granted = sum([int.from_bytes(m[5:9], "big") for m in peer.messages() if m[0] == MSG_CHANNEL_WINDOW_ADJUST])
        same(granted, WINDOW)
        for _ in range(WINDOW // PACKET_MAX):
            peer.send(byte(MSG_CHANNEL_DATA) + u32(number) + string(bytes(PACKET_MAX)))
        raises(Disconnect, peer.send, byte(MSG_CHANNEL_DATA) + u32(number) + string(b"x"))

    play(talk, serve)


def test_requests():
    async def talk(peer, serving):
        number = peer.open()
        assert asked(peer, number, b"pty-req", PTY)
        assert not asked(peer, number, b"pty-req", PTY)
        for name in (b"env", b"subsystem", b"x11-req", b"auth-agent-req@openssh.com", b"nonsense", b"xon-xoff", b"signal"):
            assert not asked(peer, number, name, string(b"x") + string(b"y") if name != b"signal" else string(b"USR1"))
        assert asked(peer, number, b"window-change", u32(60) + bytes(12))
        assert asked(peer, number, b"exec", string(b"a command"))
        await turns()
        channel = serving.channels[0]
        same((channel.command, channel.pty, channel.columns), (b"a command", True, 60))
        assert asked(peer, number, b"window-change", u32(5000) + bytes(12))
        same(channel.columns, 1000)
        for name, data in ((b"shell", b""), (b"exec", string(b"x")), (b"pty-req", PTY)):
            assert not asked(peer, number, name, data)
        peer.request(number, b"nonsense", reply=False)
        same(peer.messages(), [])
        assert not asked(peer, peer.open(), b"window-change", u32(60) + bytes(12))

    play(talk)


def test_key_decides():
    """A key's options: a command in place of any other, no terminal."""
    async def talk(peer, serving):
        peer.connection._key = PublicKey(KEY.blob, pty=False, command=b"forced")
        for name, data in ((b"shell", b""), (b"exec", string(b"other"))):
            number = peer.open()
            assert not asked(peer, number, b"pty-req", PTY)
            assert asked(peer, number, name, data)
        await turns()
        same([c.command for c in serving.channels], [b"forced", b"forced"])

    play(talk)


class Listener:
    def __init__(self, channel, computing):
        self.channel, self.computing, self.told = channel, computing, []
        channel.listener = self

    def resized(self):
        self.told.append("resized")

    def interrupt(self):
        self.told.append("interrupt")
        return self.computing

    def gone(self):
        self.told.append("gone")


def test_listener():
    """Ctrl-C voids what was typed before and what waits to go out, if a command computes; else it is a key."""
    async def wait(channel):
        await asyncio.sleep_ms(100)
        return 0

    async def talk(peer, serving):
        number = peer.open(window=0)
        asked(peer, number, b"pty-req", PTY)
        asked(peer, number, b"shell")
        await turns()
        channel = serving.channels[0]
        listener = Listener(channel, True)
        channel.write(b"output")
        peer.send(byte(MSG_CHANNEL_DATA) + u32(number) + string(b"typed"))
        peer.send(byte(MSG_CHANNEL_DATA) + u32(number) + string(b"more\x03next"))
        same((listener.told, bytes(channel._out), await channel.read(100)), (["interrupt"], b"", b"next"))
        listener.computing = False
        peer.send(byte(MSG_CHANNEL_DATA) + u32(number) + string(b"a\x03b"))
        same(await channel.read(100), b"a\x03b")
        assert asked(peer, number, b"break", u32(1))
        same(await channel.read(100), b"\x03")
        listener.told.clear()
        asked(peer, number, b"window-change", u32(60) + bytes(12))
        peer.send(byte(MSG_CHANNEL_CLOSE) + u32(number))
        same(listener.told, ["resized", "gone"])
        same(peer.messages(), [byte(MSG_CHANNEL_CLOSE) + u32(77)])
        raises(OSError, channel.write, b"x")
        same(await channel.read(1), b"")

    play(talk, wait)


def test_write_now():
    """From code that computes: small pieces come together, a peer that takes nothing is waited for not long."""
    async def wait(channel):
        await asyncio.sleep_ms(100)
        return 0

    async def talk(peer, serving):
        number = peer.open(window=200000)
        asked(peer, number, b"shell")
        await turns()
        channel = serving.channels[0]
        channel.write_now(b"x")
        same(peer.messages(), [])
        channel.write_now(bytes(1500))
        same(len(data_of(peer.messages())), 1501)

    play(talk, wait)


def test_opened():
    """Nothing but sessions, and not too many."""
    async def talk(peer, serving):
        for kind in (b"direct-tcpip", b"x11", b"unheard-of"):
            peer.send(byte(MSG_CHANNEL_OPEN) + string(kind) + u32(5) + u32(1000) + u32(1000) + b"what only that kind has")
            reader = Reader(peer.expect(MSG_CHANNEL_OPEN_FAILURE), 1)
            same((reader.u32(), reader.u32()), (5, OPEN_UNKNOWN_CHANNEL_TYPE if kind == b"unheard-of" else OPEN_ADMINISTRATIVELY_PROHIBITED))
        same([peer.open() for _ in range(10)], list(range(10)))
        peer.send(byte(MSG_CHANNEL_OPEN) + string(b"session") + u32(5) + u32(1000) + u32(1000))
        peer.expect(MSG_CHANNEL_OPEN_FAILURE)
        peer.send(byte(MSG_CHANNEL_CLOSE) + u32(4))
        peer.messages()
        same(peer.open(), 4)

    play(talk)


def test_global_requests():
    async def talk(peer, serving):
        peer.send(byte(MSG_GLOBAL_REQUEST) + string(b"keepalive@openssh.com") + boolean(True))
        peer.expect(MSG_REQUEST_FAILURE)
        peer.send(byte(MSG_GLOBAL_REQUEST) + string(b"tcpip-forward") + boolean(True) + string(b"") + u32(80))
        peer.expect(MSG_REQUEST_FAILURE)
        peer.send(byte(MSG_GLOBAL_REQUEST) + string(b"no-more-sessions@openssh.com") + boolean(False))
        same(peer.messages(), [])
        peer.send(byte(MSG_USERAUTH_REQUEST) + string(b"other") + string(b"ssh-connection") + string(b"none"))
        same(peer.messages(), [])  # RFC 4252, 5.1

    play(talk)


def test_before_authentication():
    for message in (byte(MSG_CHANNEL_OPEN) + bytes(20), byte(MSG_GLOBAL_REQUEST) + bytes(20), byte(MSG_REQUEST_SUCCESS),
                    byte(MSG_USERAUTH_REQUEST) + string(b"me") + string(b"ssh-connection") + string(b"none"),
                    byte(MSG_SERVICE_REQUEST) + string(b"ssh-connection"), byte(MSG_SERVICE_REQUEST) + string(b"other")):
        peer = Peer(Server(KEY, None, report=failed))
        peer.identify()
        peer.exchange()
        raises(Disconnect, peer.send, message)


run(globals())
