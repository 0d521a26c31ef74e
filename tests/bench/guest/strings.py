# Byte-string functions by size: what the C library's memcpy, memcmp, memchr and memset cost from Python.
# Prints one line a test: name-size, repetitions, us for all of them.
import gc
from time import ticks_us, ticks_diff

TOTAL = 4 << 20     # bytes handled by each test


def copy(a, b, n):
    for i in range(n):
        bytearray(a)


def move(a, b, n):
    target = bytearray(len(a))
    view = memoryview(a)
    for i in range(n):
        target[:] = view


def equal(a, b, n):
    for i in range(n):
        a == b


def find(a, b, n):
    last = a[-1:]
    for i in range(n):
        a.find(last)


def zero(a, b, n):
    size = len(a)
    for i in range(n):
        bytearray(size)


for size in (16, 256, 4096, 65536, 1 << 20):
    a = b"a" * (size - 1) + b"z"
    b = bytes(bytearray(a))     # equal, but another object
    n = min(TOTAL // size, 2000)
    for f in (copy, move, equal, find, zero):
        gc.collect()
        t0 = ticks_us()
        f(a, b, n)
        print("str %s-%d n=%d us=%d" % (f.__name__, size, n, ticks_diff(ticks_us(), t0)))
print("str done")
