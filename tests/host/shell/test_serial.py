"""shell/serial.py: chunks from a line whose reads are short."""

import asyncio
from asyncio import core

import _repl
from check import run, same
from shell import serial


class Line:
    """Stands for sys.stdout.buffer."""

    def __init__(self):
        self.written = []

    def write(self, data):
        self.written.append(data)


class Ready:
    """An I/O queue that finds every stream readable at once."""

    map = {}

    def queue_read(self, stream):
        core._task_queue.push(core.cur_task)

    def wait_io_event(self, dt):
        pass


def stream(*arrived):
    _repl.typed[:] = arrived
    out = serial.SerialStream()
    out._source = out._sink = Line()
    return out


def read(line, n):
    real, core._io_queue = core._io_queue, Ready()
    try:
        return asyncio.run(line.read(n))
    finally:
        core._io_queue = real


def test_what_is_there():
    line = stream(b"abcdef")
    same([read(line, 256)], [b"abcdef"])


def test_no_more_than_asked_for():
    line = stream(b"x" * 1000)
    same([len(read(line, n)) for n in (1, 10, 256, 100000)], [1, 10, 256, 256])


def test_gone():
    """What made the line readable may be gone when it is read."""
    line = stream(b"", b"", b"later")
    same(read(line, 256), b"later")


def test_write():
    line = stream()
    line.write(b"x\r\n")
    same(line._sink.written, [b"x\r\n"])


run(globals())
