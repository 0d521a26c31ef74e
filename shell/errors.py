"""Exceptions -> the one line that a user reads, and the traceback that the serial log keeps."""

# SPDX-License-Identifier: BSD-3-Clause

import errno
import io
import sys

from _repl import HARDENED

from shell.registry import CommandError

_LOG_MAX = 4096  # bytes of one traceback
_LINE_MAX = 512

_TEXT = {
    errno.ENOENT: "no such file or directory",
    errno.EIO: "input/output error",
    errno.EACCES: "permission denied",
    errno.EEXIST: "file exists",
    errno.ENODEV: "no such device",
    errno.EISDIR: "is a directory",
    errno.EINVAL: "invalid argument",
    errno.EPERM: "operation not permitted",
    errno.ENOMEM: "out of memory",
    14: "address is not mapped",  # EFAULT
    20: "not a directory",  # ENOTDIR
    28: "no space left",  # ENOSPC
    30: "read-only file system",  # EROFS
}


def describe(e):
    """-> (one line of text, True if the exception was foreseen)."""
    if isinstance(e, (CommandError, ValueError)):
        return _line(e) or type(e).__name__, True
    if isinstance(e, OSError):
        return _os_error(e), True
    if isinstance(e, KeyboardInterrupt):
        return "interrupted", True
    if isinstance(e, MemoryError):
        return "out of memory", True
    text = _line(e)
    return type(e).__name__ + (": " + text if text else ""), False


def log(e):
    """Print the traceback of an exception on the console, whoever's session it comes from.

    In a hardened build without what the exception says: that may be a piece of what the program holds.
    """
    if not HARDENED:
        sys.print_exception(e, _Head(sys.stdout.write))
        return
    parts = []
    sys.print_exception(e, _Head(parts.append))
    for line in "".join(parts).split("\n"):
        if line.startswith("  File "):
            sys.stdout.write(line + "\n")
    sys.stdout.write(type(e).__name__ + "\n")


class _Head(io.IOBase):
    """Passes on the first part of what is printed: a recursion's traceback has no end."""

    def __init__(self, sink):
        self._room = _LOG_MAX
        self._sink = sink

    def write(self, data):
        if self._room > 0:
            self._sink(str(data[: self._room], "utf-8"))
        self._room -= len(data)
        return len(data)


def _line(e):
    return " ".join(str(e).split())[:_LINE_MAX]


def _os_error(e):
    if not isinstance(e.errno, int):
        return _line(e) or "OSError"
    text = _TEXT.get(e.errno) or errno.errorcode.get(e.errno) or "error %d" % e.errno
    # A second argument says what the call was about, as in OSError(EFAULT, "0x1000").
    return "%s: %s" % (e.args[1], text) if len(e.args) > 1 else text
