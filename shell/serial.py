"""The serial line as a stream for a session, on top of sys.stdin.buffer and sys.stdout.buffer."""

# SPDX-License-Identifier: BSD-3-Clause

import sys
from asyncio import core

import _repl


class SerialStream:
    """Bytes as they are, in both directions."""

    def __init__(self):
        self._source = sys.stdin.buffer
        self._sink = sys.stdout.buffer
        self._buffer = bytearray(256)

    def read(self, n):  # a coroutine, in the form that asyncio's own streams have
        """-> at least one byte and at most n, as soon as there are any."""
        count = 0
        while not count:  # what was readable may be gone: Ctrl-C, for the command that runs, voids it
            yield core._io_queue.queue_read(self._source)
            count = _repl.take(memoryview(self._buffer)[:n])
        return bytes(memoryview(self._buffer)[:count])

    def write(self, data):
        self._sink.write(data)

    def drain(self):
        """Let other tasks run; written is written."""
        return core.sleep_ms(0)
