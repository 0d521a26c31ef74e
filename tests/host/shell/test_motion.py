"""shell/motion.py: cursor movements over characters of several bytes, words and indentation."""

from check import run, same
from shell import motion

LINE = "ab  c_1 漢é-x".encode()


def walk(step, pos):
    stops = []
    while True:
        to = step(LINE, pos)
        if to == pos:
            return stops
        pos = to
        stops.append(pos)


def test_characters():
    same(walk(motion.right, 0), [1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 14, 15])
    same(walk(motion.left, 15), [14, 13, 11, 8, 7, 6, 5, 4, 3, 2, 1, 0])


def test_words():
    same(walk(motion.word_right, 0), [2, 7, 13, 15])
    same(walk(motion.word_left, 15), [14, 8, 4, 0])
    same(walk(motion.blank_left, 15), [8, 4, 0])


def test_indent():
    line = b"        x"
    same([motion.indent_left(line, n, 4) for n in (8, 7, 5, 4, 3, 9, 0)], [4, 4, 4, 0, 0, 8, 0])
    same(motion.indent_left(line, 8, 1), 7)


run(globals())
