"""What will probably be asked for next is imported while nobody types yet: the network.

The prompt comes first, and each step is a few milliseconds of an emulated machine, behind a pause in which a key is served.
Without it nothing is missing: who comes earlier imports what he needs himself. Measured, of bringing up a network card on a
machine that just booted: a quarter of the instructions, and two thirds of the time to the first answered ping (rehearsal.py).
"""

# SPDX-License-Identifier: BSD-3-Clause

from asyncio import core

import _repl
from micropython import const

_PAUSE_MS = const(5)


async def look():
    """Take one step after the other; Ctrl-C waits for the end of a step, so that no module is half imported."""
    for step in _steps():
        _repl.shielded(*step)
        await core.sleep_ms(_PAUSE_MS)


def _steps():
    """Yield (function, arguments...)."""
    for name in ("shell.syntax", "shell.network", "shell.cards"):
        yield __import__, name
    from shell import cards, network, registry, syntax

    kind = cards.usable()
    for name in kind.modules:
        yield __import__, name
    yield (kind.prepare,)
    yield syntax.items, registry.find(kind.command).syntax
    if not network.interface:
        yield __import__, "shell.rehearsal"
        yield (_rehearse,)


def _rehearse():
    from shell import network, rehearsal

    if network.interface:
        return
    try:
        rehearsal.run()
    except (MemoryError, OSError):
        pass  # nothing is missing without; who brings up a network hears why it cannot be
