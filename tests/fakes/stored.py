"""Takes the place of the module deflate, whose compressor the unix port lacks: gzip files of stored blocks (RFC 1951, 1952)."""

import binascii
import struct
import sys

GZIP = 3


class DeflateIO:
    def __init__(self, stream, format, wbits):
        assert format == GZIP and 8 <= wbits <= 15
        self._stream = stream
        self._data = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._stream.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
        parts = [self._data[at : at + 65535] for at in range(0, len(self._data), 65535)] or [b""]
        for i, part in enumerate(parts):
            self._stream.write(struct.pack("<BHH", i == len(parts) - 1, len(part), len(part) ^ 0xFFFF) + part)
        self._stream.write(struct.pack("<II", binascii.crc32(self._data), len(self._data)))

    def write(self, data):
        self._data.extend(data)


sys.modules["deflate"] = sys.modules[__name__]
