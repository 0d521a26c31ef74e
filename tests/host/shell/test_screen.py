"""shell/screen.py against a terminal: what is on the grid must be the prompt and the line."""

import random

from check import run, same
from shell.screen import Screen
from terminal import Terminal

PIECES = ("a", "hello ", "x" * 7, "é", "漢", "字字", "•", " ")


def rows_of(text, columns):
    """-> (the rows that a terminal fills with text, cells used in all)."""
    rows, row, used = [], "", 0
    for c in text:
        width = 2 if 0x2E80 <= ord(c) else 1
        if used + width > columns:
            rows.append(row)
            row, used = "", 0
        row += c
        used += width
    rows.append(row)
    return [r.rstrip() for r in rows]


def check(terminal, screen, line, pos):
    terminal.write(bytes(screen.take(line, pos)))
    text = "> " + str(line, "utf-8")
    expected = rows_of(text, terminal.columns)
    got = [terminal.line(i) for i in range(len(expected) + 2)]
    same(got, expected + ["", ""])
    before = rows_of("> " + str(line[:pos], "utf-8"), terminal.columns)[-1]
    column = terminal.cursor()[1] + (1 if terminal.pending else 0)
    if not before.endswith(" ") and str(line[:pos], "utf-8")[-1:] not in ("", " "):
        width = sum([2 if 0x2E80 <= ord(c) else 1 for c in before])
        assert column in (width, width % terminal.columns), (column, width, line, pos)


def test_random_edits_at_many_widths():
    random.seed(5)
    for columns in (7, 20, 21, 40, 80, 200):
        screen = Screen(columns)
        terminal = Terminal(columns)
        screen.start(b"> ")
        text = []
        for _ in range(150):
            at = random.randrange(len(text) + 1)
            if random.randrange(3) and len(text) < 120:
                piece = random.choice(PIECES)
                text[at:at] = [piece]
            elif text:
                at = min(at, len(text) - 1)
                del text[at]
            before = "".join(text[:at]).encode()
            line = bytearray("".join(text).encode())
            screen.stale(len(before))
            check(terminal, screen, line, len(before))


def test_exactly_full_row():
    screen, terminal = Screen(10), Terminal(10)
    screen.start(b"> ")
    line = bytearray(b"12345678")
    terminal.write(bytes(screen.take(line, 8)))
    same(terminal.cursor(), (1, 0))
    screen.stale(7)
    terminal.write(bytes(screen.take(line[:7], 7)))
    same((terminal.line(0), terminal.line(1), terminal.cursor()), ("> 1234567", "", (0, 9)))


def test_appending_sends_the_text_alone():
    screen = Screen(0)
    screen.start(b"> ")
    same(screen.take(bytearray(b"hello"), 5), b"> hello")
    screen.stale(5)
    same(screen.take(bytearray(b"hello world"), 11), b" world")
    same(screen.take(bytearray(b"hello world"), 11), b"")


def test_width_is_asked_once_for_a_line():
    screen = Screen(0)
    screen.start(b"> ")
    screen.ask_width(b"", 0)
    assert b"\x1b[6n" in screen.take(b"", 0)
    screen.ask_width(b"", 0)
    same(screen.take(b"", 0), b"")


def test_candidates_fit():
    for columns in (10, 40, 80):
        screen, terminal = Screen(columns), Terminal(columns)
        screen.start(b"> ")
        terminal.write(bytes(screen.take(bytearray(b"st"), 2)))
        screen.show(bytearray(b"st"), [b"stack", b"stackall", b"stat"])
        terminal.write(bytes(screen.take(bytearray(b"st"), 2)))
        words = " ".join([terminal.line(i) for i in range(6)]).split()
        same(words, [">", "st", "stack", "stackall", "stat", ">", "st"])


run(globals())
