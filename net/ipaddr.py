"""IP addresses as text and as bytes: IPv4 in dotted decimal (RFC 6943, 3.1.1 strict), IPv6 as RFC 4291, 2.2 reads and RFC 5952 writes it. Pure.

Leaves out: zones (fe80::1%en1), prefixes, octal and hexadecimal parts of IPv4 addresses, which programs read in different ways.
"""

# SPDX-License-Identifier: BSD-3-Clause


def parse(text):
    """-> 4 or 16 bytes, or None where the text is no address."""
    return _ipv6(text) if ":" in text else _ipv4(text)


def text(data):
    """-> the text of 4 or 16 bytes, in the one form that RFC 5952 asks for."""
    if len(data) == 4:
        return "%d.%d.%d.%d" % tuple(data)
    if data[:12] == b"\0" * 10 + b"\xff\xff":
        return "::ffff:" + text(data[12:])
    groups = [data[i] << 8 | data[i + 1] for i in range(0, 16, 2)]
    start, count = _longest_zeros(groups)
    words = ["%x" % group for group in groups]
    if count < 2:
        return ":".join(words)
    return ":".join(words[:start]) + "::" + ":".join(words[start + count :])


def _longest_zeros(groups):
    """-> (start, count) of the first of the longest runs of zero groups."""
    best = (0, 0)
    start = None
    for i, group in enumerate(groups):
        if group:
            start = None
        else:
            start = i if start is None else start
            if i + 1 - start > best[1]:
                best = (start, i + 1 - start)
    return best


def _ipv4(text):
    out = bytearray()
    for part in text.split("."):
        value = int(part) if part.isdigit() and len(part) <= 3 else 256
        if value > 255 or (part[0] == "0" and len(part) > 1):
            return None
        out.append(value)
    return bytes(out) if len(out) == 4 else None


def _ipv6(text):
    if text.count("::") > 1 or len(text) > 45:
        return None
    head, gap, tail = text.partition("::")
    left, right = _groups(head, not gap), _groups(tail, True)
    if left is None or right is None:
        return None
    missing = 16 - len(left) - len(right)
    if missing < 2 if gap else missing:
        return None
    return left + b"\0" * missing + right


def _groups(text, last):
    """-> the bytes of groups between colons; the last of an address may be an IPv4 address. None: they are none."""
    out = b""
    parts = text.split(":") if text else []
    for i, part in enumerate(parts):
        if "." in part:
            ipv4 = _ipv4(part) if last and i == len(parts) - 1 else None
            if ipv4 is None:
                return None
            out += ipv4
        elif not 1 <= len(part) <= 4 or part.strip("0123456789abcdefABCDEF"):
            return None
        else:
            out += bytes([int(part, 16) >> 8, int(part, 16) & 255])
    return out
