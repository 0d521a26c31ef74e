"""Type at the prompt of the command `python`, on a machine that shows the shell's prompt."""

import vm

PROMPT = rb">>> \Z"


def enter(machine, limit=30):
    """Go from the shell's prompt to that of `python` and return the greeting. limit: s."""
    start = machine.position
    machine.send("python\r")
    machine.expect(PROMPT, limit)
    return vm.plain(machine.console[start:machine.position])


def evaluate(machine, line, limit=30):
    """Type a line and return what is printed up to the next prompt."""
    start = machine.position
    machine.send(line + "\r")
    machine.expect(rb"\n" + PROMPT, limit)
    return vm.plain(machine.console[start:machine.position - 4]).partition("\n")[2]


def leave(machine, limit=30):
    """Go back to the shell's prompt."""
    machine.send("\x04")
    machine.wait_prompt(limit)
