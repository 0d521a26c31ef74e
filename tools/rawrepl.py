"""Speak MicroPython's raw REPL to a machine that shows the shell's prompt.

Source: MicroPython 1.25.0, docs/reference/repl.rst (raw mode) and shared/runtime/pyexec.c.
"""

import vm

BANNER = rb"raw REPL; CTRL-B to exit\r\n>"
INTERRUPT, ENTER, LEAVE, END = b"\x03", b"\x01", b"\x02", b"\x04"


def enter(machine, limit=30):
    """Go from the shell's prompt into a fresh interpreter's raw REPL."""
    machine.send(ENTER)
    machine.expect(BANNER, limit)
    machine.send(END)  # soft reset: no module or object of an earlier test is left
    machine.expect(rb"soft reboot\r\n.*?" + BANNER, limit)


def leave(machine, limit=30):
    """Go back to the shell's prompt."""
    machine.send(LEAVE)
    machine.wait_prompt(limit)


def execute(machine, code, limit=60):
    """Run code in the raw REPL and return (what it printed, its traceback or ""). Raises vm.VMError."""
    machine.send(code.encode() + END)
    m = machine.expect(rb"OK(.*?)\x04(.*?)\x04>", limit)
    return vm.plain(m[1]), vm.plain(m[2])


def provide(machine, name, source):
    """Let code that is executed later import a module of that source; no file of it is left. Raises vm.VMError."""
    code = f"import os\nwith open('/{name}.py', 'w') as f:\n    f.write({source!r})\nimport {name}\nos.remove('/{name}.py')\ndel os, f, {name}\n"
    printed, error = execute(machine, code)
    if printed or error:
        raise vm.VMError(f"module {name}: {printed}{error}")


def run(machine, code, limit=60, modules=()):
    """Enter, execute and leave: code runs in a fresh interpreter. modules: (name, source) of what it imports beside."""
    enter(machine)
    for name, source in modules:
        provide(machine, name, source)
    result = execute(machine, code, limit)
    leave(machine)
    return result
