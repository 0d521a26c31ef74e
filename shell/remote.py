"""The shell over SSH: a session for each channel, and who may open one.

With a terminal (pty) it is the console's shell, but for the raw REPL. `ssh host COMMAND` and a shell without a terminal run
lines one by one, print as they are printed, and end with the exit status of the last.

While a command computes, no task runs; a tick then looks at the connection between two bytecodes, so that Ctrl-C reaches
the command and output leaves. In machine code and inside C it does not come by; Ctrl-C on the console does.
"""

# SPDX-License-Identifier: BSD-3-Clause

import os
import sys
from asyncio import core

import _repl
import irq
from _repl import HARDENED
from micropython import const

from net.ssh import keys
from net.ssh.hostkey import HostKey
from net.ssh.server import Server
from shell import errors, hostkey, tasks
from shell.lineedit import LIMIT
from shell.registry import CommandError
from shell.session import Session

KEY_FILES = ("/authorized_keys", "/.ssh/authorized_keys")
_KEY_FILE_MAX = const(262144)  # bytes
_TICK_MS = const(20)
_CHUNK = const(4096)

_computing = []  # the sessions whose commands compute, the innermost last


def start(port=22, host_key=None):
    """Serve SSH on a port of every interface. -> the Server: close(), open, port, fingerprint. OSError: the port is taken.

    host_key: 32 bytes, the private key; without, that of shell/hostkey.py. Lines of authorized_keys that are no keys are
    named on the console. CommandError: a hardened build opens to nobody in particular.
    """
    allowed, warnings = authorized()
    if HARDENED and not allowed:
        raise CommandError("a hardened build serves SSH only to keys that are frozen into it")
    for text in warnings:
        print(text)
    server = Server(HostKey(host_key) if host_key else hostkey.get(), serve, allowed, report=errors.log)
    server.start(port)
    return server


def authorized():
    """-> (keys that may enter or None for everybody, warnings).

    Keys that are frozen into the executable (KEYS of a module authorized_keys) are all there are: the boot volume is
    whoever's who runs the machine. A list without a single good key lets nobody in.
    """
    source, text = "frozen authorized_keys", _frozen()
    if text is None and not HARDENED:
        source, text = _file()
    if text is None:
        return None, ()
    found, warnings = keys.parse(text)
    warnings = ["%s, %s" % (source, warning) for warning in warnings]
    if not found:
        warnings.append("%s has no good key: nobody can log in over SSH" % source)
    return found, warnings


def _frozen():
    path, sys.path[:] = sys.path[:], [".frozen"]
    try:
        from authorized_keys import KEYS

        return KEYS
    except ImportError:
        return None
    finally:
        sys.path[:] = path


def _file():
    """-> (path, text) of the boot volume's file, text None where there is none."""
    for path in KEY_FILES:
        try:
            if os.stat(path)[6] > _KEY_FILE_MAX:
                return path + ", longer than 256 KiB", ""
            with open(path) as f:
                return path, f.read()
        except UnicodeError:
            return path + ", not UTF-8", ""
        except OSError:
            pass  # not there
    return "", None


async def serve(channel):
    """Serve a channel to its end. -> the exit status."""
    if channel.command is not None:
        return await Lines(channel).run_one(channel.command)
    if channel.pty:
        from shell.main import greeting

        session = Remote(channel)
        await session.run(greeting())
        return 0
    return await Lines(channel).run_all()


class Remote(Session):
    """A session on a channel, of which it is the listener."""

    def __init__(self, channel):
        super().__init__(channel, columns=channel.columns)
        self.trusted = self.trusted or channel.key is not None
        self._task = core.cur_task
        self._editing = self._editor
        self._sending = False  # write_now() is at work, which a tick must not disturb
        self._state = None  # of the event loop, while a command computes
        channel.listener = self

    # -- what the channel tells ----------------------------------------------------------------

    def resized(self):
        """The terminal has another width."""
        self._editing.screen.resize(self._stream.columns)
        self.columns = self._stream.columns

    def interrupt(self):
        """Ctrl-C came in. -> True if it was for a command that computes; else it is a key."""
        if self not in _computing:
            return False
        if not self._nested():
            _repl.interrupt()
        elif _computing[-1] is self:  # in an event loop of its own, of which this is a task
            core.create_task(_raise())
        else:
            return False
        return True

    def gone(self):
        """Nobody is there any more: what runs is of no use."""
        self.closed = True
        if not self.interrupt() and self not in _computing:
            self._task.cancel()

    # -- the session ---------------------------------------------------------------------------

    async def event(self, editor):
        self._editing = editor
        editor.screen.resize(self.columns)
        return await super().event(editor)

    def foreground(self, function, *args):
        self._state = tasks.save()
        _computing.append(self)
        number = irq.tick(self._tick, _TICK_MS)
        try:
            return super().foreground(function, *args)
        finally:
            irq.free(number)
            _computing.remove(self)

    def _nested(self):
        """Does the command run an event loop on our queue? The connection's tasks run in it, too."""
        return core._task_queue is self._state[1] and core.cur_task is not None and core.cur_task is not self._task

    def write(self, data):
        if self in _computing and not self._nested():
            _repl.shielded(self._write_now, data)
        else:
            super().write(data)

    def _write_now(self, data):
        """From code that computes, where no task sends what is written."""
        if not data:
            return
        self._line_open = data[-1] != 0x0A
        self._silent = False
        self._sending = True
        try:
            tasks.within(self._state, self._stream.write_now, data)
        finally:
            self._sending = False

    def _tick(self, _):
        if self._sending or self._nested():
            return
        try:
            tasks.within(self._state, self._stream.pump)
        except OSError:
            _repl.interrupt()  # nobody is there any more


async def _raise():
    raise KeyboardInterrupt


class Lines(Remote):
    """Runs command lines without editing them."""

    def __init__(self, channel):
        super().__init__(channel)
        self.eol = "\r\n" if channel.pty else "\n"

    async def run_one(self, line):
        """Run a line (bytes). -> its exit status."""
        await self._run(line)
        return self.status

    async def run_all(self):
        """Run lines until the stream ends or one says `exit`. -> the exit status of the last."""
        while not self.closed:
            line = await self._line()
            if line is None:
                break
            await self._run(line)
        return self.status

    async def _run(self, line):
        try:
            if len(line) > LIMIT:
                raise CommandError("line too long")
            str(line, "utf-8")
        except (UnicodeError, CommandError) as e:
            self._report(e)
        else:
            await self._execute(line.strip())
        await self._stream.drain()

    async def _line(self):
        """-> the next line without its end, None at the end. Of one that is too long no more is kept than shows it."""
        line = b""
        while True:
            rest = self._input[self._at :]
            end = rest.find(b"\n")
            line = (line + (rest if end < 0 else rest[:end]))[: LIMIT + 1]
            if end >= 0:
                self._at += end + 1
                return line.rstrip(b"\r")
            self._input = await self._stream.read(_CHUNK)
            self._at = 0
            if not self._input:
                return line or None

    async def _show(self, result):
        """Write what a handler gave, and no empty line behind it."""
        if isinstance(result, str):
            self.print(result)
        elif result:
            await self._attended(self._emit(result))
