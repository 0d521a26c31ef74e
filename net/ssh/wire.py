"""SSH's data types and their encodings: bytes in, values out or Disconnect; no state.

Numbers of more than 64 bits (mpint) are big-endian bytes here, without a sign: none is ever negative.
Source: RFC 4251, 5.
"""

# SPDX-License-Identifier: BSD-3-Clause

from net.ssh.consts import protocol_error


def byte(n):
    return bytes((n,))


def boolean(value):
    return b"\x01" if value else b"\x00"


def u32(n):
    return n.to_bytes(4, "big")


def string(data):
    """data: bytes."""
    return len(data).to_bytes(4, "big") + data


def mpint(number):
    """number: big-endian bytes of any length; leading zeroes fall away."""
    number = number.lstrip(b"\0")
    return string(b"\0" + number if number and number[0] & 0x80 else number)


def name_list(names):
    return string(",".join(names).encode())


class Reader:
    """Takes a message apart, from its first byte on; raises Disconnect where it ends too early or is malformed."""

    def __init__(self, data, at=0):
        self._data = data
        self._at = at

    def raw(self, n):
        """-> the next n bytes."""
        start = self._at
        self._at = start + n
        if self._at > len(self._data):
            raise protocol_error("message too short")
        return bytes(self._data[start : self._at])

    def byte(self):
        return self.raw(1)[0]

    def boolean(self):
        return self.raw(1) != b"\0"

    def u32(self):
        return int.from_bytes(self.raw(4), "big")

    def string(self):
        return self.raw(int.from_bytes(self.raw(4), "big"))

    def text(self):
        """-> a string that must be UTF-8."""
        try:
            return str(self.string(), "utf-8")
        except UnicodeError:
            raise protocol_error("text is not UTF-8")

    def mpint(self):
        """-> big-endian bytes without leading zeroes, b"" for 0. Not the shortest form, or negative: Disconnect."""
        data = self.string()
        if data and (data[0] & 0x80 or data[0] == 0 and (len(data) == 1 or not data[1] & 0x80)):
            raise protocol_error("number negative or not in its shortest form")
        return data.lstrip(b"\0")

    def check_end(self):
        """Raise Disconnect if anything is left."""
        if self._at != len(self._data):
            raise protocol_error("message too long")
