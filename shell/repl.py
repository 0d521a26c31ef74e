"""The MicroPython REPL on a session: what pyexec.c does on a serial line, over any stream.

Prompts `>>> ` and `... `, automatic indentation, completion by Tab, paste mode (Ctrl-E), tracebacks,
`_`. Ctrl-C drops the input or interrupts the code; Ctrl-D or SystemExit return to the shell, and
the names stay for the next time. A line that arrives in one piece with the next (a paste) is not
indented. Other tasks go on at the prompt, so that asyncio.create_task() gives background work.
"""

# SPDX-License-Identifier: BSD-3-Clause

import io
import sys

import __main__
import _repl

from shell.lineedit import CTRL_B, CTRL_C, CTRL_D, CTRL_E, ENTER, OVERFLOW, LineEditor

_INDENT = 4
_PASTE_MAX = 1 << 20  # bytes
_USER_FRAMES = '  File "<stdin>"'


class Repl:
    """A REPL on the terminal of a session."""

    def __init__(self, session):
        self._session = session
        self._editor = LineEditor(_complete, (CTRL_B, CTRL_D, CTRL_E), session.columns, _INDENT)
        self._left = False

    async def run(self):
        """Read, execute and print until Ctrl-D, SystemExit or the stream's end."""
        self._greet()
        while not self._left:
            source = await self._read()
            if source is None:
                break
            if source.strip():
                self._execute(source, "single")

    def _greet(self):
        version = sys.version.split("; ")[-1]
        machine = getattr(sys.implementation, "_machine", sys.platform)
        self._session.print("%s; %s\n" % (version, machine))
        self._session.print('Type "help()" for more information, Ctrl-D returns to the shell.\n')

    async def _read(self):
        """-> the source of one statement, "" for nothing, None to leave."""
        source = bytearray()
        line = b""
        while True:
            indent = _next_indent(line)
            if indent and await self._session.more_typed():
                indent = b""  # a paste brings its own
            self._editor.start(b"... " if source else b">>> ", indent)
            event = await self._session.event(self._editor)
            line = bytes(self._editor.line)
            if event == ENTER:
                # An indentation that was offered and not used is an empty line.
                source += b"" if line == indent else line
                text = str(source, "utf-8")
                if not _repl.incomplete(text):
                    return text
                source += b"\n"
            elif event == CTRL_D and source:
                self._session.write(b"\r\n")
                return str(source, "utf-8")
            elif source:
                return ""
            else:
                return await self._control(event)

    async def _control(self, event):
        """Act on a control key at an empty prompt. -> as _read()."""
        if event is None or event == CTRL_D:
            self._session.write(b"\r\n" if event else b"")
            return None
        if event == CTRL_E:
            await self._paste()
        elif event == CTRL_B:
            self._session.write(b"\r\n")
            self._greet()
        elif event == OVERFLOW:
            self._session.print("line too long\n")
        return ""

    async def _paste(self):
        """Take lines as they are, up to Ctrl-D, and execute them as one piece."""
        self._session.print("\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\n")
        source = bytearray()
        editor = LineEditor(None, (CTRL_D,))
        while True:
            editor.start(b"=== ")
            event = await self._session.event(editor)
            if event == CTRL_D:
                break
            if event != ENTER or len(source) > _PASTE_MAX:
                return
            source += editor.line + b"\n"
        self._session.write(b"\r\n")
        self._execute(str(source, "utf-8"), "exec")

    def _execute(self, source, kind):
        try:
            self._session.foreground(_run, source, kind)
        except SystemExit:
            self._left = True
        except BaseException as e:  # whatever the code raises belongs to its user
            self._session.print(_traceback(e))


def _run(source, kind):
    exec(compile(source, "<stdin>", kind), __main__.__dict__)


def _next_indent(line):
    """-> the indentation (bytes) that the line behind this one begins with."""
    count = len(line) - len(line.lstrip(b" "))
    count -= count % _INDENT
    return b" " * (count + _INDENT if line.rstrip().endswith(b":") else count)


def _complete(line):
    """As the editor asks for it; at the start of a line Tab indents."""
    if not line.strip():
        return len(line), b" " * (_INDENT - len(line) % _INDENT), ()
    found = _repl.complete(str(line, "utf-8"))
    if isinstance(found, str):
        return len(line), found.encode(), ()
    return len(line), None, [name.encode() for name in found]


def _traceback(e):
    """-> the traceback as text, without the frames of this shell."""
    out = io.StringIO()
    sys.print_exception(e, out)
    text = out.getvalue()
    user = text.find(_USER_FRAMES)
    return text if user < 0 else text[: text.find("\n") + 1] + text[user:]
