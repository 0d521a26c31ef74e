"""The unix port's stdin and stdout as a session's stream; `stty raw -echo` makes it a serial line."""

import select
import sys
from asyncio import core


class UnixLine:
    def __init__(self):
        self._source = sys.stdin.buffer
        self._sink = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(self._source, select.POLLIN)

    def read(self, n):
        yield core._io_queue.queue_read(self._source)
        data = self._source.read(1)
        while data and len(data) < n and self._poll.poll(0):
            more = self._source.read(1)
            if not more:
                break
            data += more
        return data

    def write(self, data):
        self._sink.write(data)

    def drain(self):
        return core.sleep_ms(0)
