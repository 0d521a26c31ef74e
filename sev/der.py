"""Read DER, the one encoding of ASN.1 values that certificates have: bytes in, values out or DERError.

Source: X.690 (2021), 8 and 10 (DER); RFC 5280, 4.1.2.5 (times). Strict: tags of one byte, lengths in their shortest form, no
value longer than what it lies in, nothing left over, eight levels at most. Not here: sets of options, real numbers, tags
above 30.
"""

# SPDX-License-Identifier: BSD-3-Clause

from micropython import const

BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8, PRINTABLE, IA5, UTC_TIME, TIME, SEQUENCE, SET = 0x0C, 0x13, 0x16, 0x17, 0x18, 0x30, 0x31

_DEPTH_MAX = const(8)
_OID_MAX = const(32)  # bytes
_PRINTABLE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?"


class DERError(ValueError):
    """Bytes that are not DER, or another value than was asked for."""


def context(number, constructed=True):
    """-> the tag [number]."""
    return 0x80 | number | (0x20 if constructed else 0)


class Reader:
    """Reads the values in data[at:end], one behind the other."""

    def __init__(self, data, at=0, end=None, depth=0):
        if depth > _DEPTH_MAX:
            raise DERError("DER is nested too deep")
        self._data = data
        self._at = at
        self._end = len(data) if end is None else end
        self._depth = depth

    def more(self):
        """-> True unless all is read."""
        return self._at < self._end

    def next_is(self, tag):
        return self._at < self._end and self._data[self._at] == tag

    def check_end(self):
        """Raise DERError if anything is left."""
        if self._at != self._end:
            raise DERError("%d bytes of DER too many" % (self._end - self._at))

    def _enter(self, tag):
        """Pass a value. -> (offset of its content, offset behind it)"""
        if self._end - self._at < 2:
            raise DERError("DER ends too early")
        if self._data[self._at] != tag:
            raise DERError("DER has tag %#x in place of %#x" % (self._data[self._at], tag))
        length, at = self._length(self._at + 1)
        if length > self._end - at:
            raise DERError("DER value is longer than what it lies in")
        self._at = at + length
        return at, self._at

    def _length(self, at):
        """-> (length at that offset, offset behind it)"""
        first = self._data[at]
        at += 1
        if first < 0x80:
            return first, at
        count = first & 0x7F
        if not 1 <= count <= 3 or count > self._end - at:
            raise DERError("DER has a bad length")
        length = int.from_bytes(self._data[at : at + count], "big")
        if length < 0x80 or length >> 8 * (count - 1) == 0:
            raise DERError("DER has a length that is not in its shortest form")
        return length, at + count

    def inside(self, tag):
        """-> a Reader of the content of a constructed value, or of one that holds another's encoding."""
        at, end = self._enter(tag)
        return Reader(self._data, at, end, self._depth + 1)

    def content(self, tag):
        """-> the bytes of a value, without tag and length."""
        at, end = self._enter(tag)
        return self._data[at:end]

    def whole(self, tag):
        """-> all bytes of a value."""
        start = self._at
        _, end = self._enter(tag)
        return self._data[start:end]

    def positive(self):
        """-> an INTEGER of any length as big-endian bytes without leading zeroes, b"" for 0. DERError: it is negative."""
        data = self.content(INTEGER)
        if not data or len(data) > 1 and data[0] == 0 and not data[1] & 0x80:
            raise DERError("INTEGER is not in its shortest form")
        if data[0] & 0x80:
            raise DERError("INTEGER is negative")
        return data.lstrip(b"\0")

    def small(self):
        """-> an INTEGER from 0 to 2**31 - 1."""
        data = self.positive()
        if len(data) > 4 or len(data) == 4 and data[0] & 0x80:
            raise DERError("INTEGER is too large")
        return int.from_bytes(data, "big")

    def boolean(self):
        data = self.content(BOOLEAN)
        if data not in (b"\0", b"\xff"):
            raise DERError("bad BOOLEAN")
        return data != b"\0"

    def null(self):
        if self.content(NULL):
            raise DERError("NULL is not empty")

    def bits(self):
        """-> (bytes of a BIT STRING, count of bits in the last one that are not of it)."""
        data = self.content(BITS)
        if not data or data[0] > 7 or data[-1] & ((1 << data[0]) - 1):
            raise DERError("bad BIT STRING")
        return data[1:], data[0]

    def octet_bits(self):
        """-> the bytes of a BIT STRING of whole bytes."""
        data, unused = self.bits()
        if unused:
            raise DERError("BIT STRING is not of whole bytes")
        return data

    def oid(self):
        """-> an OBJECT IDENTIFIER, "1.2.840.113549"."""
        data = self.content(OID)
        if not 1 <= len(data) <= _OID_MAX or data[-1] & 0x80:
            raise DERError("bad OBJECT IDENTIFIER")
        arcs, arc, first = [], 0, True
        for b in data:
            if first and b == 0x80:
                raise DERError("OBJECT IDENTIFIER is not in its shortest form")
            arc = arc << 7 | b & 0x7F
            first = not b & 0x80
            if first:
                arcs.append(arc)
                arc = 0
        top = min(arcs[0] // 40, 2)
        return ".".join([str(n) for n in [top, arcs[0] - 40 * top] + arcs[1:]])

    def text(self):
        """-> a str, of the kinds that names have: UTF8String, PrintableString, IA5String. DERError: not all of it is printable
        ASCII, as AMD's are: it will be shown on terminals.
        """
        for tag in (UTF8, PRINTABLE, IA5):
            if self.next_is(tag):
                data = self.content(tag)
                if [b for b in data if not (b in _PRINTABLE if tag == PRINTABLE else 0x20 <= b < 0x7F)]:
                    raise DERError("text is not all printable ASCII")
                return str(data, "ascii")
        raise DERError("no text of a known kind")

    def time(self):
        """-> seconds from 1970 on, of a UTCTime or GeneralizedTime in the form that RFC 5280 wants."""
        tag = UTC_TIME if self.next_is(UTC_TIME) else TIME
        data = self.content(tag)
        digits = 12 if tag == UTC_TIME else 14
        if len(data) != digits + 1 or data[-1:] != b"Z" or not data[:digits].isdigit():
            raise DERError("bad time")
        year = int(data[: digits - 10])
        if tag == UTC_TIME:
            year += 1900 if year >= 50 else 2000
        return _seconds(year, *[int(data[at : at + 2]) for at in range(digits - 10, digits, 2)])


def _seconds(year, month, day, hour, minute, second):
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (1970 <= year and 1 <= month <= 12 and 1 <= day <= lengths[month - 1] and hour < 24 and minute < 60 and second < 60):
        raise DERError("bad time")
    years = year - 1
    days = years * 365 + years // 4 - years // 100 + years // 400 - 719162 + sum(lengths[: month - 1]) + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second
