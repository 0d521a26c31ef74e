"""Fake of the C module clock."""

import time

offset = 0  # what set_wall_ns() moved the wall clock by, in ns


def ns():
    return time.ticks_us() * 1000


def idle_ns():
    return ns() // 2


def wall_ns():
    return time.time_ns() + offset


def set_wall_ns(n):
    global offset
    offset += n - wall_ns()


def tsc_hz():
    return 2450000000


def tsc_source():
    return "cpuid 15"


def chart():
    return (("entry", 0), ("prompt", 24500000))
