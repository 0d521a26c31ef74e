"""net/ipaddr.py: addresses read strictly, and written in one form."""

from check import run, same
from net import ipaddr

# (text, its canonical form); RFC 5952, 1 to 5
SAME = (
    ("0.0.0.0", "0.0.0.0"),
    ("142.251.209.17", "142.251.209.17"),
    ("255.255.255.255", "255.255.255.255"),
    ("::", "::"),
    ("::1", "::1"),
    ("1::", "1::"),
    ("2a00:1450:4002:410::2011", "2a00:1450:4002:410::2011"),
    ("2001:DB8::00aA", "2001:db8::aa"),
    ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
    ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
    ("0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"),
    ("1:2:3:4:5:6::", "1:2:3:4:5:6::"),
    ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
    ("::ffff:c000:201", "::ffff:192.0.2.1"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
)
WRONG = (
    "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1.2.3.-4", "1..2.3", "0x1.2.3.4", "1.2.3.4444", "a.b.c.d",
    ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7::8", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "12345::",
    "g::", "::1.2.3", "::1.2.3.4:5", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "fe80::1%en0", "::1/64", "1:2:3:4:5:6:7:8" * 9, "::-1",
)  # fmt: skip


def test_canonical_form():
    for text, canonical in SAME:
        data = ipaddr.parse(text)
        assert data is not None, text
        same(len(data), 16 if ":" in text else 4)
        same(ipaddr.text(data), canonical)
        same(ipaddr.parse(canonical), data)


def test_wrong():
    same([text for text in WRONG if ipaddr.parse(text) is not None], [])


def test_every_pattern_of_zeros_comes_back():
    for bits in range(256):
        data = b"".join([b"\x12\x34" if bits >> i & 1 else b"\0\0" for i in range(8)])
        text = ipaddr.text(data)
        same(ipaddr.parse(text), data)
        assert ":::" not in text and text.count("::") <= 1, text


run(globals())
