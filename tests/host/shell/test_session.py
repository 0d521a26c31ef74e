"""shell/session.py: the loop over a stream: errors, interruption, broken streams, several at once."""

import asyncio

import _repl
from check import run, same
from shell import errors, registry
from shell.registry import CommandError, command
from shell.session import Session
from talk import Script, command as shell_command, talk

registry.load()


@command("t-text", "", "")
def t_text(ctx):
    return "one\ntwo\n"


@command("t-lines", "<size>", "")
def t_lines(ctx, count):
    for i in range(count):
        yield "line %d" % i


@command("t-bytes", "", "")
def t_bytes(ctx):
    yield b"raw\r\n"
    yield b"open"


@command("t-print", "", "")
def t_print(ctx):
    print("printed")


@command("t-raise", "<what>", "")
def t_raise(ctx, what):
    raise RAISED[what]


@command("t-late", "<what>", "")
def t_late(ctx, what):
    yield "before"
    raise RAISED[what]


@command("t-deep", "", "")
def t_deep(ctx):
    return t_deep(ctx)


@command("t-loop", "", "")
def t_loop(ctx):
    async def nothing():
        await asyncio.sleep_ms(1)

    asyncio.run(nothing())
    asyncio.new_event_loop()
    return "looped\n"


@command("t-wait", "<what>", "", waits=True)
async def t_wait(ctx, what):
    await asyncio.sleep_ms(10 if what != "long" else 60000)
    if what in RAISED:
        raise RAISED[what]
    return "waited\n"


RAISED = {
    "command": CommandError("told"),
    "value": ValueError("bad value"),
    "errno": OSError(2),
    "about": OSError(14, "0x1000"),
    "odd": OSError("text"),
    "memory": MemoryError(),
    "exit": SystemExit(),
    "interrupt": KeyboardInterrupt(),
    "type": TypeError("two\nlines"),
    "stop": StopIteration(),
    "cancel": asyncio.TimeoutError(),
}

ERRORS = {
    "command": "told",
    "value": "bad value",
    "errno": "no such file or directory",
    "about": "0x1000: address is not mapped",
    "odd": "text",
    "memory": "out of memory",
    "exit": "SystemExit",
    "interrupt": "interrupted",
    "type": "TypeError: two lines",
    "stop": "RuntimeError: generator raised StopIteration",
    "cancel": "TimeoutError",
}


logged = []
errors.log = logged.append


def test_greeting_and_prompt():
    same(talk(greeting="\nhello\n\n"), "\nhello\n\n> ")


def test_output_is_followed_by_an_empty_line():
    same(shell_command("t-text"), "one\ntwo\n\n")
    same(shell_command("t-lines 2"), "line 0\nline 1\n\n")
    same(shell_command("t-bytes"), "raw\nopen\n\n")
    same(shell_command("t-print"), "printed\n")
    same(shell_command(""), "")


def test_every_error_is_one_line():
    for what in sorted(ERRORS):
        same((what, shell_command("t-raise " + what)), (what, "command error, %s\n" % ERRORS[what]))


def test_every_late_error_is_one_line():
    for what in sorted(ERRORS):
        if what != "stop":
            expected = "before\ncommand error, %s\n" % ERRORS[what]
            same((what, shell_command("t-late " + what)), (what, expected))


def test_only_unforeseen_errors_are_logged():
    del logged[:]
    for what in sorted(ERRORS):
        shell_command("t-raise " + what)
    same(sorted([type(e).__name__ for e in logged]), ["RuntimeError", "SystemExit", "TimeoutError", "TypeError"])


def test_endless_recursion():
    out = shell_command("t-deep")
    assert out.startswith("command error, RuntimeError: maximum recursion depth exceeded"), out


def test_unknown_command_and_wrong_arguments():
    same(shell_command("nonsense"), "command error, unknown command `nonsense`, type `help`\n")
    same(shell_command("HELP"), "command error, unknown command `HELP`, type `help`\n")
    same(shell_command("t-lines"), "command error, missing argument <size>, usage: t-lines <size>\n")
    same(shell_command("t-text x"), "command error, unexpected argument `x`, usage: t-text\n")
    same(shell_command("'"), "command error, missing closing quote '\n")


