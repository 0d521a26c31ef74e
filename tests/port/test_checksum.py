"""The Internet checksum of port/net_checksum.c against the definition, at every length and offset that differs."""

import ctypes
import pathlib
import random
import subprocess

import pytest

PORT = pathlib.Path(__file__).resolve().parents[2] / "port"


@pytest.fixture(scope="module")
def checksum(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checksum")
    (folder / "lwip").mkdir()
    (folder / "lwip" / "inet_chksum.h").write_text("#include <stdint.h>\ntypedef uint16_t u16_t;\n")
    out = folder / "sum.so"
    subprocess.run(["gcc", "-O2", "-std=gnu11", "-fPIC", "-shared", "-I", folder, PORT / "net_checksum.c", "-o", out], check=True)
    function = ctypes.CDLL(str(out)).net_checksum
    function.restype = ctypes.c_uint16
    return function


def defined(data):
    """RFC 1071, over words in memory's order on this machine."""
    data += bytes(len(data) % 2)
    total = sum(int.from_bytes(data[i:i + 2], "little") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_every_length(checksum):
    random.seed(1)
    for fill in (random.randbytes(300), bytes(300), b"\xff" * 300):
        for offset in (0, 1, 7):
            for length in range(280):
                data = ctypes.create_string_buffer(fill, 300)
                got = checksum(ctypes.byref(data, offset), length)
                assert got == defined(fill[offset:offset + length]), (offset, length)


def test_carries(checksum):
    """Every carry chain to its end: words of all ones with one that is not, wherever that is."""
    for place in range(0, 64):
        data = bytearray(b"\xff" * 65536)
        data[place] = 0
        assert checksum(bytes(data), 65535) == defined(bytes(data[:65535]))
    for data in (b"\xff" * 65534 + b"\x01", b"\xfe\xff" * 30000 + b"\x01\x00", bytes(9) + b"\xff" * 64 + b"\x01"):
        assert checksum(data, len(data)) == defined(data)
