"""shell/commands/fs.py: cat, ls, stat on a file system of odd files."""

import hashlib
import os

from check import run, same
from talk import command, talk

FOLDER = "/tmp/keelback-fs-%d" % id(object())
FILES = {
    "plain.txt": b"one\ntwo\n",
    "crlf.txt": b"one\r\ntwo",
    "escape.txt": b"a\x1b[31mb\xc2\x9b31mc",
    "noise": bytes(range(0x80)) + b"\xc2\x80\xc2\x9f\xc2\xa0\xff",
    "pieces": b"x" * 4095 + b"\xc2\x9b31m" + b"x" * 4090 + b"\r\ny" + b"x" * 4094 + b"\r",
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
        same(command("cat %s/escape.txt" % FOLDER), "a^[[31mb^[[31mc\n\n")
        same(command("cat '%s/two words'" % FOLDER), "x\n\n")
        same(command("cat %s/none" % FOLDER), "command error, no such file or directory\n")
        same(command("cat %s/sub" % FOLDER), "command error, is a directory\n")
        same(command("cat /"), "command error, is a directory\n")

    with_files(check)


def test_cat_shows_control_characters():
    def check():
        controls = "".join(["^" + chr(c + 0x40) for c in range(0x20)]).replace("^I", "\t").replace("^J", "\n")
        text = controls + "".join([chr(c) for c in range(0x20, 0x7F)]) + "^?^[@^[_\xa0"
        sent = talk(b"cat %s/noise\r" % FOLDER.encode(), raw=True)
        assert text.replace("\n", "\r\n").encode() + b"\xff\r\n\r\n" in sent, sent
        sent = command("cat %s/pieces" % FOLDER)
        same(sent, "x" * 4095 + "^[[31m" + "x" * 4090 + "\ny" + "x" * 4094 + "^M\n\n")

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
