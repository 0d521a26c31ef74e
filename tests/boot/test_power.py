"""Leaving: exit and halt power off, reset starts anew."""

import time

import pytest

import pyprompt


@pytest.mark.parametrize("command", ["exit", "shutdown"])
def test_off(boot, command):
    machine = boot()
    machine.send(command + "\r")
    assert machine.wait_exit(30) == 0


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
