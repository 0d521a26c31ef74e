"""shell/remote.py: who may enter, and what a session does that computes. Clients: tests/ssh; machines: tests/boot/test_ssh.py."""

import asyncio
import os
import sys
from asyncio import core

import _repl
import irq
from check import raises, run, same
from net.ssh.hostkey import HostKey
from shell import registry, remote, tasks
from shell.registry import command

tasks.install()
registry.load()
FILE = "test-authorized-keys"


def line(key):
    from binascii import b2a_base64

    return "ecdsa-sha2-nistp256 " + str(b2a_base64(key.blob).strip(), "utf-8")


def with_file(text, act):
    """Call act() while authorized_keys holds a text (or bytes)."""
    with open(FILE, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    remote.KEY_FILES = ("not there", FILE)
    try:
        return act()
    finally:
        os.remove(FILE)


def test_authorized():
    remote.KEY_FILES = ("not there",)
    same(remote.authorized(), (None, ()))
    key = HostKey()
    found, warnings = with_file(line(key) + "\nnonsense\n", remote.authorized)
    same(([k.blob for k in found], warnings), ([key.blob], [FILE + ", line 2 is no key: malformed options"]))
    for text in ("", "\n# none\n", b"\xff\xfe", "x" * 300000):
        found, warnings = with_file(text, remote.authorized)
        same(found, [])
        assert "nobody can log in" in warnings[-1], warnings


def test_frozen_keys():
    """Frozen ones are all there are; a module of that name that is not frozen is none."""
    key = HostKey()

    class Module:
        KEYS = line(key)

    sys.modules["authorized_keys"] = Module
    try:
        found, _ = with_file(line(HostKey()), remote.authorized)
        same([k.blob for k in found], [key.blob])
    finally:
        del sys.modules["authorized_keys"]
    with open("authorized_keys.py", "w") as f:
        f.write("KEYS = ''")
    try:
        remote.KEY_FILES = ()
        same(remote.authorized(), (None, ()))
    finally:
        os.remove("authorized_keys.py")


class Channel:
    """A channel that plays a script: pieces that come in, and what was sent."""

    def __init__(self, *pieces, pty=True, command=None):
        self.pieces, self.pty, self.command = list(pieces), pty, command
        self.columns, self.listener, self.out, self.pumps, self.broken = 80, None, b"", 0, False
        self.key = None

    async def read(self, n):
        await asyncio.sleep_ms(0)
        return self.pieces.pop(0) if self.pieces else b""

    def write(self, data):
        self.out += bytes(data)

    write_now = write

    async def drain(self):
        await asyncio.sleep_ms(0)

    def pump(self):
        self.pumps += 1
        if self.broken:
            raise OSError(104)


@command("t-compute", "", "")
def t_compute(ctx):
    assert irq.ticks, "nobody looks at the connection"
    print("computing")
    for number in list(irq.ticks):
        irq.ring(number)
    return "done\n"


@command("t-status", "<what>", "")
def t_status(ctx, what):
    if what == "bad":
        raise OSError(2)


def test_one_line():
    for words, out, status in ((b"t-compute", b"computing\ndone\n", 0), (b" t-status good ", b"", 0), (b"", b"", 0),
                               (b"t-status bad", b"command error, no such file or directory\n", 1), (b"\xff", None, 1)):
        channel = Channel(pty=False, command=words)
        same(asyncio.run(remote.serve(channel)), status)
        assert out is None or channel.out == out, channel.out
        same(irq.ticks, {})


def test_lines():
    channel = Channel(b"t-status bad\nt-com", b"pute\r\n\n", b"exit\nt-status bad\n", pty=False)
    same(asyncio.run(remote.serve(channel)), 0)
    same(channel.out, b"command error, no such file or directory\ncomputing\ndone\n")


def test_terminal():
    channel = Channel(b"t-compute\r", b"\x04")
    same(asyncio.run(remote.serve(channel)), 0)
    assert b"computing\r\ndone\r\n\r\n> \r\n" in channel.out, channel.out


def test_tick():
    """It looks at the connection; one that is broken interrupts the command."""
    channel = Channel(pty=False, command=b"t-compute")
    asyncio.run(remote.serve(channel))
    same(channel.pumps, 1)
    channel = Channel(pty=False, command=b"t-compute")
    channel.broken = True
    same(asyncio.run(remote.serve(channel)), 1)
    assert b"interrupted" in channel.out and not irq.ticks


def test_interrupt():
    """Ctrl-C is for what computes; in an event loop of its own it ends that; else it is a key."""
    seen = []

    async def forever():
        seen.append(session.interrupt())
        await asyncio.sleep(100)

    async def talk():
        nonlocal session
        session = remote.Remote(Channel())
        seen.append(session.interrupt())
        raises(KeyboardInterrupt, session.foreground, session.interrupt)
        raises(KeyboardInterrupt, session.foreground, asyncio.run, forever())
        same(session.foreground(lambda: 5), 5)

    session = None
    asyncio.run(talk())
    same((seen, irq.ticks, remote._computing), ([False, True], {}, []))


def test_gone():
    """A session whose peer is gone ends, whatever it waits for."""
    async def talk():
        channel = Channel()

        async def read(n):
            await asyncio.sleep(100)

        channel.read = read
        task = core.create_task(remote.serve(channel))
        await asyncio.sleep_ms(20)
        channel.listener.gone()
        try:
            await task
        except asyncio.CancelledError:
            return True

    same(asyncio.run(talk()), True)


def test_resized():
    async def talk():
        channel = Channel()
        session = remote.Remote(channel)
        channel.columns = 33
        session.resized()
        same(session.columns, 33)

    asyncio.run(talk())


run(globals())
