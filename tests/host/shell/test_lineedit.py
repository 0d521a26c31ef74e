"""shell/lineedit.py: what keys do, the limits, and random input of many kinds (fixed seed)."""

import gc
import random

from check import run, same
from shell.lineedit import CTRL_A, CTRL_C, CTRL_D, ENTER, LIMIT, OVERFLOW, LineEditor
from terminal import Terminal

LEFT, RIGHT, UP, DOWN = b"\x1b[D", b"\x1b[C", b"\x1b[A", b"\x1b[B"
HOME, END, DELETE = b"\x1b[H", b"\x1b[F", b"\x1b[3~"
WORD_LEFT, WORD_RIGHT = b"\x1b[1;5D", b"\x1b[1;5C"

EDITS = (
    (b"abc\r", b"abc"),
    (b"abc\x7f\x08d\r", b"ad"),
    (b"abc" + LEFT + LEFT + b"X\r", b"aXbc"),
    (b"abc" + HOME + b"X" + END + b"Y\r", b"XabcY"),
    (b"abc\x01X\x05Y\r", b"XabcY"),
    (b"abc" + HOME + DELETE + b"\r", b"bc"),
    (b"abc\x02\x04\r", b"ab"),
    (b"abc\x01\x06X\r", b"aXbc"),
    (b"one two three\x17X\r", b"one two X"),
    (b"one two" + WORD_LEFT + b"\x0bX\r", b"one X"),
    (b"one two" + HOME + WORD_RIGHT + b"\x15X\r", b"X two"),
    (b"one two\x1b\x7fX\r", b"one X"),
    (b"one two\x01\x1bdX\r", b"X two"),
    (b"one two\x17\x01\x19 \r", b"two one "),
    ("aé漢\x7f\x7fb\r".encode(), b"ab"),
    ("é漢".encode() + LEFT + LEFT + b"x\r", "xé漢".encode()),
    (b"\x7f\x08" + LEFT + RIGHT + DELETE + b"\x15\x0b\x17ok\r", b"ok"),
    (b"a\x00\x1c\x1d\x1e\x1fb\r", b"ab"),
    (b"a\nb", b"a"),
)


def enter(editor, data):
    """Feed a line. -> (event, line, what follows)."""
    editor.start(b"> ")
    event, i = editor.feed(data)
    return event, bytes(editor.line), data[i:]


def test_edits():
    for data, line in EDITS:
        editor = LineEditor()
        same((data, enter(editor, data)[:2]), (data, (ENTER, line)))


def test_edits_byte_by_byte():
    for data, line in EDITS:
        editor = LineEditor()
        editor.start(b"> ")
        for i in range(len(data)):
            event, _ = editor.feed(data[i : i + 1])
            if event:
                break
        same((data, event, bytes(editor.line)), (data, ENTER, line))


def test_history():
    editor = LineEditor()
    for data in (b"one\r", b"two\r"):
        enter(editor, data)
    same(enter(editor, UP + b"\r")[1], b"two")
    same(enter(editor, UP + UP + b"!\r")[1], b"one!")
    same(enter(editor, b"begun" + UP + UP + UP + UP + DOWN + DOWN + DOWN + DOWN + b"\r")[1], b"begun")


def test_line_ends_are_one_event():
    editor = LineEditor()
    data = b"a\r\nb\nc\r\r\n\n"
    lines = []
    while data:
        event, line, data = enter(editor, data)
        lines.append((event, line))
    same(lines, [(ENTER, b"a"), (ENTER, b"b"), (ENTER, b"c"), (ENTER, b""), (ENTER, b"")])


def test_events_only_on_an_empty_line():
    editor = LineEditor(events=(CTRL_A, CTRL_D))
    same(enter(editor, b"\x01rest"), (CTRL_A, b"", b"rest"))
    same(enter(editor, b"\x04"), (CTRL_D, b"", b""))
    same(enter(editor, b"ab\x01x\x04\r"), (ENTER, b"xb", b""))
    same(enter(LineEditor(), b"\x04\x01\r"), (ENTER, b"", b""))


def test_interrupt_drops_the_line():
    editor = LineEditor()
    event, line, rest = enter(editor, b"abc\x03def")
    same((event, rest), (CTRL_C, b"def"))
    same(enter(editor, UP + b"\r")[1], b"")


def test_overflow_gives_one_event_and_keeps_nothing():
    editor = LineEditor()
    editor.start(b"> ")
    for _ in range(64):
        same(editor.feed(b"x" * LIMIT)[0], None)
        assert len(editor.line) <= LIMIT and len(editor.take()) <= LIMIT + 2
    same(editor.feed(b"more\rnext"), (OVERFLOW, 5))
    same(enter(editor, UP + b"ok\r")[1], b"ok")


def test_overflow_is_ended_by_interrupt():
    editor = LineEditor()
    same(enter(editor, b"x" * (LIMIT + 1) + b"\x03rest"), (CTRL_C, b"", b"rest"))
    same(enter(editor, b"y" * LIMIT + b"\r")[:1], (ENTER,))


def test_limit_holds_for_yank_and_completion():
    editor = LineEditor(complete=lambda line: (len(line), b"z" * 3000, ()))
    same(enter(editor, b"a" * 3000 + b"\t\t\r")[:2], (ENTER, b"a" * 3000))
    same(enter(editor, b"a" * 3000 + b"\x15\x19\x19\r")[0], OVERFLOW)


