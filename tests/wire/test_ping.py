"""Ping, ARP, neighbour discovery: judged by the tools that everybody uses."""

import re

import pytest

from rig import BOTH, GUEST, GUEST6, LINK6, MAC


def ping(rig, address, *words, limit=60):
    """Run ping and return (answers, requests)."""
    said = rig.host.run("ping", "-n", *words, address, check=False, limit=limit).stdout
    sent, received = re.search(r"(\d+) packets transmitted, (\d+) received", said).groups()
    assert "wrong data" not in said and "DUP!" not in said, said
    return int(received), int(sent)


@pytest.mark.parametrize("address", [*BOTH, LINK6])
@pytest.mark.parametrize("size", [0, 1, 56, 1452, 1453, 1472, 1473, 4000, 9000])
def test_sizes(wire, address, size):
    """Whole frames, the last that fits, fragments."""
    assert ping(wire, address, "-c3", "-i0.01", "-s", str(size)) == (3, 3)


@pytest.mark.parametrize("address", BOTH)
def test_flood(wire, address):
    """A flood loses nothing that is asked for one by one."""
    assert ping(wire, address, "-f", "-c1000") == (1000, 1000)


def test_arping(wire):
    said = wire.host.run("arping", "-c3", "-w5", "-I", "eth0", GUEST).stdout
    assert said.lower().count(f"[{MAC}]") == 3


@pytest.mark.parametrize("address", [GUEST6, LINK6.partition("%")[0]])
def test_ndisc6(wire, address):
    said = wire.host.run("ndisc6", "-m", "-n", address, "eth0").stdout
    assert said.lower().count(MAC) == 1, said


def test_no_answer_for_others(wire):
    """Addresses that are not ours, and broadcast pings, stay without an answer."""
    assert wire.host.run("arping", "-c2", "-w2", "-I", "eth0", "10.0.0.77", check=False).returncode
    assert wire.host.run("ping", "-c1", "-W1", "-b", "10.0.0.255", check=False).returncode
    assert wire.host.run("ndisc6", "-r1", "-w300", "fd00::77", "eth0", check=False).returncode


def test_while_python_computes(wire):
    """An endless loop at the shell's prompt keeps nobody from an answer."""
    wire.vm.send("python\r")
    wire.vm.expect(rb">>> \Z", 20)
    wire.vm.send("while True: pass\r\r")
    try:
        for address in BOTH:
            assert ping(wire, address, "-c20", "-i0.02") == (20, 20)
            assert ping(wire, address, "-c3", "-i0.05", "-s4000") == (3, 3)
        said = wire.host.run("arping", "-c2", "-w5", "-I", "eth0", GUEST).stdout
        assert said.lower().count(f"[{MAC}]") == 2
    finally:
        wire.vm.send("\x03")
        wire.vm.expect(rb"KeyboardInterrupt.*?>>> \Z", 20)
        wire.vm.send("\x04")
        wire.vm.wait_prompt(20)
