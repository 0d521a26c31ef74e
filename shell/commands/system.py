"""Commands about the system as a whole: build, date, exit, help, power, python, stacks, uptime."""

# SPDX-License-Identifier: BSD-3-Clause

from shell import registry
from shell.registry import command


@command("build", "", "build information")
def build(ctx):
    import sys

    import mem
    from _build import INFO  # frozen by the build
    from shell.table import table

    own = (("Python", sys.version), ("Machine", sys.implementation._machine), ("Image base", "%#x" % mem.image()[0]))
    return table(tuple(INFO) + own)


@command("date", "(RFC3339|ntp)? (<server>)?", "show/change runtime date and time", waits=True)
async def date(ctx, when, server):
    """ntp asks the time servers of the option ntp=, or the one given."""
    import clock
    from shell import rfc3339

    note = ""
    if when == "ntp":
        from shell import names

        sample = await names.set_clock(server)
        note = " (moved by %s s; %s, stratum %d, round trip %d ms)" % (
            _seconds(sample.offset_ns), sample.server, sample.stratum, sample.delay_ns // 1000000
        )  # fmt: skip
    elif server is not None:
        raise registry.CommandError("a server goes with `date ntp`")
    elif when is not None:
        clock.set_wall_ns(when)
    return rfc3339.text(clock.wall_ns()) + note + "\n"


def _seconds(ns):
    """-> +1.002003"""
    us = abs(ns) // 1000
    return "%s%d.%06d" % ("-" if ns < 0 else "+", us // 1000000, us % 1000000)


@command("exit,quit", "", "exit application")
def exit(ctx):
    ctx.close()


@command("halt,shutdown", "", "shutdown system")
def halt(ctx):
    import efi

    efi.reset(efi.OFF)


@command("help", "", "this help")
def help(ctx):
    return registry.help_text()


@command("python", "", "MicroPython REPL, Ctrl-D returns", terminal=True, private=True)
async def python(ctx):
    from shell.repl import Repl

    await Repl(ctx).run()


@command("reset", "(cold|warm)?", "reset system")
def reset(ctx, kind):
    import efi

    efi.reset(efi.COLD if kind == "cold" else efi.WARM)


@command("stack", "", "Python stack trace (current)")
def stack(ctx):
    import _frames

    return _trace(_frames.current())


@command("stackall", "", "Python stack trace (all tasks)")
def stackall(ctx):
    import _frames

    from shell import tasks

    yield from _task("current", tasks.current(), _frames.current())
    for task in tasks.alive():
        if task is not tasks.current():
            yield ""
            yield from _task("waiting", task, _frames.of(task.coro))


@command("uptime", "", "show system running time")
def uptime(ctx):
    import clock
    from shell.table import duration

    return duration(clock.ns() // 1000000000) + "\n"


def _task(state, task, frames):
    yield "task %#x (%s)" % (id(task), state)
    for line in _trace(frames).split("\n")[:-1]:
        yield line


def _trace(frames):
    return "".join(['  File "%s", line %d, in %s\n' % tuple(f) for f in frames])
