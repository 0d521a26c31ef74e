"""net/ssh/wire.py: one table of encodings both ways, one of what must fail. Source: RFC 4251, 5, with its examples."""

from binascii import unhexlify

from check import raises, run, same
from net.ssh import wire
from net.ssh.consts import DISCONNECT_PROTOCOL_ERROR, Disconnect
from net.ssh.wire import Reader

BOTH_WAYS = (  # encoder, name of the decoder, value, encoding
    (wire.byte, "byte", 0, "00"),
    (wire.byte, "byte", 255, "ff"),
    (wire.boolean, "boolean", True, "01"),
    (wire.boolean, "boolean", False, "00"),
    (wire.u32, "u32", 699921578, "29b7f4aa"),
    (wire.u32, "u32", 0xFFFFFFFF, "ffffffff"),
    (wire.string, "string", b"", "00000000"),
    (wire.string, "string", b"testing", "00000007" + "74657374696e67"),
    (wire.mpint, "mpint", b"", "00000000"),
    (wire.mpint, "mpint", unhexlify("09a378f9b2e332a7"), "0000000809a378f9b2e332a7"),
    (wire.mpint, "mpint", b"\x80", "000000020080"),
    (wire.mpint, "mpint", b"\x01\x00", "000000020100"),
)

ONE_WAY = (  # decoder, encoding, value
    ("boolean", "02", True),
    ("text", "00000002c3a9", "é"),
)

MUST_FAIL = (  # decoder, encoding
    ("byte", ""),
    ("boolean", ""),
    ("u32", "000000"),
    ("string", "000000"),
    ("string", "00000001"),
    ("string", "ffffffff00"),
    ("text", "00000001ff"),
    ("text", "00000002c328"),
    ("text", "0000000180"),
    ("mpint", "000000"),
    ("mpint", "00000001" + "80"),  # negative
    ("mpint", "00000001" + "00"),  # 0 is empty
    ("mpint", "00000002" + "007f"),  # a zero too many
    ("mpint", "00000002" + "ff80"),
    ("mpint", "00000003" + "0080"),
)


def test_both_ways():
    for encode, decode, value, encoding in BOTH_WAYS:
        data = unhexlify(encoding)
        same(encode(value), data)
        for source in (data, bytearray(data), memoryview(data)):
            reader = Reader(source)
            same(getattr(reader, decode)(), value)
            reader.check_end()


def test_one_way():
    for decode, encoding, value in ONE_WAY:
        same(getattr(Reader(unhexlify(encoding)), decode)(), value)
    same(wire.mpint(b"\0\0\x01"), unhexlify("0000000101"))
    for names, encoding in (((), "00000000"), (("zlib",), "000000047a6c6962"), (("zlib", "none"), "000000097a6c69622c6e6f6e65")):
        same(wire.name_list(names), unhexlify(encoding))


def test_must_fail():
    for decode, encoding in MUST_FAIL:
        e = raises(Disconnect, getattr(Reader(unhexlify(encoding)), decode))
        same(e.args[0], DISCONNECT_PROTOCOL_ERROR)


def test_every_cut_fails():
    for encode, decode, value, encoding in BOTH_WAYS:
        data = unhexlify(encoding)
        for end in range(len(data)):
            raises(Disconnect, getattr(Reader(data[:end]), decode))


def test_end():
    reader = Reader(b"\0\1\2", 1)
    same(reader.byte(), 1)
    raises(Disconnect, reader.check_end)
    same(reader.raw(1), b"\2")
    reader.check_end()


run(globals())
