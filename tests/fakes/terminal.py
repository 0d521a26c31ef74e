"""A terminal to judge what the line editor draws: a grid of cells, a cursor, the sequences we use.

Wraps like a VT100: a character in the last column leaves the cursor there, and only the next one
goes to the following row. Unknown sequences raise, so that the editor can send nothing else.
"""

_WIDE = 0x2E80  # code points from here on take two columns, as far as tests use them


class Terminal:
    def __init__(self, columns, rows=200):
        self.columns = columns
        self.grid = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.pending = False  # the last column was written, the wrap is due
        self.saved = (0, 0)
        self.answers = b""

    def write(self, data):
        text = str(data, "utf-8")
        i = 0
        while i < len(text):
            i = self._escape(text, i + 1) if text[i] == "\x1b" else self._plain(text[i], i)

    def line(self, row):
        """-> a row as text, without the blanks at its end."""
        return "".join([c for c in self.grid[row] if c]).rstrip()

    def cursor(self):
        return self.row, self.column

    def _plain(self, c, i):
        if c == "\r":
            self.column = 0
        elif c == "\n":
            self.row += 1
        elif c == "\b":
            assert self.column, "backspace at the left edge"
            self.column -= 1
        else:
            self._put(c)
            return i + 1
        self.pending = False
        return i + 1

    def _put(self, c):
        assert c >= " " and c != "\x7f", repr(c)
        width = 2 if _WIDE <= ord(c) != 0xFFFD else 1
        if self.pending or self.column + width > self.columns:
            self.row += 1
            self.column = 0
        self.pending = False
        self.grid[self.row][self.column : self.column + width] = [c] + [""] * (width - 1)
        self.column += width
        if self.column == self.columns:
            self.column -= 1
            self.pending = True

    def _escape(self, text, i):
        if text[i] in "78":
            if text[i] == "7":
                self.saved = (self.row, self.column)
            else:
                self.row, self.column = self.saved
            self.pending = False
            return i + 1
        assert text[i] == "[", repr(text[i:])
        end = i + 1
        while text[end] in "0123456789;":
            end += 1
        number = int(text[i + 1 : end]) if end > i + 1 else 0
        self._control(text[end], number)
        return end + 1

    def _control(self, final, number):
        if final == "n":
            self.answers += b"\x1b[%d;%dR" % (self.row + 1, self.column + 1)
            return
        self.pending = False
        if final in "ABCD":
            n = max(number, 1)
            self.row += {"A": -n, "B": n}.get(final, 0)
            self.column += {"C": n, "D": -n}.get(final, 0)
            self.column = min(self.column, self.columns - 1)
            assert self.row >= 0 and self.column >= 0, "moved off the screen"
        elif final == "H":
            self.row = self.column = 0
        elif final in "JK":
            self._erase(final, number)
        else:
            raise AssertionError("sequence " + final)

    def _erase(self, final, number):
        first = 0 if number == 2 else self.row
        for row in range(first, len(self.grid) if final == "J" else self.row + 1):
            start = self.column if row == self.row and number != 2 else 0
            self.grid[row][start:] = [" "] * (self.columns - start)
