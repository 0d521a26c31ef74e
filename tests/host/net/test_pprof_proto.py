"""net/pprof_proto.py: the encoding of protocol buffers, and profiles as a reader sees them."""

import stored  # in place of deflate
from check import same
from net import pprof_proto as proto
from protobuf import fields, profile, varint


def test_varints():
    for n, data in (
        (0, b"\0"), (1, b"\x01"), (127, b"\x7f"), (128, b"\x80\x01"), (150, b"\x96\x01"), (300, b"\xac\x02"), ((1 << 63) - 1, b"\xff" * 8 + b"\x7f"),
        ((1 << 64) - 1, b"\xff" * 9 + b"\x01"),
    ):
        out = bytearray()
        proto.put_varint(out, n)
        same((n, bytes(out)), (n, data))
        same(varint(out, 0), (n, len(data)))


def test_messages():
    """The examples of protobuf.dev, encoding: field 1 is 150; field 2 is "testing"."""
    same(bytes(proto.message(150)), b"\x08\x96\x01")
    out = bytearray()
    proto.put_bytes(out, 2, b"testing")
    same(bytes(out), b"\x12\x07testing")
    same(bytes(proto.message(0, 1, 0)), b"\x10\x01")
    out = bytearray()
    proto.put_bytes(out, 20, b"x" * 200)
    same(bytes(out[:4]), b"\xa2\x01\xc8\x01")


def test_profile():
    p = proto.Profile((("samples", "count"), ("cpu", "nanoseconds")), ("cpu", "nanoseconds"), 10000000)
    busy, main = p.location("busy", "f.py", 10), p.location("main", "f.py", 20)
    other = p.location("busy", "g.py", 10)
    same(p.location("busy", "f.py", 10), busy)
    assert p.location("busy", "f.py", 11) != busy and other != busy
    p.sample([busy, main], (5, 50000000))
    p.sample([other], (300, 1 << 40), (("bytes", 64, "bytes"),))
    p.sample([], (1, 0))
    p.comment("grüße")
    got = profile(p.encode(1700000000000000000, 1500000000))
    same(got["types"], [("samples", "count"), ("cpu", "nanoseconds")])
    same(got["samples"], [
        ([("busy", "f.py", 10), ("main", "f.py", 20)], [5, 50000000], []),
        ([("busy", "g.py", 10)], [300, 1 << 40], [("bytes", 64, "bytes")]),
        ([], [1, 0], []),
    ])
    same((got["comments"], got["period"], got["time_ns"], got["duration_ns"]), (["grüße"], 10000000, 1700000000000000000, 1500000000))
    same((got["default"], got["program"]), ("cpu", "keelback.efi"))


def test_order():
    """What a reader that takes fields as they come needs: the table of strings begins with an empty one."""
    p = proto.Profile((("a", "b"),), ("c", "d"), 1)
    strings = [value for field, value in fields(p.encode(1)) if field == 6]
    same(strings, [b"", b"a", b"b", b"c", b"d", b"keelback.efi"])


def test_gzip():
    data = proto.gzip(b"profile")
    same(data[:3], b"\x1f\x8b\x08")
    assert b"profile" in data  # the fake stores
