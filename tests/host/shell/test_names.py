"""shell/names.py, shell/commands/dns.py and `date ntp`: who is asked, and what a user reads."""

import struct
import sys

import clock
import efi
from check import raises, run, same
from nameserver import Server, answer
from net import dns, sntp
from shell import errors, names, registry
from talk import Script

errors.log = lambda e: None


class Fake:
    """Stands for a module that the unix port lacks."""

    interface = object()
    told = []  # by DHCP
    set = last = None

    def dns_servers(self, addresses=None, last=False):
        if addresses is None:
            return self.told
        if last:
            self.last = addresses
        else:
            self.set = addresses


sys.modules["netif"] = sys.modules["shell.network"] = fake = Fake()
import shell  # noqa: E402

shell.network = fake
options = {}
efi.option = options.get
dns._WAITS_MS = (150,)


def answer_to(reply, line, port=None):
    """-> what the shell answers to a line while reply stands for the name server."""
    import asyncio

    from shell.session import Session

    async def main():
        async with Server(reply) as server:
            options["resolver"] = "127.0.0.1#%d" % server.address[1]
            script = Script([line.encode() + b"\r", 1000, b""])
            await Session(script).run("")
            return str(script.out, "utf-8").replace("\r\n", "\n")[len(line) + 3 : -2]

    return asyncio.run(main())


def good(message, name, kind, tcp):
    if name == "four.test":
        return answer(message, [(1, bytes((142, 251, 209, 17)))] if kind == 1 else [])
    if name != "golang.org":
        return answer(message, rcode=3)
    return answer(message, [(1, bytes((142, 251, 209, 17)))] if kind == 1 else [(28, bytes.fromhex("2a001450400204100000000000002011"))])


def test_dns_command():
    same(answer_to(good, "dns golang.org"), "[142.251.209.17 2a00:1450:4002:410::2011]\n\n")
    same(answer_to(good, "dns four.test."), "[142.251.209.17]\n\n")
    same(answer_to(good, "dns 2001:db8::0:1"), "[2001:db8::1]\n\n")
    same(answer_to(good, "dns nowhere.test"), "command error, nowhere.test: no such name\n\n"[:-1])
    same(answer_to(good, "dns a..b"), "command error, a part of the name has no or more than 63 characters\n")
    same(answer_to(lambda *_: None, "dns golang.org"), "command error, golang.org: no answer from any name server\n")
    assert "usage: dns <host>" in answer_to(good, "dns")


def test_which_servers():
    options.clear()
    same(names.name_servers(), [])
    fake.told = ["10.0.0.3"]
    same(names.name_servers(), [("10.0.0.3", 53)])
    names.tell_sockets()
    same(fake.set, None)
    options["resolver"] = "1.1.1.1,2606:4700::1111,10.0.0.2#5353"
    same(names.name_servers(), [("1.1.1.1", 53), ("2606:4700::1111", 53), ("10.0.0.2", 5353)])
    names.tell_sockets()
    same(fake.set, ["1.1.1.1", "2606:4700::1111"])
    options["resolver"] = "dns.test"
    same(str(raises(ValueError, names.name_servers)), "option resolver=dns.test: dns.test is no IP address")
    options.clear()
    fake.told = []


def test_without_a_network():
    fake.interface = None
    try:
        same(answer_to(good, "dns golang.org"), "command error, no network, start it with `net-virtio`\n")
        same(answer_to(good, "dns 10.0.0.1"), "[10.0.0.1]\n\n")
    finally:
        fake.interface = object()


def test_date_ntp():
    async def measure(servers):
        asked.extend(servers)
        return sntp.Sample(-1234567890, 12345678, servers[0][0], 2)

    asked = []
    real, sntp.measure = sntp.measure, measure
    try:
        clock.offset = 0
        out = answer_to(good, "date ntp golang.org#1123")
        assert out.endswith("Z (moved by -1.234567 s; 142.251.209.17, stratum 2, round trip 12 ms)\n\n"), out
        same(asked, [("142.251.209.17", 1123), ("2a00:1450:4002:410::2011", 1123)])
        assert abs(clock.offset + 1234567890) < 10**7, clock.offset
        del asked[:]
        options["ntp"] = "nowhere.test,four.test#5"
        answer_to(good, "date ntp")
        same(asked, [("142.251.209.17", 5)])
        same(answer_to(good, "date ntp nowhere.test"), "command error, nowhere.test: no such name\n")
        same(answer_to(good, "date ntp four.test#x"), "command error, x is no port\n")
        same(answer_to(good, "date 2030-01-01T00:00:00Z x"), "command error, a server goes with `date ntp`\n")
    finally:
        sntp.measure = real
        clock.offset = 0


def test_public_servers_are_last():
    options.clear()
    names.tell_sockets()
    same(fake.last, ("8.8.8.8", "1.1.1.1"))


run(globals())
