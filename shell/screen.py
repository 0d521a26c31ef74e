"""What a terminal shows of a prompt and a line, and the bytes that bring it up to date.

The stale part of the line alone is sent, once for a chunk of input. Cells count from the prompt's
first character; where they wrap depends on the terminal's width. Over a serial line nobody tells
it: while it is unknown (0), lines are drawn as if they never wrapped, and ask_width() makes the
terminal report it (save the cursor, go far right, report, restore). Who is told it calls resize().
Source: ECMA-48, VT100.
"""

# SPDX-License-Identifier: BSD-3-Clause

from shell.utf8 import columns

_ASK_WIDTH = b"\x1b7\x1b[999C\x1b[6n\x1b8"
_CLEAR = b"\x1b[H\x1b[2J"
_ERASE_LINE = b"\x1b[K"
_ERASE_BELOW = b"\x1b[J"
_NEWLINE = b"\r\n"


class Screen:
    """The rows of one prompt and line. width: columns of the terminal, 0 if not known."""

    def __init__(self, width=0):
        self.resize(width)
        self.start(b"")

    def resize(self, width):
        """Take what somebody tells of the width; 0: nobody knows."""
        self.width = width
        self._told = width > 0

    def start(self, prompt):
        """Begin on a free row with a prompt (one column a byte)."""
        self._prompt = prompt
        self._asked = False
        self._out = bytearray()
        self._repaint()

    def _repaint(self):
        self._out += self._prompt
        self._shown = 0  # bytes of the line on the screen
        self._clean = 0  # of these, how many are still as shown
        self._cell = len(self._prompt)  # the terminal's cursor
        self._end = self._cell  # behind the last character shown

    def stale(self, start):
        """Note that the line changed from this byte on."""
        self._clean = min(self._clean, start)

    def take(self, line, pos):
        """-> what must be sent to show the line with the cursor at byte pos; b"" for nothing."""
        self._draw(line, pos)
        out = self._out
        self._out = bytearray()
        return out

    def newline(self, line):
        """Go to a free row below the line."""
        self._draw(line, len(line))
        self._out += _NEWLINE

    def clear(self):
        """Begin anew at the top of an empty screen."""
        self._out += _CLEAR
        self._repaint()

    def show(self, line, words):
        """List words (bytes) in columns below the line, then begin anew."""
        self.newline(line)
        width = self.width or 80
        slot = max([len(w) for w in words]) + 2
        per_row = max(1, width // slot)
        for i in range(0, len(words), per_row):
            row = [w + b" " * (slot - len(w)) for w in words[i : i + per_row]]
            self._out += b"".join(row).rstrip() + _NEWLINE
        self._repaint()

    def ask_width(self, line, pos):
        """Have the terminal report its width, once for a line, unless it was told."""
        if not self._asked and not self._told:
            self._asked = True
            self._draw(line, pos)
            self._out += _ASK_WIDTH

    def _cell_of(self, line, pos):
        start = len(self._prompt)
        return start + columns(line[:pos], start, self.width)

    def _draw(self, line, pos):
        n = len(line)
        if self._clean < self._shown or self._cell != self._end:
            self._draw_anywhere(line, pos)
            return
        if self._shown < n:
            self._append(line[self._shown :])
            self._clean = self._shown = n
        if pos < n:
            self._move(self._cell_of(line, pos))

    def _draw_anywhere(self, line, pos):
        """The way for all cases; costs a walk over the line, which typing at its end must not."""
        n = len(line)
        if self._clean < max(n, self._shown):
            self._move(self._cell_of(line, self._clean))
            if self._end > self._cell:
                self._out += _ERASE_BELOW if self.width else _ERASE_LINE
            self._append(line[self._clean :])
            self._clean = self._shown = n
        self._move(self._cell_of(line, pos))

    def _append(self, text):
        """Send text from the cursor on; it ends behind the last character of the line."""
        self._out += text
        self._end = self._cell + columns(text, self._cell, self.width)
        if self.width and text and self._end % self.width == 0:
            self._out += b" \r"  # terminals put the wrap off; this makes it happen
        self._cell = self._end

    def _move(self, cell):
        """Move the terminal's cursor to a cell."""
        here = self._cell
        self._cell = cell
        if self.width:
            rows = cell // self.width - here // self.width
            if rows:
                self._out += b"\x1b[%d%c" % (abs(rows), "B" if rows > 0 else "A")
            here %= self.width
            cell %= self.width
        if 0 < here - cell <= 4:
            self._out += b"\b" * (here - cell)
        elif here != cell:
            self._out += b"\x1b[%d%c" % (abs(cell - here), "C" if cell > here else "D")
