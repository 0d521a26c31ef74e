"""shell/syntax.py: words, syntax strings and typed arguments; good ones and ones that must fail."""

from check import raises, run, same
from shell import syntax
from shell.registry import CommandError

SPLIT = (
    (b"", []),
    (b"   \t ", []),
    (b"a b", ["a", "b"]),
    (b"  a   b\t", ["a", "b"]),
    (b"cat \\EFI\\BOOT\\x.efi", ["cat", "\\EFI\\BOOT\\x.efi"]),
    (b"cat 'a b' \"c'd\"", ["cat", "a b", "c'd"]),
    (b"a'b c'd", ["ab cd"]),
    (b"''", [""]),
    ("ls é 漢".encode(), ["ls", "é", "漢"]),
)

BIND = (
    ("", [], []),
    ("<path>", ["x"], ["x"]),
    ("(<path>)?", [], [None]),
    ("(<path>)?", ["x"], ["x"]),
    ("(cold|warm)?", [], [None]),
    ("(cold|warm)?", ["warm"], ["warm"]),
    ("<hex addr> <size>", ["ff", "16"], [255, 16]),
    ("<hex addr> <size>", ["0xFFFFFFFFFFFFFFFF", "0x10"], [(1 << 64) - 1, 16]),
    ("<hex addr> <hex value>", ["0", "41"], [0, (0x41, 1)]),
    ("<hex addr> <hex value>", ["0", "0041"], [0, (0x41, 2)]),
    ("<hex addr> <hex value>", ["0", "12345"], [0, (0x12345, 4)]),
    ("<hex addr> <hex value>", ["0", "0x0000000000000001"], [0, (1, 8)]),
    ("<leaf> <subleaf>", ["80000002", "0"], [0x80000002, 0]),
    ("<ip> <mac> <gw> (debug)?", ["a", "b", "c"], ["a", "b", "c", None]),
    ("<ip> <mac> <gw> (debug)?", ["a", "b", "c", "debug"], ["a", "b", "c", "debug"]),
    ("(<ip> <mask> <gw>)? (debug)?", [], [None, None, None, None]),
    ("(<ip> <mask> <gw>)? (debug)?", ["debug"], [None, None, None, "debug"]),
    ("(<ip> <mask> <gw>)? (debug)?", ["a", "b", "c"], ["a", "b", "c", None]),
    ("(<ip> <mask> <gw>)? (debug)?", ["a", "b", "c", "debug"], ["a", "b", "c", "debug"]),
    ("(RFC3339|ntp)? (<server>)?", ["1970-01-01T00:00:01Z"], [1000000000, None]),
    ("(RFC3339|ntp)? (<server>)?", ["ntp", "x"], ["ntp", "x"]),
    ("(raw|verify)? <path>", ["x"], [None, "x"]),
    ("(raw|verify)? <path>", ["raw", "x"], ["raw", "x"]),
)

OPTIONS = "(raw|json)? ... (ext)? (vmpl <vmpl>)? (at <hex addr>)?"
BIND_OPTIONS = (
    ([], [None, None, None, None]),
    (["raw"], ["raw", None, None, None]),
    (["ext"], [None, "ext", None, None]),
    (["at", "ff", "json"], "unknown argument `json`, expected ext, vmpl, at"),
    (["json", "at", "ff", "vmpl", "2", "ext"], ["json", "ext", "2", 255]),
    (["vmpl", "ext"], [None, None, "ext", None]),  # a value may look like an option
    (["vmpl"], "missing argument <vmpl> of `vmpl`"),
    (["ext", "ext"], "`ext` twice"),
    (["xml"], "unknown argument `xml`, expected ext, vmpl, at"),
    (["at", "x"], "invalid <hex addr> `x`, not a hexadecimal number"),
)

MUST_FAIL = (
    ("", ["x"], "unexpected argument `x`"),
    ("<path>", [], "missing argument <path>"),
    ("<path>", ["a", "b"], "unexpected argument `b`"),
    ("(cold|warm)?", ["hot"], "unknown argument `hot`, expected (cold|warm)"),
    ("(<ip> <mask> <gw>)? (debug)?", ["a"], "unknown argument `a`, expected (debug)"),
    ("(<ip> <mask> <gw>)? (debug)?", ["a", "b", "c", "d"], "unknown argument `d`, expected (debug)"),
    ("(<ip> <mask> <gw>)? (debug)?", ["a", "b", "c", "debug", "e"], "unexpected argument `e`"),
    ("<hex addr>", ["xyz"], "invalid <hex addr> `xyz`, not a hexadecimal number"),
    ("<hex addr>", ["-1"], "invalid <hex addr> `-1`, not a hexadecimal number"),
    ("<hex addr>", ["0x"], "invalid <hex addr> `0x`, not a hexadecimal number"),
    ("<hex addr>", ["1_0"], "invalid <hex addr> `1_0`, not a hexadecimal number"),
    ("<hex addr>", ["1" + "0" * 16], "invalid <hex addr> `10000000000000000`, more than 64 bits"),
    ("<leaf>", ["100000000"], "invalid <leaf> `100000000`, more than 32 bits"),
    ("<hex value>", ["00000000000000000"], "invalid <hex value> `00000000000000000`, more than 64 bits"),
    ("<size>", ["0"], "invalid <size> `0`, must be at least 1"),
    ("<size>", ["ten"], "invalid <size> `ten`, not a number of bytes"),
    ("<size>", ["-4"], "invalid <size> `-4`, not a number of bytes"),
    ("<size>", ["9" * 20], "invalid <size> `99999999999999999999`, not a number of bytes"),
    ("(RFC3339|ntp)?", ["today"], "invalid <RFC3339|ntp> `today`, not like 2006-01-02T15:04:05Z"),
)


def test_split():
    for line, words in SPLIT:
        same(syntax.split(line), words)


def test_split_open_quote():
    for line in (b"a 'b", b'"', b"cat \"a'b"):
        raises(CommandError, syntax.split, line)


def test_scan_offsets():
    words = syntax.scan(b"ls 'a b")
    same([(w.start, bytes(w.text), w.quote) for w in words], [(0, b"ls", 0), (3, b"a b", 0x27)])


def test_bind():
    for text, words, args in BIND:
        same(syntax.bind(text, words), args)


def test_bind_must_fail():
    for text, words, message in MUST_FAIL:
        same(str(raises(CommandError, syntax.bind, text, words)), message)


def test_bind_options():
    for words, expected in BIND_OPTIONS:
        same(str(raises(CommandError, syntax.bind, OPTIONS, words)) if isinstance(expected, str) else syntax.bind(OPTIONS, words), expected)
    same(syntax.bind("... (a <b>)?", ["a", "c"]), ["c"])
    same(syntax.options(OPTIONS), [("ext", None), ("vmpl", "vmpl"), ("at", "hex addr")])


def test_bind_leaves_words_alone():
    words = ["a", "b"]
    syntax.bind("<x> <y>", words)
    same(words, ["a", "b"])


def test_bad_syntax_strings():
    for text in ("path", "<path", "(a|b)", "<a> b"):
        raises(ValueError, syntax.items, text)


def test_quoted_is_one_word():
    for text in ("plain", "", "a b", "it's", 'say "x"', "tab\there"):
        same(syntax.split(syntax.quoted(text).encode()), [text])


def test_shown_is_short():
    same(len(syntax.shown("x" * 5000)), 43)


run(globals())
