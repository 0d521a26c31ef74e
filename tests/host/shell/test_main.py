"""shell/main.py: the console's look, and a loop that no task can stop."""

import asyncio

from check import run, same
from shell import errors, main, registry
from shell.registry import command
from talk import Script

registry.load()
errors.log = lambda e: None


def serve(*chunks):
    """-> what the console showed, as text with plain line ends."""
    script = Script(chunks)
    main.serve(script)
    return str(script.out, "utf-8").replace("\r\n", "\n")


@command("t-bomb", "", "")
def t_bomb(ctx):
    async def explode():
        raise SystemExit

    asyncio.create_task(explode())


@command("t-fail", "", "")
def t_fail(ctx):
    async def fail():
        raise KeyboardInterrupt

    asyncio.create_task(fail())
    asyncio.create_task(fail())


def test_documented_look():
    out = serve()
    head, rest = out.split("\n\nbuild", 1)
    same(head, "\nkeelback • micropython/x86_64 (v1.25.0) • UEFI x64")
    assert rest.endswith("# net-virtio, as it was called\n\n> "), rest


def test_exit_returns():
    assert serve(b"exit\r", b"uptime\r").endswith("> exit\n")


def test_tasks_that_break_the_loop():
    out = serve(b"t-bomb\r", 5, b"t-fail\r", 5, b"help\r", b"exit\r")
    same(out.count("# this help\n"), 2)
    assert out.endswith("> exit\n"), out


def test_end_of_input_returns():
    assert serve(b"hel").endswith("> hel")


run(globals())