def test_completion():
    answers = {b"he": (0, b"help ", ()), b"s": (0, None, [b"stack", b"stat"])}
    editor = LineEditor(complete=answers.get)
    same(enter(editor, b"he\t\r")[1], b"help ")
    same(enter(editor, b"s\tx\r")[1], b"sx")
    same(enter(editor, b"none\t\r")[1], b"none")


def listings(*chunks):
    """Feed chunks to an editor whose every word can become two. -> [how often each chunk made it list them]."""
    asked = []

    def complete(line):
        asked.append(line)
        return 0, None, (b"first", b"second")

    editor = LineEditor(complete=complete, width=80)
    editor.start(b"> ")
    counts = []
    for chunk in chunks:
        before = len(asked)
        editor.feed(chunk)
        same(bytes(editor.take()).count(b"second"), len(asked) - before)
        counts.append(len(asked) - before)
    return counts


def test_a_run_of_tabs_lists_once():
    same(listings(b"w\t"), [1])
    same(listings(b"w" + b"\t" * 10000), [1])
    same(listings(b"w\t", b"\t", b"\t\t"), [1, 1, 1])  # a user's keys come one by one: each is answered
    same(listings(b"w\t\tx\t\t"), [2])
    same(listings(b"w\t\t" + LEFT + b"\t\t\x7f\t"), [3])
    same(listings(b"w" * (LIMIT + 1) + b"\t\t"), [0])


def test_a_run_of_tabs_completes_step_by_step():
    editor = LineEditor(complete=lambda line: (len(line), b"....", ()))
    same(enter(editor, b"\t\t\t\r")[1], b"." * 12)
    steps = {b"a": (0, b"ab", ()), b"ab": (0, None, (b"abc", b"abd"))}
    same(enter(LineEditor(complete=steps.get), b"a\t\t\tc\r")[1], b"abc")


def test_indent_backspace():
    editor = LineEditor(indent=4)
    editor.start(b"... ", b"        ")
    editor.feed(b"\x7f")
    same(bytes(editor.line), b"    ")


def test_text_is_sent_as_typed_and_nobody_is_asked():
    editor = LineEditor()
    editor.start(b"> ")
    editor.feed(b"hello")
    same(editor.take(), b"> hello")
    editor.feed(b"\r")
    same(editor.take(), b"\r\n")


def test_terminal_answers_its_width():
    editor = LineEditor()
    terminal = Terminal(33)
    editor.start(b"> ")
    editor.feed(b"ab" + LEFT)
    terminal.write(bytes(editor.take()))
    editor.feed(terminal.answers)
    same(editor.screen.width, 33)
    editor.feed(b"c" * 60)
    terminal.write(bytes(editor.take()))
    same(terminal.line(0) + terminal.line(1), "> a" + "c" * 60 + "b")


def random_input(kind, n):
    if kind == 0:
        return bytes([random.getrandbits(8) for _ in range(n)])
    if kind == 1:
        alphabet = (b"\x1b[", b"\x1bO", b";", b"5", b"~", b"A", b"C", b"D", b"H", b"R", b"\x1b", b"]", b"\x7f", b"x")
    elif kind == 2:
        alphabet = (LEFT, RIGHT, UP, DOWN, HOME, END, DELETE, b"\x17", b"\x0b", b"\x19", b"\t", b"word ", b"\r")
    else:
        alphabet = ("é".encode(), "漢".encode(), "🐍".encode(), b"\xff", b"\xe6\xbc", b"\xc2\x9b", b"a ", LEFT, b"\x7f")
    return b"".join([random.choice(alphabet) for _ in range(n)])


def test_random_input():
    random.seed(20261122)
    for kind in range(4):
        editor = LineEditor(complete=lambda line: (len(line), b"t", ()), events=(CTRL_A, CTRL_D), width=40)
        editor.start(b"> ")
        for _ in range(120):
            data = random_input(kind, random.randrange(1, 120))
            i = 0
            while i < len(data):
                event, i = editor.feed(data, i)
                str(editor.line, "utf-8")
                str(editor.take(), "utf-8")
                assert len(editor.line) <= LIMIT
                if event:
                    editor.start(b"> ")


def test_random_edits_on_a_terminal():
    random.seed(7)
    for columns in (9, 40, 81):
        editor, terminal = LineEditor(width=columns), Terminal(columns)
        editor.start(b"> ")
        for _ in range(150):
            parts = [random.choice((LEFT, RIGHT, HOME, END, b"\x7f", b"\x17", b"ab", b"c ", b"wxyz")) for _ in range(4)]
            editor.feed(b"".join(parts))
            if len(editor.line) > 150:
                editor.feed(b"\x05\x15")
            terminal.write(bytes(editor.take()))
            text = "> " + str(editor.line, "utf-8")
            shown = "".join([terminal.line(i) + " " * (columns - len(terminal.line(i))) for i in range(30)])
            same(shown.rstrip(), text.rstrip())
            cell = 2 + editor._pos
            same(terminal.cursor()[0] * columns + terminal.cursor()[1], cell)


def test_a_mebibyte_of_text_costs_bounded_memory():
    editor = LineEditor()
    editor.start(b"> ")
    chunk = b"junk " * 51
    gc.collect()
    used = gc.mem_alloc()
    for _ in range(4096):
        editor.feed(chunk)
        editor.take()
    gc.collect()
    assert gc.mem_alloc() - used < 4 * LIMIT
    same(editor.feed(b"\r")[0], OVERFLOW)


def test_pasted_lines_draw_once():
    editor = LineEditor()
    editor.start(b"> ")
    sent = 0
    for _ in range(15):
        editor.feed(b"x" * 256)
        sent += len(editor.take())
    same(sent, 2 + 15 * 256)


run(globals())
