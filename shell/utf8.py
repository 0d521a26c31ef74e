"""UTF-8 from untrusted sources, and how many columns of a terminal it takes.

Source: RFC 3629; Unicode 15 UAX 11 (wide and zero-width characters, the blocks in common use).
"""

# SPDX-License-Identifier: BSD-3-Clause

_REPLACEMENT = b"\xef\xbf\xbd"  # U+FFFD

# (first, last, columns) of the characters that do not take one column.
_WIDTHS = (
    (0x0300, 0x036F, 0),
    (0x1100, 0x115F, 2),
    (0x200B, 0x200F, 0),
    (0x20D0, 0x20FF, 0),
    (0x2E80, 0x303E, 2),
    (0x3041, 0x33FF, 2),
    (0x3400, 0x4DBF, 2),
    (0x4E00, 0x9FFF, 2),
    (0xA000, 0xA4CF, 2),
    (0xAC00, 0xD7A3, 2),
    (0xF900, 0xFAFF, 2),
    (0xFE00, 0xFE0F, 0),
    (0xFE30, 0xFE4F, 2),
    (0xFF00, 0xFF60, 2),
    (0xFFE0, 0xFFE6, 2),
    (0x1F300, 0x1F64F, 2),
    (0x1F900, 0x1F9FF, 2),
    (0x20000, 0x3FFFD, 2),
)


def char_len(lead):
    """-> bytes of the character that this byte begins, or 0 if it cannot begin one."""
    if lead < 0x80:
        return 1
    if 0xC2 <= lead < 0xE0:
        return 2
    if 0xE0 <= lead < 0xF0:
        return 3
    return 4 if 0xF0 <= lead < 0xF5 else 0


def code_point(data, i, n):
    """-> the code point of the n bytes at data[i:], or None if they are no valid character."""
    if n == 1:
        return data[i]
    code = data[i] & (0xFF >> (n + 1))
    for j in range(i + 1, i + n):
        if data[j] & 0xC0 != 0x80:
            return None
        code = code << 6 | data[j] & 0x3F
    if code < (0, 0, 0x80, 0x800, 0x10000)[n] or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return None
    return code


def clean(data):
    """-> (valid UTF-8 without control characters, the bytes of a character that is cut at the end)."""
    out = bytearray()
    i = 0
    while i < len(data):
        n = char_len(data[i])
        if n and i + n > len(data) and not _broken(data, i):
            return bytes(out), bytes(data[i:])
        code = code_point(data, i, n) if n and i + n <= len(data) else None
        if code is None:
            out.extend(_REPLACEMENT)
            n = 1
        elif code >= 0xA0 or 0x20 <= code < 0x7F:
            out.extend(data[i : i + n])
        i += n
    return bytes(out), b""


def _broken(data, i):
    return any(b & 0xC0 != 0x80 for b in data[i + 1 :])


def columns(data, start=0, row=0):
    """-> columns that valid UTF-8 takes on a terminal, from column start on in rows of `row` (0: endless).

    A wide character that would straddle two rows leaves the last column of its row empty.
    """
    if len(str(data, "utf-8")) == len(data):
        return len(data)
    at = start
    i = 0
    while i < len(data):
        n = char_len(data[i])
        width = 1 if n < 2 else _width(code_point(data, i, n))
        if width == 2 and row and at % row == row - 1:
            at += 1
        at += width
        i += n
    return at - start


def _width(code):
    for first, last, width in _WIDTHS:
        if code <= last:
            return width if code >= first else 1
    return 1
