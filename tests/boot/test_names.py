"""dns and date ntp in a machine, against dnsmasq, a hostile name server and a time server on this host."""

import re
import socket
import struct
import subprocess
import threading
import time

import pytest

import image
import qemu
from prompt import Prompt, free_port
from vm import Machine

pytestmark = pytest.mark.xdist_group("names")  # one worker has the machine

EFI = qemu.BUILD / "keelback.efi"
DNSMASQ = "/usr/sbin/dnsmasq"
RECORDS = ("golang.org,142.251.209.17,2a00:1450:4002:410::2011", "four.test,192.0.2.4", "six.test,2001:db8::6")
ASK = """
import asyncio
from net import dns
def ask(*ports):
    try:
        print(asyncio.run(dns.resolve("golang.org", [("10.0.0.2", port) for port in ports])))
    except OSError as e:
        print(e)
"""
AHEAD = 1000000  # s, of our time server


def serve(reply):
    """Answer datagrams in a thread: reply(message) -> list of datagrams. Return the port."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))

    def run():
        while True:
            message, peer = s.recvfrom(4096)
            for data in reply(message):
                s.sendto(data, peer)

    threading.Thread(target=run, daemon=True).start()
    return s.getsockname()[1]


def time_server(message):
    """A good one, AHEAD of our clock; and before its answer a forged one."""
    now = int((time.time() + AHEAD + 2208988800) * 2**32)
    body = struct.pack(">BBbbII4s", 0x24, 3, 6, -20, 256, 256, b"\x7f\0\0\1")
    head = body + struct.pack(">Q", now - (1 << 32))
    return [head + b"forged!!" + bytes(16), head + message[40:48] + struct.pack(">QQ", now, now)]


def liar(message):
    """Answers to other questions, loops, counts without records, truncation with nobody at TCP, garbage; never a true one."""
    question = message[12:-11]
    return [message, bytes([message[0] ^ 1]) + message[1:], message[:2] + b"\x81\x80" + b"\xff" * 8 + question,
            message[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + question + b"\xc0\x1c" + bytes(9), b"", bytes(4000),
            message[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + question]


@pytest.fixture(scope="module")
def dnsmasq():
    """dnsmasq for made-up names on a port of the loopback."""
    port = free_port(socket.SOCK_DGRAM)
    names = [f"--host-record={r}" for r in RECORDS] + [f"--host-record=many.test,10.1.{i // 250}.{i % 250 + 1}" for i in range(300)]
    names += ["--cname=alias.test,four.test", "--cname=alias2.test,alias.test", "--txt-record=text.test,none", "--local=/test/"]
    process = subprocess.Popen([DNSMASQ, "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--port={port}",
                                "--listen-address=127.0.0.1", "--bind-interfaces", "--user=", "--group=", *names],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    yield port
    process.kill()
    said = process.communicate()[1]
    assert b"failed" not in said, said


def say(machine, line):
    """Return the answer to a command, without the empty line behind it."""
    answer = machine.command(line)
    assert answer.endswith("\n\n") or answer.startswith("command error")
    return answer.rstrip("\n")


@pytest.fixture(scope="module")
def machine(tmp_path_factory, dnsmasq):
    folder = tmp_path_factory.mktemp("names")
    files = folder / "files"
    files.mkdir()
    (files / "keelback.cfg").write_text(f"resolver=10.0.0.2#{dnsmasq}\nntp=nowhere.test,four.test\n")
    (files / "ask.py").write_text(ASK)
    image.make_folder(folder / "volume", EFI, [files])
    with Machine(qemu.Options.from_environment(volume=folder / "volume", net="user")) as vm:
        vm.wait_prompt()
        assert "command error, no network" in vm.command("dns golang.org")
        assert "initialized" in vm.command("net-virtio 10.0.0.1 255.255.255.0 10.0.0.2")
        yield vm


def test_dns(machine):
    """The documented line, to the letter; each kind alone; aliases; a name in its absolute form; numbers."""
    assert say(machine, "dns golang.org") == "[142.251.209.17 2a00:1450:4002:410::2011]"
    assert say(machine, "dns FOUR.test.") == "[192.0.2.4]"
    assert say(machine, "dns six.test") == "[2001:db8::6]"
    assert say(machine, "dns alias2.test") == "[192.0.2.4]"
    assert say(machine, "dns 2001:DB8:0:0::1") == "[2001:db8::1]"


def test_more_than_a_datagram(machine):
    """300 addresses come over TCP."""
    answer = say(machine, "dns many.test")
    assert len(set(re.findall(r"10\.1\.\d+\.\d+", answer))) == 300, answer


def test_dns_errors(machine):
    """One line each."""
    assert say(machine, "dns nowhere.test") == "command error, nowhere.test: no such name"
    assert say(machine, "dns text.test") == "command error, text.test: has no address"
    assert say(machine, "dns a..b").startswith("command error, a part of the name")
    assert "usage: dns <host>" in say(machine, "dns")


def test_hostile_name_server(machine, dnsmasq):
    """Nothing that a liar sends is believed or breaks anything; the true server behind it still answers."""
    port = serve(liar)
    prompt = Prompt(machine, "from ask import ask")
    assert prompt.run(f"ask({port})") == "golang.org: no answer from any name server"
    assert prompt.run(f"ask({port}, {dnsmasq})") == "['142.251.209.17', '2a00:1450:4002:410::2011']"
    prompt.leave()


def test_date_ntp(machine):
    """The clock moves to the time server's; the machine's default servers do not exist here, which one line says."""
    port = serve(time_server)
    answer = say(machine, f"date ntp 10.0.0.2#{port}")
    m = re.fullmatch(r"(\d{4}-.*Z) \(moved by \+(\d+\.\d{6}) s; 10\.0\.0\.2, stratum 3, round trip \d+ ms\)", answer)
    assert m and abs(float(m[2]) - AHEAD) < 5, answer
    assert abs(time.mktime(time.strptime(m[1], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone - time.time() - AHEAD) < 5
    answer = say(machine, f"date ntp 10.0.0.2#{port}")
    assert float(re.search(r"moved by [+-](\d+\.\d+) s", answer)[1]) < 1, answer
    assert say(machine, "date ntp") == "command error, 192.0.2.4 does not answer"
    assert say(machine, "date ntp 10.0.0.2#x") == "command error, x is no port"
