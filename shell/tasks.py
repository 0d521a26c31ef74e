"""What asyncio lacks for a shell: a list of all tasks, and safety from event loops inside of ours.

MicroPython's task queue cannot be walked and a task that waits for an event is in no list at all,
so that create_task() is wrapped to keep one. And asyncio has a single loop: user code that calls
asyncio.run() inside a command runs ours, and leaves with "no current task".
"""

# SPDX-License-Identifier: BSD-3-Clause

import asyncio
from asyncio import core

_create_task = core.create_task
_tasks = []  # (number, task, the task that made it), in the order of their making
_made = 0
_prune_at = 16


def create_task(coro):
    global _made, _prune_at
    task = _create_task(coro)
    if len(_tasks) >= _prune_at:
        _tasks[:] = [entry for entry in _tasks if not entry[1].done()]
        _prune_at = 2 * len(_tasks) + 16
    _made += 1
    _tasks.append((_made, task, core.cur_task))
    return task


def install():
    """Make every way to create a task keep it in our list. Twice does no harm."""
    core.create_task = asyncio.create_task = create_task


def alive():
    """-> the tasks that are not done, oldest first."""
    return [entry[1] for entry in _tasks if not entry[1].done()]


def current():
    return core.cur_task


def save():
    """-> the event loop's state, for restore() after code that may run or replace the loop."""
    return core.cur_task, core._task_queue, core._io_queue, _made


def restore(state):
    core.cur_task, core._task_queue, core._io_queue, _ = state


def within(state, function, *args):
    """Call a function that makes or wakes tasks of the loop that save() saw. -> what it returns."""
    inner = save()
    restore(state)
    try:
        return function(*args)
    finally:
        restore(inner)


def cancel_since(state):
    """Cancel what interrupted code began after save(), and what that began: it leaves no tasks behind.

    Tasks that others made meanwhile, in an event loop that the code ran, stay: another session's, say.
    """
    mine = [state[0]]
    for number, task, maker in _tasks:
        if number > state[3] and [t for t in mine if t is maker]:
            mine.append(task)
    for task in mine[1:]:
        if not task.done() and task is not core.cur_task:
            task.cancel()
