"""The SSH server with the shell behind it, on MicroPython's unix port, for the clients of tests/ssh.

    micropython tests/ssh/serve.py PORT {"limit": value, …} [KEYS]

Run with tests/fakes in front. Limits' names are those of net.ssh.server.Limits; KEYS is an authorized_keys file. The
unix port's sockets give addresses as bytes and have no TCP_NODELAY: all that is different from the machine.
"""

import asyncio
import gc
import json
import socket
import sys

from net.ssh import server
from shell import registry, remote, tasks
from shell.registry import command


class LoopbackServer(server.Server):
    def _listen(self, family, address, port):
        return super()._listen(socket.AF_INET, "127.0.0.1", port)

    def _take(self, sock, address):
        sock.setblocking(False)
        self._admit(sock, bytes(address)[4:8])


@command("t-width", "", "")
def t_width(ctx):
    return "width %d\n" % ctx.columns


@command("t-memory", "", "")
def t_memory(ctx):
    gc.collect()
    return "%d\n" % gc.mem_alloc()


@command("t-bulk", "<size>", "")
def t_bulk(ctx, size):
    piece = bytes([i * 7 & 255 for i in range(1021)])
    for at in range(0, size, len(piece)):
        yield piece[: size - at]


@command("t-print", "<size>", "")
def t_print(ctx, size):
    for i in range(size):
        print("line", i)


@command("t-wait", "<size>", "", waits=True)
async def t_wait(ctx, ms):
    await asyncio.sleep_ms(ms)
    return "waited\n"


@command("t-fail", "", "")
def t_fail(ctx):
    raise RuntimeError("nobody foresaw it")


async def main(port, limits, keys=None):
    for name, value in json.loads(limits).items():
        setattr(server.Limits, name, value)
    remote.KEY_FILES = (keys,) if keys else ()
    remote.Server = LoopbackServer
    started = remote.start(int(port))
    print("open" if started.open else "keys", started.fingerprint)
    while True:
        await asyncio.sleep(3600)


tasks.install()
registry.load()
asyncio.run(main(*sys.argv[1:]))