def test_line_too_long():
    out = talk(b"j" * 100000 + b"\rt-text\r")
    assert out.endswith("\ncommand error, line too long\n> t-text\none\ntwo\n\n> "), out[-200:]
    assert len(out) < 20000


def test_random_bytes_do_not_end_the_session():
    import random

    random.seed(3)
    for _ in range(20):
        junk = bytes([random.getrandbits(8) for _ in range(500)])
        out = talk(junk, b"\x03\r", b"t-text\r", console=True)
        assert out.endswith("> t-text\none\ntwo\n\n> "), out[-300:]


def test_control_keys_at_the_prompt():
    same(talk(b"abc\x03t-text\r", console=True), "> abc\n> t-text\none\ntwo\n\n> ")
    same(talk(b"\x04\x04t-text\r", console=True), "> t-text\none\ntwo\n\n> ")
    same(talk(b"\x04t-text\r"), "> \n")


def test_raw_repl_gets_what_follows():
    del _repl.raw_calls[:]
    same(talk(b"\x01", b"t-text\r", console=True), "> > t-text\none\ntwo\n\n> ")
    talk(b"\x01print(1)\x04", console=True)
    talk(b"\x01")
    same(_repl.raw_calls, [b"", b"print(1)\x04"])


def test_interrupt_between_lines_of_output():
    out = talk(b"t-lines 1000000\r", 20, b"\x03", b"t-text\r")
    assert "command error, interrupted\n> t-text\none\ntwo\n\n> " in out, out[-200:]


def test_a_command_that_waits():
    same(shell_command("t-wait short"), "waited\n\n")
    for what in ("command", "errno", "type", "exit"):
        same(shell_command("t-wait " + what), "command error, %s\n" % ERRORS[what])
    same(talk(b"t-wait short\rt-text\r"), "> t-wait short\nwaited\n\n> t-text\none\ntwo\n\n> ")
    out = talk(b"t-wait long\r", 20, b"\x03", b"t-text\r")
    same(out, "> t-wait long\ncommand error, interrupted\n> t-text\none\ntwo\n\n> ")


def test_others_run_beside_a_command_that_waits():
    async def both():
        slow, fast = Script([b"t-wait short\r"]), Script([b"t-text\r"])
        slow_task = asyncio.create_task(Session(slow).run())
        await Session(fast).run()
        finished_first = not slow_task.done()
        await slow_task
        return finished_first, slow.out

    finished_first, slow = asyncio.run(both())
    assert finished_first and b"waited" in slow


def test_typed_ahead_is_kept():
    same(talk(b"t-lines 2\r", b"t-text\r"), "> t-lines 2\nline 0\nline 1\n\n> t-text\none\ntwo\n\n> ")


def test_a_long_paste_is_not_lost():
    out = talk(b"t-lines 1\r" * 3000)
    same(out.count("line 0\n"), 3000)


def test_event_loop_inside_a_command():
    same(talk(b"t-loop\rt-loop\rt-text\r").count("looped\n"), 2)


def test_broken_stream_ends_the_session_quietly():
    for after in range(8):
        script = Script([b"t-lines 5\r", b"t-text\r"], break_after=after)
        session = Session(script)
        asyncio.run(session.run("hello"))
        assert session.closed and not session.running


def test_exit_closes_this_session_only():
    async def both():
        first, second = Script([b"exit\rt-text\r"]), Script([30, b"t-text\r"])
        await asyncio.gather(Session(first).run(), Session(second).run())
        return first.out, second.out

    first, second = asyncio.run(both())
    same(first, b"> exit\r\n")
    same(second, b"> t-text\r\none\r\ntwo\r\n\r\n> ")


def test_sessions_run_at_once():
    async def both():
        slow, fast = Script([b"t-lines 300\r"]), Script([b"t-text\r"])
        slow_task = asyncio.create_task(Session(slow).run())
        await Session(fast).run()
        finished_first = not slow_task.done()
        await slow_task
        return finished_first, slow.out, fast.out

    finished_first, slow, fast = asyncio.run(both())
    assert finished_first and b"line 299" in slow and b"line" not in fast


def test_one_write_for_a_chunk():
    script = Script([b"some words and no enter"])
    asyncio.run(Session(script).run())
    same(script.writes, 2)


def test_completion_of_commands():
    assert "# this help\n" in talk(b"hel\t\r")


run(globals())
