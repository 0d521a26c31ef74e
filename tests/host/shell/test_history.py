"""shell/history.py: bounds, duplicates, and the walk that keeps the line begun."""

from check import run, same
from shell.history import History


def test_walk():
    history = History()
    for line in (b"one", b"two"):
        history.add(line)
    same([history.step(-1, b"new"), history.step(-1, b"two"), history.step(-1, b"one")], [b"two", b"one", None])
    same([history.step(1, b"one"), history.step(1, b"two"), history.step(1, b"new")], [b"two", b"new", None])


def test_bounds():
    history = History(limit=3)
    for line in (b"a", b"b", b"b", b"", b"c", b"d", b"x" * 5000):
        history.add(line)
    seen = []
    line = history.step(-1, b"")
    while line is not None:
        seen.append(line)
        line = history.step(-1, line)
    same(seen, [b"d", b"c", b"b"])


run(globals())
