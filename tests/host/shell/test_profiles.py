"""shell/profiles.py: what it tells of the machine, and that it serves it."""

import asyncio
import gc
import json
import sys

import stored  # in place of deflate

if not hasattr(gc, "mem_alloc"):
    raise SystemExit("SKIP this unix port has no gc.mem_alloc")


class Network:
    interface = None


class Nic:
    mac = b"\2\0\0\0\0\7"

    def stats(self):
        return {"ring full": 3}


class Interface:
    name = "virtio"
    nic = Nic()

    def link(self):
        return True

    def addresses(self):
        return [("10.0.0.1", 24), ("fe80::1", 64)]

    def counters(self):
        return [("bytes received", 1000), ("bytes sent", 20), ("errors", 0)]


sys.modules["shell.network"] = Network
sys.modules["shell"] = __import__("shell")
__import__("shell").network = Network

from check import same
from shell import profiles, tasks
from wire import split, talk

tasks.install()


def test_vars():
    Network.interface = None
    values = profiles.System().vars()
    same((values["network"], values["received"], values["sent"]), ([], 0, 0))
    assert values["heap_used"] > 0 and values["heap_free"] > 0 and 0 <= values["idle_ms"] <= values["uptime_ms"]
    Network.interface = Interface()
    values = profiles.System().vars()
    same((values["received"], values["sent"]), (1000, 20))
    same(values["network"], [{
        "name": "virtio", "mac": "02:00:00:00:00:07", "link": True, "addresses": ["10.0.0.1/24", "fe80::1/64"],
        "counters": {"bytes received": 1000, "bytes sent": 20, "errors": 0, "ring full": 3},
    }])
    json.dumps(values)


def test_tasks():
    async def wait():
        await asyncio.sleep_ms(50)

    async def main():
        waiting = asyncio.create_task(wait())
        await asyncio.sleep_ms(0)
        told = profiles.System().tasks()
        same(told[0][1], "running")
        same(told[0][2], (("shell/session.py", 1, "run"),))
        assert ("task %#x" % id(waiting), "waiting", (("fake.py", 2, "waiting"), ("fake.py", 1, "outer"))) in told
        await waiting

    asyncio.run(main())


def test_served():
    async def main():
        server = profiles.start(0)
        same(server.port, 0)
        server.close()
        await asyncio.sleep_ms(0)

    asyncio.run(main())
    from net.http import Server
    from net.pprof import Profiles

    server = Server()
    Profiles(profiles.System()).mount(server)
    Network.interface = Interface()
    got = split(talk(server, b"".join([b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path for path in (b"/debug/vars", b"/debug/pprof/", b"/debug/pprof/cmdline")])))
    same([answer[0] for answer in got], [200] * 3)
    same(got[2][2], b"keelback.efi")
    assert b"02:00:00:00:00:07" in got[1][2]
