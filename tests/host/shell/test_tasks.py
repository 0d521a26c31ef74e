"""shell/tasks.py: the list of tasks, and the loop's state around nested loops."""

import asyncio
from asyncio import core

from check import run, same
from shell import tasks

tasks.install()


def test_alive_lists_every_task():
    async def wait(event):
        await event.wait()

    async def main():
        event = asyncio.Event()
        made = [asyncio.create_task(wait(event)) for _ in range(3)]
        await asyncio.sleep_ms(0)
        assert all([task in tasks.alive() for task in made])
        event.set()
        await asyncio.gather(*made)
        assert not [task for task in made if task in tasks.alive()]

    asyncio.run(main())


def test_finished_tasks_are_forgotten():
    async def nothing():
        pass

    async def main():
        for _ in range(500):
            await asyncio.create_task(nothing())

    asyncio.run(main())
    assert len(tasks._tasks) < 64


def test_restore_after_a_nested_loop():
    async def inner():
        await asyncio.sleep_ms(1)

    async def outer():
        state = tasks.save()
        me = tasks.current()
        asyncio.run(inner())
        asyncio.new_event_loop()
        same(tasks.current(), None)
        tasks.restore(state)
        same(tasks.current(), me)
        await asyncio.sleep_ms(1)
        return "came back"

    same(asyncio.run(outer()), "came back")
    same(core.cur_task, None)


def test_cancel_since():
    cancelled = []

    async def wait(name):
        try:
            await asyncio.sleep_ms(20)
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    async def main():
        before = asyncio.create_task(wait("before"))
        await asyncio.sleep_ms(0)
        state = tasks.save()
        asyncio.create_task(wait("after"))
        await asyncio.sleep_ms(0)
        tasks.cancel_since(state)
        await before

    asyncio.run(main())
    same(cancelled, ["after"])


run(globals())
