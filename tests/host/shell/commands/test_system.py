"""shell/commands/system.py: what each command shows and does."""

import clock
import efi
from check import run, same
from shell import errors, tasks
from shell.registry import help_text
from talk import command, talk

errors.log = lambda e: None
tasks.install()


def test_build():
    lines = command("build").split("\n")
    same(lines[0], "Commit .....: unknown")
    assert lines[1].startswith("Python .....: 3.4.0; MicroPython v1.25.0"), lines
    same(lines[3], "Image base .: 0x1e000000")


def test_date_shows_and_sets():
    clock.offset = 0
    out = command("date 2030-02-03T04:05:06Z")
    same(out, "2030-02-03T04:05:06Z\n\n")
    assert command("date").startswith("2030-02-03T04:05:")
    same(command("date 2030-02-03T06:05:06+02:00"), "2030-02-03T04:05:06Z\n\n")
    same(
        command("date tomorrow"),
        "command error, invalid <RFC3339|ntp> `tomorrow`, not like 2006-01-02T15:04:05Z, usage: date (RFC3339|ntp)? (<server>)?\n",
    )
    clock.offset = 0


def test_exit_and_quit():
    for name in ("exit", "quit"):
        same(talk(name.encode() + b"\rhelp\r"), "> %s\n" % name)


def test_help():
    same(command("help"), help_text() + "\n")


def test_power():
    for line, kind in (
        ("halt", efi.OFF),
        ("shutdown", efi.OFF),
        ("reset", efi.WARM),
        ("reset warm", efi.WARM),
        ("reset cold", efi.COLD),
    ):
        del efi.resets[:]
        command(line)
        same((line, efi.resets), (line, [kind]))


def test_stack():
    same(command("stack"), '  File "shell/session.py", line 1, in run\n\n')


def test_stackall():
    out = command("stackall")
    same(out.count("(current)"), 1)
    assert out.count("(waiting)") >= 1 and '  File "fake.py", line 2, in waiting\n' in out, out


def test_uptime():
    real, clock.ns = clock.ns, lambda: 90061 * 10**9 + 5
    try:
        same(command("uptime"), "1 day 1 hour 1 minute 1 second\n\n")
    finally:
        clock.ns = real


run(globals())
