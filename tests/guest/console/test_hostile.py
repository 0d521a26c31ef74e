"""Hostile input on the console: noise, escape sequences, endless lines, garbage in every mode of the raw REPL.

After each attack the shell must answer a command. Seeds are fixed: a failure can be repeated.
"""

import pathlib
import random
import re
import struct
import time

import pytest

import rawrepl
import vm as console

ROOT = pathlib.Path(__file__).resolve().parents[3]


def alive(vm, limit=60):
    """Get back to the prompt, whatever state the attack left, and prove that commands run."""
    deadline = time.monotonic() + limit
    while True:
        for key in (b"\x03", b"\x02", b"\x04", b"\r", b"zproof\r"):  # out of a line, of raw mode, of `python`
            time.sleep(0.05)  # what arrives together with a Ctrl-C is dropped with the rest of the input
            vm.send(key)
        try:
            vm.expect(rb"unknown command `zproof`, type `help`\r\n(\r\n)?> \Z", 5)
            return
        except console.VMError:
            if time.monotonic() > deadline:
                raise


def harmless(data):
    """Take the lines out of noise that would end the machine, were they typed."""
    for word in (b"exit", b"quit", b"halt", b"shutdown", b"reset", b"poke"):
        data = data.replace(word, b"help")
    return data


@pytest.mark.parametrize("seed", range(4))
def test_noise(vm, seed):
    """64 KiB of random bytes; no Ctrl-A, which test_raw_noise is for."""
    data = harmless(random.Random(seed).randbytes(65536).replace(b"\x01", b""))
    vm.send(data, 120)
    alive(vm, 120)


@pytest.mark.parametrize("seed", range(4))
def test_escape_sequences(vm, seed):
    """Sequences that are valid, cut, nested, too long or of unknown kind, with text and Enter in between."""
    r = random.Random(100 + seed)
    starts = ["\x1b", "\x1b[", "\x1b[1;5", "\x1b]0;", "\x1bP", "\x1bO", "\x9b", "\x1b[" + "9" * 40, "\x1b[?", "\x1b\x1b["]
    ends = ["A", "B", "C", "D", "H", "F", "~", "R", "3~", "999;999R", "\x07", "\x1b\\", "", "\r", "\t", "\x7f", "é", "\U0001f600"]
    data = "".join(r.choice(starts) + r.choice(ends) + r.choice(["", "x", "ab\t", "\x15"]) for _ in range(4000))
    vm.send(data.encode(), 120)
    alive(vm, 120)


@pytest.mark.parametrize("size, byte", [
    (1 << 20, b"x"), (1 << 20, b"\xff"), (1 << 20, b"\x1b"), (1 << 19, b"\t"),
    (1 << 17, b" "), (1 << 17, "é".encode()), (1 << 17, b"\x00"), (1 << 17, b"'"), (1 << 17, b"\x1b[A"),
])
def test_endless_line(vm, size, byte):
    """A line of 1 MiB is one error, or nothing at all, and takes seconds."""
    vm.send(byte * (size // len(byte)) + b"\r", 120)
    alive(vm, 120)


def test_too_long(vm):
    """One byte beyond the editor's limit: the error says so. At the limit, the line is run."""
    limit = int(re.search(r"^LIMIT = const\((\d+)\)", (ROOT / "shell" / "lineedit.py").read_text(), re.M)[1])
    vm.send("y" * (limit + 1) + "\r", 60)
    assert "command error, line too long" in vm.wait_prompt(60)
    vm.send("y" * limit + "\r", 60)
    assert "unknown command `" + "y" * 40 + "…`" in vm.wait_prompt(60)


def test_many_words(vm):
    vm.send("ls " + "a " * 1500 + "\r", 60)
    assert "command error, unexpected argument `a`" in vm.wait_prompt(60)


@pytest.mark.parametrize("seed", range(3))
def test_python_noise(vm, seed):
    """Noise at the prompt of `python`; names of modules that reach the machine are not in it."""
    vm.send("python\r")
    vm.expect(rb">>> \Z", 20)
    r = random.Random(200 + seed)
    data = bytes(r.choice(b"()[]{}:,.=+-*'\"\\ \r\n\tabcdefx0123456789\x05\x02\x7f\x80\xff\x1b") for _ in range(20000))
    vm.send(data, 120)
    alive(vm, 120)


@pytest.mark.parametrize("seed", range(3))
def test_raw_noise(vm, seed):
    """Noise in the raw REPL: compiled, refused, never fatal."""
    vm.send(rawrepl.ENTER)
    vm.expect(rawrepl.BANNER, 20)
    r = random.Random(300 + seed)
    for _ in range(20):
        vm.send(r.randbytes(2000).translate(None, b"\x01\x02\x03\x04\x05") + rawrepl.END, 60)
        vm.expect(rb"\x04>", 60)
    vm.send(rawrepl.LEAVE)
    vm.wait_prompt(30)
    alive(vm)


@pytest.mark.parametrize("seed", range(3))
def test_mode_changes(vm, seed):
    """Control characters of all modes in any order: enter, leave, reset, interrupt, paste."""
    r = random.Random(400 + seed)
    data = bytes(r.choice(b"\x01\x02\x03\x04\x05\x05A\x01\r\nx1") for _ in range(300))
    vm.send(data, 120)
    alive(vm, 120)


def start_paste(vm):
    """Begin raw paste mode and return the window's size."""
    vm.send(rawrepl.ENTER)
    vm.expect(rawrepl.BANNER, 20)
    vm.send(b"\x05A\x01")
    return struct.unpack("<H", vm.expect(rb"R\x01(..)", 20)[1])[0]


def test_raw_paste(vm):
    """The protocol as the documentation has it: window, flow control, end, result."""
    window = start_paste(vm)
    assert window >= 32
    code, room = b"print(sum(range(10)))\n" * 500, window
    vm.expect(rb"\x01", 20)
    room += window
    while code:
        vm.send(code[:min(room, window)])
        room -= min(room, window, len(code))
        code = code[window:]
        if code and room < window:
            vm.expect(rb"\x01", 30)
            room += window
    vm.send(b"\x04")
    vm.expect(rb"\x04(45\r\n){500}\x04\x04>", 30)
    rawrepl.leave(vm)


@pytest.mark.parametrize("garbage", [b"\x04", b"\x03", b"x = (\x04", b"\xff\xfe\x00\x04", b"a" * 100000 + b"\x04", b"\x01\x02\x03\x04"])
def test_raw_paste_garbage(vm, garbage):
    """Early ends, syntax errors, bytes that are no text, and a sender that ignores flow control."""
    start_paste(vm)
    vm.send(garbage, 60)
    alive(vm)


@pytest.mark.parametrize("start", [b"\x05A", b"\x05B\x01", b"\x05A\x00", b"\x05\x05\x05"])
def test_raw_paste_false_start(vm, start):
    vm.send(rawrepl.ENTER)
    vm.expect(rawrepl.BANNER, 20)
    vm.send(start + b"\r\n\x03")
    alive(vm)
