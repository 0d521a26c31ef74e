"""The line editor: keys in, an edited line and what a terminal must be sent out. Pure, no I/O.

Editing changes the buffer and tells the screen (shell/screen.py) from where on it is stale; drawing
happens in take(), once for a chunk of input, however many keys it held. The first editing key of a
line asks the terminal for its width; a peer that only sends text and Enter is never asked.

A line is at most LIMIT bytes: of a longer one nothing is kept, and its Enter gives OVERFLOW.
"""

# SPDX-License-Identifier: BSD-3-Clause

from micropython import const

from shell import keys, motion
from shell.history import History
from shell.screen import Screen

CTRL_A = const(1)
CTRL_B = const(2)
CTRL_C = const(3)
CTRL_D = const(4)
CTRL_E = const(5)
ENTER = const(13)
OVERFLOW = const(0x1FF)  # an Enter after more than LIMIT bytes

LIMIT = const(4096)

_TAB = const(9)
_LF = const(10)


class LineEditor:
    """One terminal's editor.

    complete(line up to the cursor) -> (offset of the word, its replacement or None, candidates to
    list), all bytes, or None. events: the control characters that feed() returns when the line is
    empty. indent: blanks that Backspace takes at once where only blanks stand before it.
    """

    def __init__(self, complete=None, events=(), width=0, indent=1):
        self.history = History()
        self.screen = Screen(width)
        self._complete = complete
        self._events = events
        self._indent = indent
        self._keys = keys.Keys()
        self._killed = b""
        self._after_cr = False
        self._listed = False  # what Tab can become was listed, in this chunk and for this line
        self.start(b"")

    def start(self, prompt, line=b""):
        """Begin a new line behind a prompt."""
        self.line = bytearray(line)
        self._pos = len(line)  # of the cursor, in bytes
        self._overflow = False
        self.screen.start(prompt)

    def feed(self, data, i=0):
        """Take keys from data[i:] until one ends the line. -> (event or None, next i).

        event: ENTER, OVERFLOW, CTRL_C, or one of `events`.
        """
        n = len(data)
        while i < n:
            if self._overflow:
                i = _skip_text(data, i)
                if i == n:
                    break
            key, text, i = self._keys.next(data, i)
            if text:
                self._insert(text)
            elif key:
                event = self._key(key)
                if event:
                    return event, i
        return None, i

    def take(self):
        """-> what the terminal must be sent now; b"" for nothing."""
        self._listed = False
        return self.screen.take(self.line, self._pos)

    def _key(self, key):
        if key == _LF and self._after_cr:
            self._after_cr = False
            return None
        self._after_cr = key == ENTER
        self._listed = self._listed and key == _TAB
        if key == ENTER or key == _LF:
            return self._finish(OVERFLOW if self._overflow else ENTER)
        if key == CTRL_C:
            return self._finish(CTRL_C)
        if key == keys.REPORT:
            self.screen.width = self._keys.column
        elif key in self._events and not self.line:
            return key
        elif key in _ACTIONS and not self._overflow:
            self.screen.ask_width(self.line, self._pos)
            _ACTIONS[key](self)
        return None

    def _finish(self, event):
        self._pos = len(self.line)
        self.screen.newline(self.line)
        if event == ENTER:
            self.history.add(bytes(self.line))
        return event

    def _insert(self, text):
        self._after_cr = self._listed = False
        if len(self.line) + len(text) <= LIMIT:
            self._replace(self._pos, self._pos, text)
        else:
            self._replace(0, len(self.line), b"")
            self._overflow = True

    def _replace(self, start, end, text):
        """Put text in place of line[start:end] and the cursor behind it."""
        if start == len(self.line):
            self.line.extend(text)
        else:
            self.line[start:end] = text
        self.screen.stale(start)
        self._pos = start + len(text)

    def _kill(self, start, end):
        if start < end:
            self._killed = bytes(self.line[start:end])
            self._replace(start, end, b"")

    # -- actions -------------------------------------------------------------------------------

    def left(self):
        self._pos = motion.left(self.line, self._pos)

    def right(self):
        self._pos = motion.right(self.line, self._pos)

    def home(self):
        self._pos = 0

    def end(self):
        self._pos = len(self.line)

    def word_left(self):
        self._pos = motion.word_left(self.line, self._pos)

    def word_right(self):
        self._pos = motion.word_right(self.line, self._pos)

    def rubout(self):
        self._replace(motion.indent_left(self.line, self._pos, self._indent), self._pos, b"")

    def delete(self):
        self._replace(self._pos, motion.right(self.line, self._pos), b"")

    def word_rubout(self):
        self._kill(motion.word_left(self.line, self._pos), self._pos)

    def word_delete(self):
        self._kill(self._pos, motion.word_right(self.line, self._pos))

    def blank_rubout(self):
        self._kill(motion.blank_left(self.line, self._pos), self._pos)

    def kill_right(self):
        self._kill(self._pos, len(self.line))

    def kill_left(self):
        self._kill(0, self._pos)

    def yank(self):
        self._insert(self._killed)

    def clear(self):
        self.screen.clear()

    def older(self):
        self._recall(-1)

    def newer(self):
        self._recall(1)

    def _recall(self, by):
        line = self.history.step(by, bytes(self.line))
        if line is not None:
            self._replace(0, len(self.line), line)

    def tab(self):
        """Complete the word at the cursor, or list what it can become: once for a run of Tabs."""
        if self._listed:
            return
        found = self._complete and self._complete(bytes(self.line[: self._pos]))
        if not found:
            return
        start, word, candidates = found
        if candidates:
            self.screen.show(self.line, candidates)
            self._listed = True
        elif word is not None and len(self.line) - (self._pos - start) + len(word) <= LIMIT:
            self._replace(start, self._pos, word)


def _skip_text(data, i):
    n = len(data)
    while i < n and data[i] >= 0x20:
        i += 1
    return i


_ACTIONS = {
    CTRL_A: LineEditor.home,
    CTRL_B: LineEditor.left,
    CTRL_D: LineEditor.delete,
    CTRL_E: LineEditor.end,
    6: LineEditor.right,  # Ctrl-F
    8: LineEditor.rubout,  # Backspace of some terminals
    _TAB: LineEditor.tab,
    11: LineEditor.kill_right,  # Ctrl-K
    12: LineEditor.clear,  # Ctrl-L
    14: LineEditor.newer,  # Ctrl-N
    16: LineEditor.older,  # Ctrl-P
    21: LineEditor.kill_left,  # Ctrl-U
    23: LineEditor.blank_rubout,  # Ctrl-W
    25: LineEditor.yank,  # Ctrl-Y
    0x7F: LineEditor.rubout,  # Backspace of the others
    keys.UP: LineEditor.older,
    keys.DOWN: LineEditor.newer,
    keys.LEFT: LineEditor.left,
    keys.RIGHT: LineEditor.right,
    keys.HOME: LineEditor.home,
    keys.END: LineEditor.end,
    keys.DELETE: LineEditor.delete,
    keys.WORD_LEFT: LineEditor.word_left,
    keys.WORD_RIGHT: LineEditor.word_right,
    keys.WORD_DELETE: LineEditor.word_delete,
    keys.WORD_RUBOUT: LineEditor.word_rubout,
}
