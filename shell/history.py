"""The lines that were entered, for the cursor keys."""

# SPDX-License-Identifier: BSD-3-Clause

_LINE_MAX = 1024  # a longer line is not kept


class History:
    """At most `limit` lines (bytes), the newest last; a walk through them keeps the line begun."""

    def __init__(self, limit=50):
        self._lines = []
        self._limit = limit
        self._at = 0
        self._begun = b""

    def add(self, line):
        """Keep a line, unless it is empty, very long or the same as the last one."""
        if line and len(line) <= _LINE_MAX and self._lines[-1:] != [line]:
            self._lines.append(line)
            if len(self._lines) > self._limit:
                self._lines.pop(0)
        self._at = len(self._lines)

    def step(self, by, line):
        """-> the line `by` entries away from the one shown, or None at either end."""
        at = self._at + by
        if not 0 <= at <= len(self._lines):
            return None
        if self._at == len(self._lines):
            self._begun = line
        self._at = at
        return self._begun if at == len(self._lines) else self._lines[at]
