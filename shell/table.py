"""Aligned text for people: `label ....: value` lines, hex dumps and durations."""

# SPDX-License-Identifier: BSD-3-Clause


def table(rows, width=0):
    """Format (label, value) pairs as `label ....: value` lines.

    width: columns up to the colon; by default the longest label, a space and a dot.
    A row of None is an empty line.
    """
    width = width or max([len(row[0]) for row in rows if row]) + 2
    return "".join([_line(row, width) for row in rows])


def _line(row, width):
    if row is None:
        return "\n"
    label, value = row
    if len(label) < width:
        label += " " + "." * (width - len(label) - 1)
    return "%s: %s\n" % (label, value)


def hexdump(data, addr=0):
    """Yield one line for 16 bytes: address, bytes in hexadecimal, printable characters."""
    for i in range(0, len(data), 16):
        row = bytes(data[i : i + 16])
        left = " ".join(["%02x" % b for b in row[:8]])
        right = " ".join(["%02x" % b for b in row[8:]])
        text = "".join([chr(b) if 0x20 <= b < 0x7F else "." for b in row])
        yield "%08x  %-23s  %-23s  |%s|" % (addr + i, left, right, text)


def duration(seconds):
    """-> "1 day 2 hours 3 minutes 4 seconds", units that are zero left out."""
    parts = []
    for name, unit in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, unit)
        if count or (unit == 1 and not parts):
            parts.append("%d %s%s" % (count, name, "" if count == 1 else "s"))
    return " ".join(parts)


def plural(count, noun):
    return "%d %s%s" % (count, noun, "" if count == 1 else "s")
