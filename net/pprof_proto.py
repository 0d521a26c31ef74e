"""Profiles as pprof's profile.proto: what `go tool pprof`, its web view and speedscope read.

A profile is a bag of samples; each is a chain of locations, innermost first, with a value of each type. A location is a
line of a function. Names stand once, in a table of strings. Written field by field, as protocol buffers are.
Source: github.com/google/pprof, proto/profile.proto; protobuf.dev, encoding. Leaves out: inlined lines, folding.
"""

# SPDX-License-Identifier: BSD-3-Clause

from micropython import const

_VARINT = const(0)  # wire types
_BYTES = const(2)

# Fields of message Profile
_SAMPLE_TYPE = const(1)
_SAMPLE = const(2)
_MAPPING = const(3)
_LOCATION = const(4)
_FUNCTION = const(5)
_STRING = const(6)
_TIME_NANOS = const(9)
_DURATION_NANOS = const(10)
_PERIOD_TYPE = const(11)
_PERIOD = const(12)
_COMMENT = const(13)
_DEFAULT_SAMPLE_TYPE = const(14)


def put_varint(out, n):
    """Append a number, 0 <= n < 2**64, to a bytearray: seven bits a byte, the lowest first."""
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)


def put_number(out, field, n):
    """Append a field that is a number; one that is 0 is left out, which means the same."""
    if n:
        put_varint(out, field << 3 | _VARINT)
        put_varint(out, n)


def put_bytes(out, field, data):
    """Append a field that is text, a message or packed numbers."""
    put_varint(out, field << 3 | _BYTES)
    put_varint(out, len(data))
    out.extend(data)


def message(*numbers):
    """-> the bytes of a message whose fields 1, 2, ... are these numbers."""
    out = bytearray()
    for i, n in enumerate(numbers):
        put_number(out, i + 1, n)
    return out


class Profile:
    """A profile that is being written.

    types: (name, unit) of each value of a sample; the last is what is shown first. period_type: (name, unit) of what
    happens between two samples, period: how much of it.
    """

    def __init__(self, types, period_type, period, program="keelback.efi"):
        self._out = bytearray()
        self._strings = {"": 0}
        self._functions = {}  # (name, file): id
        self._locations = {}  # (function's id, line): id
        for name, unit in types:
            put_bytes(self._out, _SAMPLE_TYPE, message(self._string(name), self._string(unit)))
        put_bytes(self._out, _PERIOD_TYPE, message(self._string(period_type[0]), self._string(period_type[1])))
        put_number(self._out, _PERIOD, period)
        put_number(self._out, _DEFAULT_SAMPLE_TYPE, self._string(types[-1][0]))
        # id, start, limit, offset, filename, build id; has functions, filenames, lines: nothing is left to look up
        put_bytes(self._out, _MAPPING, message(1, 0, 0, 0, self._string(program), 0, 1, 1, 1))

    def _string(self, text):
        number = self._strings.get(text)
        if number is None:
            number = self._strings[text] = len(self._strings)
        return number

    def comment(self, text):
        """Add a line that `pprof -comments` shows."""
        put_number(self._out, _COMMENT, self._string(text))

    def location(self, name, file="", line=0):
        """-> the number of a line of a function, for sample()."""
        key = name, file
        function = self._functions.get(key)
        if function is None:
            function = self._functions[key] = len(self._functions) + 1
            name = self._string(name)
            put_bytes(self._out, _FUNCTION, message(function, name, name, self._string(file)))
        key = function, line
        location = self._locations.get(key)
        if location is None:
            location = self._locations[key] = len(self._locations) + 1
            body = message(location, 1)
            put_bytes(body, 4, message(function, line))
            put_bytes(self._out, _LOCATION, body)
        return location

    def sample(self, locations, values, labels=()):
        """Add a sample. locations: innermost first; values: one of each type; labels: (name, number, unit)."""
        body = bytearray()
        for field, numbers in ((1, locations), (2, values)):
            packed = bytearray()
            for n in numbers:
                put_varint(packed, n)
            put_bytes(body, field, packed)
        for name, number, unit in labels:
            put_bytes(body, 3, message(self._string(name), 0, number, self._string(unit)))
        put_bytes(self._out, _SAMPLE, body)

    def encode(self, time_ns, duration_ns=0):
        """-> the whole profile, not compressed, as pprof also reads it. It is finished then. time_ns: since 1970, of its beginning."""
        put_number(self._out, _TIME_NANOS, time_ns)
        put_number(self._out, _DURATION_NANOS, duration_ns)
        strings = sorted([(number, text) for text, number in self._strings.items()])
        for _, text in strings:
            put_bytes(self._out, _STRING, text.encode())
        return self._out


def gzip(data):
    """-> data as a gzip file."""
    import deflate
    import io

    out = io.BytesIO()
    with deflate.DeflateIO(out, deflate.GZIP, 12) as stream:
        stream.write(data)
    return out.getvalue()
