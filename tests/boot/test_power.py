"""Leaving: exit and halt power off, reset starts anew."""

import time

import pytest

import pyprompt
import rawrepl

FILL = """
import gc
kept = []
for n in (100000, 1000, 16):
    try:
        while True:
            kept.append(b"\\xff" * n)
    except MemoryError:
        pass
kept = None
gc.collect()
"""


@pytest.mark.parametrize("command", ["exit", "shutdown"])
def test_off(boot, command):
    machine = boot()
    machine.send(command + "\r")
    assert machine.wait_exit(30) == 0


def test_off_with_memory_used(boot):
    """The way out needs nothing that was the firmware's: its stack has become heap, which here is full of what a program wrote."""
    machine = boot()
    assert rawrepl.run(machine, FILL) == ("", "")
    machine.send("exit\r")
    assert machine.wait_exit(60) == 0


def test_reset(boot):
    """Cold, warm, by default, and through machine.reset(): the same machine boots again each time."""
    machine = boot()
    for line in ("reset cold\r", "reset warm\r", "reset\r"):
        machine.send(line)
        machine.wait_reset()
    pyprompt.enter(machine)
    machine.send("import machine; machine.reset()\r")
    machine.wait_reset()
    assert machine.command("uptime").strip()


def test_halt(boot):
    """efi.reset(efi.HALT) stops for good, without burning the host's processor."""
    machine = boot()
    pyprompt.enter(machine)
    machine.send("import efi; efi.reset(efi.HALT)\r")
    machine.expect(rb"HALT\)", 30)
    time.sleep(1)
    before = machine.cpu_time()
    time.sleep(3)
    assert machine.cpu_time() - before < 0.5
    assert machine.process.poll() is None
