"""What shell/ahead.py imports while nobody types: there soon after a fresh prompt, and a command in the middle of it works."""

import time

import pyprompt
import rawrepl
from vm import PROMPT

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


def test_rehearsal_leaves_nothing(vm):
    """No interface, memory, interrupt or name server; twice, and beside a network."""
    printed, error = rawrepl.run(vm, """
import gc, mem, netif
from shell import rehearsal
rehearsal.run()
gc.collect()
before = mem.info()[2], netif.memory()[0]
for _ in range(20):
    rehearsal.run()
gc.collect()
print(mem.info()[2] == before[0], netif.memory()[0] == before[1], netif.dns_servers())
""")
    assert (printed, error) == ("True True []\n", "")


def test_keys_and_commands_meanwhile(vm):
    """Typed at every moment of the first half second: each line is answered, Ctrl-C harms nothing."""
    for delay in range(0, 500, 50):
        rawrepl.run(vm, "pass")
        time.sleep(delay / 1000)
        vm.send("\x03")
        vm.expect(PROMPT, 10)
        assert "no network" in vm.command("net")
        assert "command error, no network to stop" in vm.command("net-down")
