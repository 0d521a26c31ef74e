"""shell/table.py: the documented look of `label ....: value`, hex dumps and durations."""

from check import run, same
from shell.table import duration, hexdump, plural, table

DURATIONS = (
    (0, "0 seconds"),
    (1, "1 second"),
    (60, "1 minute"),
    (3661, "1 hour 1 minute 1 second"),
    (2 * 86400 + 5, "2 days 5 seconds"),
)


def test_table_documented_look():
    rows = (("SEV", "true"), ("Launch Mitigations", "0xb"), None, ("SNP Version", "1"))
    same(
        table(rows),
        "SEV ................: true\nLaunch Mitigations .: 0xb\n\nSNP Version ........: 1\n",
    )


def test_table_width():
    same(table((("Frequency", "2 GHz"),), 14), "Frequency ....: 2 GHz\n")
    same(table((("Configuration Tables", "0x1"),), 20), "Configuration Tables: 0x1\n")


def test_hexdump():
    lines = list(hexdump(b"0123456789abcdef\x00\xff", 0x1000))
    same(lines[0], "00001000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|")
    same(lines[1], "00001010  00 ff                                             |..|")
    same(list(hexdump(b"")), [])


def test_duration():
    for seconds, text in DURATIONS:
        same(duration(seconds), text)


def test_plural():
    same([plural(n, "byte") for n in (0, 1, 2)], ["0 bytes", "1 byte", "2 bytes"])


run(globals())
