"""Bytes of a terminal -> keys: printable text in runs, control characters, escape sequences.

Understands the sequences of xterm, VT100 and the Linux console for the keys named below, and
swallows all others (ECMA-48 5.4: CSI is closed by 0x40-0x7e; OSC, DCS and the like by BEL or ST).
A control character inside a sequence ends the sequence and is then taken as itself, so that no
sequence, however broken, can hide an Enter. Text is UTF-8: broken bytes become U+FFFD and C1
controls are dropped, because terminals obey them. Keeps no more than a few bytes of state.
"""

# SPDX-License-Identifier: BSD-3-Clause

from micropython import const

# Keys that are no control characters of ASCII.
UP = const(0x100)
DOWN = const(0x101)
RIGHT = const(0x102)
LEFT = const(0x103)
HOME = const(0x104)
END = const(0x105)
DELETE = const(0x106)
WORD_RIGHT = const(0x107)
WORD_LEFT = const(0x108)
WORD_DELETE = const(0x109)
WORD_RUBOUT = const(0x10A)
REPORT = const(0x10B)  # the terminal told its cursor's column: Keys.column

_FINAL = {"A": UP, "B": DOWN, "C": RIGHT, "D": LEFT, "H": HOME, "F": END}
_TILDE = {"1": HOME, "7": HOME, "4": END, "8": END, "3": DELETE}
_META = {"b": WORD_LEFT, "f": WORD_RIGHT, "d": WORD_DELETE, "\x7f": WORD_RUBOUT}
_MODIFIED = {RIGHT: WORD_RIGHT, LEFT: WORD_LEFT}

_GROUND = const(0)
_ESC = const(1)
_CSI = const(2)
_SS3 = const(3)
_STRING = const(4)
_SEQUENCE_MAX = const(16)


class Keys:
    """The decoder of one terminal's input. column: see REPORT."""

    def __init__(self):
        self.column = 0
        self._state = _GROUND
        self._sequence = ""
        self._partial = b""

    def next(self, data, i):
        """Take one key from data[i:]. -> (key, text, next i).

        key is a control character, a key above, 0 for text, or None where there is none yet.
        """
        b = data[i]
        if b < 0x20:
            self._state = _ESC if b == 0x1B else _GROUND
            self._partial = b""
            return (None if b == 0x1B else b), None, i + 1
        if self._state != _GROUND:
            return self._escape(b), None, i + 1
        if b == 0x7F:
            return b, None, i + 1
        end = _run_end(data, i)
        return 0, self._text(data[i:end]), end

    def _escape(self, b):
        state = self._state
        c = chr(b) if b < 0x80 else "\x00"
        if state == _ESC:
            self._state = {"[": _CSI, "O": _SS3, "]": _STRING, "P": _STRING}.get(c, _GROUND)
            self._sequence = ""
            return _META.get(c)
        if state == _STRING:
            return None
        if state == _CSI and not 0x40 <= b <= 0x7E:
            if len(self._sequence) < _SEQUENCE_MAX:
                self._sequence += c
            return None
        self._state = _GROUND
        return self._key(c)

    def _key(self, final):
        parameters = self._sequence.split(";")
        if final == "~":
            return _TILDE.get(parameters[0])
        if final == "R" and len(parameters) == 2 and parameters[1].isdigit():
            self.column = int(parameters[1])
            return REPORT
        key = _FINAL.get(final)
        return _MODIFIED.get(key, key) if len(parameters) > 1 else key

    def _text(self, data):
        """-> valid UTF-8 of a run; a sequence that the run cuts waits for the next one."""
        try:
            if not self._partial and len(str(data, "utf-8")) == len(data):
                return data
        except UnicodeError:
            pass
        from shell import utf8

        text, self._partial = utf8.clean(self._partial + bytes(data))
        return text


def _run_end(data, i):
    n = len(data)
    while i < n and data[i] >= 0x20 and data[i] != 0x7F:
        i += 1
    return i
