"""Ping, ARP and their like, judged by the tools that everybody uses."""

import re

import pytest

from rig import GUEST, MAC


def ping(rig, *words, limit=60):
    """Run ping and return (answers, requests)."""
    said = rig.host.run("ping", "-n", *words, GUEST, check=False, limit=limit).stdout
    sent, received = re.search(r"(\d+) packets transmitted, (\d+) received", said).groups()
    assert "wrong data" not in said and "DUP!" not in said, said
    return int(received), int(sent)


@pytest.mark.parametrize("size", [0, 1, 55, 56, 1472, 1473, 4000, 9000])
def test_sizes(wire, size):
    """Whole frames, the last that fits, fragments."""
    assert ping(wire, "-c3", "-i0.01", "-s", str(size)) == (3, 3)


def test_flood(wire):
    """A flood loses nothing that is asked for one by one."""
    assert ping(wire, "-f", "-c1000") == (1000, 1000)


def test_arping(wire):
    said = wire.host.run("arping", "-c3", "-w5", "-I", "eth0", GUEST).stdout
    assert said.lower().count(f"[{MAC}]") == 3


def test_while_python_computes(wire):
    """An endless loop at the shell's prompt keeps nobody from an answer."""
    wire.vm.send("python\r")
    wire.vm.expect(rb">>> \Z", 20)
    wire.vm.send("while True: pass\r\r")
    assert ping(wire, "-c20", "-i0.05") == (20, 20)
    assert ping(wire, "-c3", "-i0.05", "-s4000") == (3, 3)
    wire.vm.send("\x03")
    wire.vm.expect(rb"KeyboardInterrupt.*?>>> \Z", 20)
    wire.vm.send("\x04")
    wire.vm.wait_prompt(20)
