"""shell/keys.py: escape sequences to keys, broken ones swallowed, text in runs."""

from check import run, same
from shell import keys

SEQUENCES = (
    (b"\x1b[A", [keys.UP]),
    (b"\x1bOB", [keys.DOWN]),
    (b"\x1b[C", [keys.RIGHT]),
    (b"\x1b[D", [keys.LEFT]),
    (b"\x1b[H\x1b[1~\x1b[7~\x1bOH", [keys.HOME] * 4),
    (b"\x1b[F\x1b[4~\x1b[8~\x1bOF", [keys.END] * 4),
    (b"\x1b[3~", [keys.DELETE]),
    (b"\x1b[1;5C\x1bf", [keys.WORD_RIGHT] * 2),
    (b"\x1b[1;5D\x1bb", [keys.WORD_LEFT] * 2),
    (b"\x1bd", [keys.WORD_DELETE]),
    (b"\x1b\x7f", [keys.WORD_RUBOUT]),
    (b"\x1b[24;80R", [keys.REPORT]),
    (b"\x1b[R\x1b[;R\x1b[1;:R", []),
    (b"\x1b[200~x\x1b[201~", [b"x"]),  # bracketed paste
    (b"\x1b[?1;2c", []),
    (b"\x1b[15~\x1bOP", []),
    (b"\x1b]0;title\x07x", [7, b"x"]),  # BEL ends it and is a key that does nothing
    (b"\x1b]0;title\x1b\\x", [b"x"]),
    (b"\x1bPdata\x1b\\x", [b"x"]),
    (b"\x1b[" + b"9" * 1000 + b"~x", [b"x"]),
    (b"\x1b\x1b\x1b[A", [keys.UP]),
    (b"\x1b\r", [13]),
    (b"\x1b[12\r", [13]),
    (b"\x1b]never closed\r", [13]),
    (b"\x1b[\xff\xfeA", [keys.UP]),
    (b"a\x01b", [b"a", 1, b"b"]),
)


def decode(*chunks):
    decoder = keys.Keys()
    out = []
    for data in chunks:
        i = 0
        while i < len(data):
            key, text, i = decoder.next(data, i)
            if text or key:
                out.append(bytes(text) if text else key)
    return out


def test_sequences():
    for data, expected in SEQUENCES:
        same((data, decode(data)), (data, expected))


def test_sequences_byte_by_byte():
    for data, expected in SEQUENCES:
        joined = []
        for item in decode(*[bytes((b,)) for b in data]):
            if isinstance(item, bytes) and joined and isinstance(joined[-1], bytes):
                joined[-1] += item
            else:
                joined.append(item)
        same((data, joined), (data, expected))


def test_report_column():
    decoder = keys.Keys()
    i = 0
    data = b"\x1b[5;132R"
    while i < len(data):
        _, _, i = decoder.next(data, i)
    same(decoder.column, 132)


def test_characters_cut_by_chunks():
    text = "aé漢🐍".encode()
    for cut in range(len(text)):
        same(b"".join(decode(text[:cut], text[cut:])), text)


run(globals())
