"""The composition root: the only place that wires the parts of the system together."""

# SPDX-License-Identifier: BSD-3-Clause

from asyncio import core

from shell import registry, tasks
from shell.about import banner
from shell.serial import SerialStream
from shell.session import Session

_REST_MS = 100  # behind the prompt, until we look ahead


def greeting():
    """-> what a new session shows before its first prompt."""
    return "\n%s\n\n%s\n" % (banner(), registry.help_text())


def run():
    """Serve the serial line until its user says `exit`; what port/main.c calls."""
    serve(SerialStream(), _look_ahead)


async def _look_ahead():
    await core.sleep_ms(_REST_MS)  # the prompt comes first
    from shell import ahead

    await ahead.look()


def serve(stream, idle=None):
    """Run the event loop with a console session on a stream; other sessions are tasks beside it, first of all idle()."""
    tasks.install()  # stackall lists every task
    if idle:
        core.create_task(idle())
    console = Session(stream, console=True)
    first = greeting()
    task = None
    while not console.closed:
        try:
            if not console.running:
                task = core.create_task(console.run(first))
            first = "\n"
            core.run_until_complete(task)
        except BaseException as e:  # of some task: the loop stops, the shell must not
            from shell import errors

            core.cur_task = None
            errors.log(e)
