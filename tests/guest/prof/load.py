# Sampling at the highest rate while everything is torn at: calls, exceptions, generators, collections, recursion to its end, imports.
import gc
import time

import _prof


def calls(n):
    return n if n == 0 else calls(n - 1)


def raises(n):
    try:
        if n == 0:
            return [].pop()
        return raises(n - 1)
    except IndexError:
        if n == 20:
            return None
        raise


def generators():
    def inner(n):
        for i in range(n):
            try:
                yield i
            finally:
                pass

    def outer(n):
        yield from inner(n)

    g = outer(50)
    next(g)
    g.close()
    return sum(outer(50))


def endless():
    return endless()


def overflow():
    try:
        endless()
    except RuntimeError:
        pass


def compiled():
    names = {}
    exec("def f(x):\n    return [x, {x: x}, (x,)]\nclass C:\n    def m(self):\n        return f(1)\n", names)
    names["C"]().m()


def garbage():
    return [[i] * 10 for i in range(100)], gc.collect()


rounds = 0
for _ in range(3):
    _prof.start(10000)
    end = time.ticks_add(time.ticks_ms(), 1500)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        calls(60)
        raises(20)
        generators()
        compiled()
        garbage()
        if rounds % 10 == 0:
            overflow()
        rounds += 1
    _prof.stop()
samples, idle, dropped, ns = _prof.counts()
found = list(_prof.samples())
names = set([name for _, _, places in found for _, _, name in places])
print(samples > 500, dropped < samples / 2, rounds > 2)
print({"calls", "raises", "inner", "compiled", "garbage"} - names)
print(sum([count for count, _, _ in found]) + dropped == samples)
