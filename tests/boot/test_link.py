"""What befalls a virtio card while it is in use: the cable, a host that moved it, and its removal."""

import time

import vm as console


def wait_for(machine, text, limit=20):
    """Ask `net` until its answer has the text."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        shown = machine.command("net")
        if text in shown:
            return shown
        time.sleep(0.2)
    raise console.VMError(f"no {text!r} in\n{shown}")


def sent(shown):
    return int(next(line for line in shown.splitlines() if line.startswith("Frames sent")).split()[-1])


def test_cable_announcement_removal(boot):
    """The link follows the cable; asked to, we announce ourselves; a card asked to leave hangs nobody."""
    machine = boot(net="user", card=",id=card", machine="pc")  # whose bus lets cards be taken out
    assert "initialized" in machine.command("net-virtio 10.0.0.1/24 : 10.0.0.2")
    assert "Link ...................: up" in machine.command("net")
    for _ in range(2):
        machine.qmp("set_link", name="card", up=False)
        wait_for(machine, "Link ...................: down")
        machine.qmp("set_link", name="card", up=True)
        before = sent(wait_for(machine, "Link ...................: up"))
    machine.qmp("announce-self", initial=50, max=100, rounds=2, step=50)
    deadline = time.monotonic() + 20
    while sent(machine.command("net")) <= before:
        assert time.monotonic() < deadline, "nothing was announced"
        time.sleep(0.2)
    machine.qmp("device_del", id="card")
    assert "initialized" in machine.command("net-virtio 10.0.0.1/24 : 10.0.0.2")
    machine.command("net-down")
