# _prof.sites() tells who allocates, how much and what of it lives; sampling ends with all as it was before.
import gc

import _prof

kept = []


def keeps():
    kept.append(bytearray(1000))  # an object of 32 bytes and 1024 bytes of data


def wastes():
    return bytearray(1000)


def small():
    return [(i, i) for i in range(100)]


def grows():
    data = bytearray()
    for _ in range(1000):
        data += b"x" * 100
    return data


def watched(function, times, rate=512):
    """-> {function: [bytes allocated, bytes of these that live]} while function ran that often."""
    gc.collect()
    _prof.sites_start(rate)
    for _ in range(times):
        function()
    gc.collect()
    dropped = _prof.sites_stop()
    total = {}
    for allocated, live, size, places in _prof.sites():
        name = places[0][2]
        if name == "<listcomp>":
            name = places[1][2]
        sums = total.setdefault(name, [0, 0])
        sums[0] += allocated
        sums[1] += live
    return total, dropped


def near(value, wanted):
    return 0.8 * wanted < value < 1.25 * wanted


total, dropped = watched(keeps, 1000)
print("keeps", near(total["keeps"][0], 1056_000), near(total["keeps"][1], 1056_000), dropped)
kept.clear()

total, dropped = watched(wastes, 1000)
print("wastes", near(total["wastes"][0], 1056_000), total["wastes"][1] < 100_000, dropped)

total, dropped = watched(small, 1000)
print("small", near(total["small"][0], 100 * 32 * 1000 + 1000 * 2000), total["small"][1] < 100_000)

# Objects freed by hand, moved and grown in place are followed, too.
total, dropped = watched(grows, 20)
print("grows", total["grows"][0] > 2_000_000, total["grows"][1] < 200_000)

# A sample for every block; more than can be followed is counted.
big = []
total, dropped = watched(lambda: big.append([]), 20000, 32)
print("all", near(total["<lambda>"][0] + dropped, 20000 * 64 + 500_000), dropped > 0)
del big

# Sizes are told apart.
gc.collect()
_prof.sites_start(32)
x = [bytes(100) for _ in range(50)], [bytes(300) for _ in range(50)]
_prof.sites_stop()
print({128, 320} <= {size for _, _, size, _ in _prof.sites()})

# gc.threshold() is what it was, automatic collection works.
gc.threshold(100000)
_prof.sites_start()
_prof.sites_stop()
print(gc.threshold())
gc.threshold(-1)

for call in (lambda: _prof.sites_start(31), lambda: _prof.sites_start(1 << 31)):
    try:
        call()
    except ValueError as e:
        print(e)
_prof.sites_start()
for call in (_prof.sites_start, _prof.sites):
    try:
        call()
    except OSError as e:
        print(e.errno)
print(_prof.sites_running())
_prof.sites_free()
print(_prof.sites_running(), list(_prof.sites()))
_prof.sites_start(64)  # and never stops: a soft reset ends it
_prof.start(1000)
