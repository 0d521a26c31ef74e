"""shell/complete.py: commands, choices, paths with odd names."""

import os

from check import run, same
from shell import complete

FOLDER = "/tmp/keelback-complete-%d" % id(object())

COMMANDS = (
    (b"upt", (0, b"uptime ", ())),
    (b"stack", (0, None, [b"stack", b"stackall"])),
    (b"sta", (0, None, [b"stack", b"stackall", b"stat"])),
    (b"cp", (0, b"cpuid ", ())),
    (b"  he", (2, b"help ", ())),
    (b"nonsense", None),
    (b"nonsense x", None),
    (b"reset c", (6, b"cold ", ())),
    (b"reset ", (6, None, [b"cold", b"warm"])),
    (b"reset cold ", None),
    (b"peek 10", None),
    (b"help ", None),
    (b"sev-report v", (11, None, [b"verify", b"vmpl"])),
    (b"sev-report ext e", None),
    (b"sev-report ext fi", (15, b"file ", ())),
    (b"sev-report vmpl ", None),
    (b"sev-kdf ro", (8, b"root ", ())),
    (b"exit-", (0, b"exit-boot-services ", ())),
    (b"h", (0, None, [b"halt", b"help"])),
)


def with_files(function):
    names = ("alpha.txt", "alpine", "two words", "two wings", "it's", "dér", "dèr")
    os.mkdir(FOLDER)
    os.mkdir(FOLDER + "/sub")
    for name in names:
        open(FOLDER + "/" + name, "w").close()
    try:
        function()
    finally:
        for name in names:
            os.remove(FOLDER + "/" + name)
        os.rmdir(FOLDER + "/sub")
        os.rmdir(FOLDER)


def path(start):
    """-> (what the word becomes, candidates) for `cat FOLDER/start`."""
    found = complete.command(b"cat " + start.replace("~", FOLDER).encode())
    if found is None:
        return None
    word = found[1] and str(found[1], "utf-8").replace(FOLDER, "~")
    return word, [str(c, "utf-8") for c in found[2]]


def test_commands():
    for line, expected in COMMANDS:
        same((line, complete.command(line)), (line, expected))


def test_everything_at_an_empty_line():
    start, word, names = complete.command(b"")
    same((start, word), (0, None))
    assert b"help" in names and b"quit" in names


def test_paths():
    def check():
        same(path("~/s"), ("~/sub/", []))
        same(path("~/sub"), ("~/sub/", []))
        same(path("~/alp"), (None, ["alpha.txt", "alpine"]))
        same(path("~/alph"), ("~/alpha.txt ", []))
        same(path("~/tw"), ('"~/two w', []))
        same(path('"~/two wo'), ('"~/two words" ', []))
        same(path("~/it"), ('"~/it\'s" ', []))
        same(path("~\\alph"), ("~/alpha.txt ", []))
        same(path("~/d"), (None, ["dèr", "dér"]))
        same(path("~/none"), None)
        same(path("~/nowhere/x"), None)

        same(complete.command(b"cat " + FOLDER.encode(), False), None)
        same(complete.command(b"sev-report file " + FOLDER.encode(), False), None)

    with_files(check)


run(globals())
