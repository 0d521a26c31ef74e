"""Where the cursor's movements lead in a line of UTF-8: characters and words."""

# SPDX-License-Identifier: BSD-3-Clause

_BLANK = 0x20


def left(line, pos):
    """-> where the character left of pos begins."""
    while pos > 0:
        pos -= 1
        if line[pos] & 0xC0 != 0x80:
            break
    return pos


def right(line, pos):
    """-> where the character at pos ends."""
    n = len(line)
    while pos < n:
        pos += 1
        if pos == n or line[pos] & 0xC0 != 0x80:
            break
    return pos


def word_left(line, pos):
    """-> where the word (letters, digits, _) left of pos begins."""
    while pos and not _in_word(line[pos - 1]):
        pos -= 1
    while pos and _in_word(line[pos - 1]):
        pos -= 1
    return pos


def word_right(line, pos):
    """-> where the word right of pos ends."""
    n = len(line)
    while pos < n and not _in_word(line[pos]):
        pos += 1
    while pos < n and _in_word(line[pos]):
        pos += 1
    return pos


def blank_left(line, pos):
    """-> where what stands between blanks left of pos begins."""
    while pos and line[pos - 1] == _BLANK:
        pos -= 1
    while pos and line[pos - 1] != _BLANK:
        pos -= 1
    return pos


def indent_left(line, pos, step):
    """-> the last multiple of step left of pos if only blanks stand there, else as left()."""
    if pos and not line[:pos].strip(b" "):
        return (pos - 1) // step * step
    return left(line, pos)


def _in_word(b):
    return b >= 0x80 or b == 0x5F or 0x30 <= b <= 0x39 or 0x61 <= b | 0x20 <= 0x7A
