"""A stream that plays a script to a session, and what the session sent back."""

import asyncio

from shell import tasks
from shell.session import Session

tasks.install()


class Script:
    """Chunks of input (bytes), then the end. An integer waits that many ms; a function is called."""

    def __init__(self, chunks, break_after=None):
        self.chunks = list(chunks)
        self.out = b""
        self.writes = 0
        self.break_after = break_after

    async def read(self, n):
        while self.chunks and not isinstance(self.chunks[0], bytes):
            step = self.chunks.pop(0)
            if callable(step):
                step()
            else:
                await asyncio.sleep_ms(step)
        await asyncio.sleep_ms(0)
        if not self.chunks:
            return b""
        data = self.chunks.pop(0)
        if len(data) > n:
            self.chunks.insert(0, data[n:])
        return data[:n]

    def write(self, data):
        self.writes += 1
        self.out += bytes(data)
        if self.break_after is not None and self.writes > self.break_after:
            raise OSError(104)

    async def drain(self):
        await asyncio.sleep_ms(0)


def talk(*chunks, console=False, greeting="", raw=False):
    """Run a session on a script. -> all it sent, as text with plain line ends; raw: as bytes."""
    script = Script(chunks)
    asyncio.run(Session(script, console=console).run(greeting))
    return script.out if raw else str(script.out, "utf-8").replace("\r\n", "\n")


def command(line):
    """-> what one command line printed, without its echo and the prompts."""
    out = talk(line.encode() + b"\r")
    assert out.startswith("> " + line + "\n") and out.endswith("> "), repr(out)
    return out[len(line) + 3 : -2]
