"""shell/commands/fs.py: cat, ls, stat on a file system of odd files."""

import hashlib
import os

from check import run, same
from talk import command

FOLDER = "/tmp/keelback-fs-%d" % id(object())
FILES = {
    "plain.txt": b"one\ntwo\n",
    "crlf.txt": b"one\r\ntwo",
    "escape.txt": b"a\x1b[31mb\xc2\x9b31mc",
    "empty": b"",
    "two words": b"x",
    "odd\x1b\n": b"y",
}


def with_files(function):
    os.mkdir(FOLDER)
    os.mkdir(FOLDER + "/sub")
    for name in FILES:
        with open(FOLDER + "/" + name, "wb") as f:
            f.write(FILES[name])
    try:
        function()
    finally:
        for name in FILES:
            os.remove(FOLDER + "/" + name)
        os.rmdir(FOLDER + "/sub")
        os.rmdir(FOLDER)


def test_cat():
    def check():
        same(command("cat %s/plain.txt" % FOLDER), "one\ntwo\n\n")
        same(command("cat %s\\plain.txt" % FOLDER.replace("/", "\\")), "one\ntwo\n\n")
        same(command("cat %s/crlf.txt" % FOLDER), "one\ntwo\n\n")
        same(command("cat %s/escape.txt" % FOLDER), "a^[[31mb^[31mc\n\n")
        same(command("cat '%s/two words'" % FOLDER), "x\n\n")
        same(command("cat %s/none" % FOLDER), "command error, no such file or directory\n")
        assert command("cat %s/sub" % FOLDER).startswith("command error, ")

    with_files(check)


def test_ls():
    def check():
        out = command("ls " + FOLDER).split("\n")
        same(out[:2], ["f            8 crlf.txt", "f            0 empty"])
        assert "d              sub" in out and "f            1 odd" in out, out
        same(command("ls %s/plain.txt" % FOLDER), "f            8 %s/plain.txt\n\n" % FOLDER)
        same(command("ls %s/none" % FOLDER), "command error, no such file or directory\n")

    with_files(check)


def test_stat():
    def check():
        lines = command("stat %s/plain.txt" % FOLDER).split("\n")
        same(lines[0:2], ["Type .....: file", "Size .....: 8 bytes"])
        same([line[:10] for line in lines[2:5]], ["Modified .", "Accessed .", "Changed .."])
        same(lines[5], "SHA-256 ..: " + hashlib.sha256(b"one\ntwo\n").digest().hex())
        lines = command("stat %s/sub" % FOLDER).split("\n")
        same((lines[0], "SHA" in "".join(lines)), ("Type .....: directory", False))

    with_files(check)


run(globals())
