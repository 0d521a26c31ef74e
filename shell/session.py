"""One session of the shell: the loop that reads lines from a stream and runs commands.

A session stands on any stream with `await read(n)` (b"" at its end), write(bytes) and `await
drain()`, as asyncio's; several run at once as tasks of one event loop. Nothing that is received or
that a command does ends a session, but `exit`, the stream's end and the stream's failure.

The session is also the ctx of command handlers: columns, console, trusted, interrupted, close(), and for commands that
own the terminal, event() and write().

Ctrl-C: at the prompt it is a key. While a command computes (foreground), the console's driver
raises KeyboardInterrupt for it; while a command waits between pieces of output (_attended), the
session reads the stream and cancels the command. So it does while a command that waits is awaited.
"""

# SPDX-License-Identifier: BSD-3-Clause

import asyncio

import _repl
from _repl import HARDENED

from shell import registry, tasks
from shell.lineedit import CTRL_A, CTRL_D, ENTER, OVERFLOW, LineEditor

PROMPT = b"> "
_CHUNK = 256  # bytes of input read at once
_PASTE_MS = 30  # between two pieces of a paste, at most; nobody types as fast
_INTERRUPT = b"\x03"  # Ctrl-C
_AHEAD = 4096  # bytes typed ahead of a running command that are kept


