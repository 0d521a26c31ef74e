"""Fake of the C module irq: vectors and ticks are handed out and called by the test."""

callbacks = {}  # vector -> function
ticks = {}  # number -> (function, ms)
_next = [0x30]


def alloc(callback):
    _next[0] += 1
    callbacks[_next[0]] = callback
    return _next[0]


def tick(callback, ms):
    _next[0] += 1
    ticks[_next[0]] = (callback, ms)
    return _next[0]


def free(vector):
    if vector not in callbacks and vector not in ticks:
        raise ValueError("no such vector")
    callbacks.pop(vector, None)
    ticks.pop(vector, None)


def message(vector):
    assert vector in callbacks
    return 0xFEE00000, vector


def ring(vector):
    """Let a device interrupt, or a tick come."""
    if vector in callbacks:
        callbacks[vector](vector)
    elif vector in ticks:
        ticks[vector][0](vector)
