"""What shell/ahead.py imports while nobody types: there soon after a fresh prompt, and a command in the middle of it works."""

import time

import pyprompt
import rawrepl

LOADED = "import sys; print([name in sys.modules for name in ('shell.network', 'drivers.virtio_net', 'drivers.virtio_control')])"


def test_modules_come_by_themselves(vm):
    rawrepl.run(vm, "pass")  # a fresh interpreter's prompt
    deadline = time.monotonic() + 20
    printed = ""
    while "[True, True, True]" not in printed:
        assert time.monotonic() < deadline, printed
        time.sleep(0.2)
        pyprompt.enter(vm)
        printed = pyprompt.evaluate(vm, LOADED)
        pyprompt.leave(vm)


def test_keys_and_commands_meanwhile(vm):
    """Typed at every moment of the first half second: each line is answered, Ctrl-C harms nothing."""
    for delay in range(0, 500, 50):
        rawrepl.run(vm, "pass")
        time.sleep(delay / 1000)
        vm.send("\x03")
        assert "no network" in vm.command("net")
        assert "command error, no network to stop" in vm.command("net-down")
