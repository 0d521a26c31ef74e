"""shell/utf8.py: strict cleaning of UTF-8, and columns. Vectors: RFC 3629 3, 4, 7; Unicode 15 3.9."""

from check import run, same
from shell import utf8

R = b"\xef\xbf\xbd"

CLEAN = (
    (b"", b"", b""),
    (b"plain", b"plain", b""),
    (b"\xc3\xa9", b"\xc3\xa9", b""),
    (b"\xe6\xbc\xa2\xf0\x9f\x90\x8d", b"\xe6\xbc\xa2\xf0\x9f\x90\x8d", b""),
    (b"a\x80b", b"a" + R + b"b", b""),
    (b"\xc0\xaf", R + R, b""),  # overlong
    (b"\xe0\x80\xaf", R + R + R, b""),  # overlong
    (b"\xed\xa0\x80", R + R + R, b""),  # surrogate
    (b"\xf4\x90\x80\x80", R * 4, b""),  # beyond U+10FFFF
    (b"\xff\xfe", R + R, b""),
    (b"\xc3(", R + b"(", b""),
    (b"ok\xe6\xbc", b"ok", b"\xe6\xbc"),  # cut
    (b"\xf0", b"", b"\xf0"),
    (b"a\x1b[31mb\x07", b"a[31mb", b""),  # controls
    (b"\xc2\x9b31m", b"31m", b""),  # C1 CSI
    (b"\x7f", b"", b""),
)

COLUMNS = (("", 0), ("abc", 3), ("é", 1), ("漢字", 4), ("e\u0301", 1), ("🐍x", 3), ("•", 1), ("한", 2))


def test_clean():
    for data, text, rest in CLEAN:
        same((data, utf8.clean(data)), (data, (text, rest)))


def test_clean_gives_valid_text_for_any_two_bytes():
    for a in range(256):
        for b in range(0, 256, 5):
            text, rest = utf8.clean(bytes((a, b)))
            str(text, "utf-8")
            assert len(rest) < 4


def test_columns():
    for text, count in COLUMNS:
        same((text, utf8.columns(text.encode())), (text, count))


def test_columns_wide_at_the_edge():
    same(utf8.columns("漢".encode(), 9, 10), 3)
    same(utf8.columns("漢".encode(), 8, 10), 2)
    same(utf8.columns("漢".encode(), 9, 0), 2)


run(globals())
