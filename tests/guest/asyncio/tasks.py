# Tasks, timeouts, cancelling, events, locks, gather, and many sleepers at once.
import asyncio, time


async def worker(name, ms, log):
    await asyncio.sleep_ms(ms)
    log.append(name)
    return name


async def main():
    log = []
    print(await asyncio.gather(*[worker(i, 60 - 20 * i, log) for i in range(3)]), log)
    try:
        await asyncio.wait_for_ms(worker("late", 5000, log), 50)
    except asyncio.TimeoutError:
        print("timeout")
    task = asyncio.create_task(worker("cancelled", 5000, log))
    await asyncio.sleep_ms(1)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")
    event, lock = asyncio.Event(), asyncio.Lock()

    async def waiter(i):
        await event.wait()
        async with lock:
            log.append(i)

    tasks = [asyncio.create_task(waiter(i)) for i in range(3)]
    await asyncio.sleep_ms(5)
    event.set()
    await asyncio.gather(*tasks)
    print(log)
    start = time.ticks_ms()
    await asyncio.gather(*[worker(None, 100 + i % 7, []) for i in range(500)])
    took = time.ticks_diff(time.ticks_ms(), start)
    print(106 <= took < 1500 or took)

    async def fails():
        raise ValueError("from a task")

    try:
        await asyncio.create_task(fails())
    except ValueError as e:
        print(e)


asyncio.run(main())