class Session:
    """One user at one stream. console: it is the serial line, which has the raw REPL."""

    trusted = not HARDENED  # may it have private commands? Who proved to have a key may: shell/remote.py
    eol = "\r\n"  # how lines end on the stream; output of commands is written with "\n"

    def __init__(self, stream, console=False, columns=0):
        self.console = console
        self.closed = False
        self.running = False
        self._stream = stream
        self._input = b""
        self._at = 0
        self._line_open = False  # the last byte sent was no line feed
        self._silent = True  # nothing was sent since the command began
        self.interrupted = False  # by Ctrl-C, what is or was awaited last
        self.status = 0  # 1: the last command failed
        events = (CTRL_A, CTRL_D) if console and not HARDENED else (CTRL_D,)
        self._editor = LineEditor(self._complete, events, columns)

    # -- what handlers use ---------------------------------------------------------------------

    @property
    def columns(self):
        """Of the terminal; 0 where they are not known."""
        return self._editor.screen.width

    @columns.setter
    def columns(self, count):
        self._editor.screen.resize(count)

    def close(self):
        """End the session after the running command."""
        self.closed = True

    def write(self, data):
        """Send bytes as they are."""
        if data:
            self._line_open = data[-1] != 0x0A
            self._silent = False
            self._stream.write(data)

    def print(self, text):
        """Send text, its lines ended as the stream wants it."""
        self.write(text.replace("\n", self.eol).encode())

    @property
    def typed_ahead(self):
        """True while a chunk of input (a paste, say) holds more than what was taken so far."""
        return self._at < len(self._input)

    async def more_typed(self):
        """-> True if more input is there, or comes in at once: a paste does, whatever pieces the line cuts it into."""
        if not self.typed_ahead:
            try:
                self._input = await asyncio.wait_for_ms(self._stream.read(_CHUNK), _PASTE_MS)
                self._at = 0
            except asyncio.TimeoutError:
                pass
        return self.typed_ahead

    async def event(self, editor):
        """-> the next event of an editor on this session's terminal; None at the stream's end."""
        event = None
        while event is None:
            if self.typed_ahead:
                event, self._at = editor.feed(self._input, self._at)
            if event is None:
                out = editor.take()
                if out:
                    self.write(out)
                    await self._stream.drain()
                self._input = await self._stream.read(_CHUNK)
                self._at = 0
                if not self._input:
                    return None
        self.write(editor.take())
        return event

    def foreground(self, function, *args):
        """Call a function that may compute, print, be interrupted or run an event loop itself."""
        if _INTERRUPT in self._input[self._at :]:  # typed right behind the Enter, read along with it
            self._at += self._input[self._at :].find(_INTERRUPT) + 1
            raise KeyboardInterrupt
        state = tasks.save()
        previous = _repl.redirect(None if self.console else _Output(self))
        try:
            return _repl.interruptible(function, *args)
        except KeyboardInterrupt:
            tasks.cancel_since(state)
            raise
        finally:
            _repl.redirect(previous)
            tasks.restore(state)

    # -- the loop ------------------------------------------------------------------------------

    async def run(self, greeting=""):
        """Serve the stream until it ends or fails or the user says `exit`."""
        self.running = True
        try:
            self.print(greeting)
            self._editor.start(PROMPT)
            while not self.closed:
                try:
                    await self._turn()
                except KeyboardInterrupt:
                    self._editor.start(PROMPT)  # came in late, behind the command it was meant for
            await self._stream.drain()
        except OSError:
            self.closed = True  # the stream is broken: nobody is left to tell
        finally:
            self.running = False

    async def _turn(self):
        event = await self.event(self._editor)
        if event is None:
            self.close()
        elif event == ENTER:
            await self._execute(bytes(self._editor.line))
        elif event == OVERFLOW:
            self._error("line too long")
        elif event == CTRL_A:
            self._raw_repl()
        elif event == CTRL_D and not self.console:
            self.write(b"\r\n")
            self.close()
        if not self.closed and event != CTRL_D:
            self._editor.start(PROMPT)

    async def _execute(self, line):
        """Run one line; whatever it raises becomes one line of text."""
        self.status = 0
        try:
            await self._command(line)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as e:  # also KeyboardInterrupt, SystemExit: nothing ends the shell
            self._report(e)

    async def _command(self, line):
        from shell import syntax

        words = syntax.split(line)
        if not words:
            return
        record = registry.find(words[0])
        if not record:
            raise registry.CommandError("unknown command %s, type `help`" % syntax.shown(words[0]))
        if record.private and not self.trusted:
            raise registry.CommandError(registry.KEYED)
        try:
            args = syntax.bind(registry.grammar(record), words[1:])
        except registry.CommandError as e:
            usage = (words[0] + " " + registry.grammar(record)).rstrip()
            raise registry.CommandError("%s, usage: %s" % (e, usage))
        self._line_open = False
        if record.terminal:
            result = await record.handler(self, *args)
        elif record.waits:
            result = await self._attended(record.handler(self, *args))
        else:
            result = self.foreground(record.handler, self, *args)
        await self._show(result)

    async def _show(self, result):
        """Write what a handler gave, then an empty line."""
        if not result:
            return
        if isinstance(result, str):
            self.print(result)
        else:
            self._silent = True
            await self._attended(self._emit(result))
            if self._silent:
                return
        self.write(b"\r\n\r\n" if self._line_open else b"\r\n")

    async def _emit(self, pieces):
        """Write the pieces that a handler yields, and let others run in between."""
        iterator = iter(pieces)
        while self.foreground(self._emit_one, iterator):
            await self._stream.drain()

    def _emit_one(self, iterator):
        try:
            piece = next(iterator)
        except StopIteration:
            return False
        if isinstance(piece, str):
            self.print(piece + "\n")
        else:
            self.write(piece)
        return True

    # -- interruption --------------------------------------------------------------------------

    async def _attended(self, coro):
        """Await a coroutine while the stream is watched for Ctrl-C. -> its result."""
        self.interrupted = False
        work = asyncio.create_task(_caught(coro))
        watch = asyncio.create_task(self._watch(work))
        try:
            result, raised = await work
        except asyncio.CancelledError:
            if self.interrupted:
                raise KeyboardInterrupt
            work.cancel()
            raise
        finally:
            watch.cancel()
        if raised:
            raise raised
        return result

    async def _watch(self, work):
        """Keep what is typed ahead; cancel the work at Ctrl-C."""
        self._input = self._input[self._at :]
        self._at = 0
        while _INTERRUPT not in self._input:
            data = await self._stream.read(_CHUNK)
            self._input += data
            if not data or len(self._input) > _AHEAD:
                return  # the rest can wait; at the stream's end the next event() finds it
        self._at = self._input.find(_INTERRUPT) + 1
        self.interrupted = True
        work.cancel()

    # -- errors and the rest -------------------------------------------------------------------

    def _report(self, e):
        from shell import errors

        text, foreseen = errors.describe(e)
        if not foreseen:
            errors.log(e)
            if not self.trusted:
                text = type(e).__name__  # as in the log of a hardened build
        self._error(text)

    def _error(self, text):
        self.status = 1
        self.print("%scommand error, %s\n" % ("\n" if self._line_open else "", text))

    def _raw_repl(self):
        """The raw REPL takes the serial line until Ctrl-B, with what came in behind the Ctrl-A."""
        pending = self._input[self._at :]
        self._at = len(self._input)
        _repl.raw(pending)

    def _complete(self, line):
        from shell import complete

        return complete.command(line, self.trusted)


async def _caught(coro):
    """-> (result, what was raised) of a coroutine: an event loop does not survive a KeyboardInterrupt."""
    try:
        return await coro, None
    except (asyncio.CancelledError, GeneratorExit):
        raise
    except BaseException as e:
        return None, e


class _Output:
    """Where print() goes while a command of a remote session runs."""

    def __init__(self, session):
        self._session = session

    def write(self, data):
        text = bytes(data).replace(b"\r\n", b"\n")
        self._session.write(text.replace(b"\n", self._session.eol.encode()))
        return len(data)
