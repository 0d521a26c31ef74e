# _prof finds what runs: a busy function, recursion however deep, generators, machine code, C functions; and idle time.
import time

import _prof


def sampled(function, *args, hz=1000, size=1 << 19):
    """-> what was found while function(*args) ran: {innermost function: samples}, and all samples."""
    _prof.start(hz, size)
    try:
        function(*args)
    finally:
        _prof.stop()
    found = list(_prof.samples())
    total = {}
    for count, leaf, places in found:
        name = leaf if leaf and leaf[0] == "(" else places[0][2]
        total[name] = total.get(name, 0) + count
    return total, found


def for_ms(ms, step):
    end = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        step()


def share(total, *names):
    return sum([count for name, count in total.items() if name in names]) / (sum(total.values()) or 1)


# A busy function is on top, its caller below it, with the lines that they stand at.
def busy():
    x = 0
    for i in range(20000):
        x ^= i << 1 & 0xFF
    return x


total, found = sampled(for_ms, 400, busy)
samples, idle, dropped, ns = _prof.counts()
print("busy", share(total, "busy") > 0.8, samples > 20, dropped * 20 < samples, ns > 400_000_000)
busiest = max(found)[2]
print([name for _, _, name in busiest[:3]], busiest[0][0], 34 <= busiest[0][1] <= 36)
print(sum([count for count, _, _ in found]) + dropped == samples)


# Waiting is counted apart.
total, found = sampled(time.sleep_ms, 300)
samples, idle, dropped, ns = _prof.counts()
print("idle", idle > 20, samples < idle / 2)


# Recursion deeper than a sample: its innermost part, and a mark.
def deep(n):
    return busy() if n == 0 else deep(n - 1)


total, found = sampled(for_ms, 400, lambda: deep(200))
deeper = [places for _, _, places in found if len(places) == 129]
print("deep", len(deeper) > 0, {places[-1][2] for places in deeper}, deeper[0][3][2])


# Generators: those that run, below them who resumed them.
def numbers():
    for i in range(10000):
        yield i * i


def consumer():
    return sum(numbers())


total, found = sampled(for_ms, 400, consumer)
chains = [[name for _, _, name in places[:2]] for _, _, places in found]
print("generator", share(total, "numbers", "consumer") > 0.8, ["numbers", "consumer"] in chains)


# C functions, and functions compiled to machine code.
data = list(range(5000, 0, -1))
text = bytes(100000)
total, found = sampled(for_ms, 300, lambda: text.find(b"\1"))
top = max(found)
print("C", top[1] in ("find_subbytes", "memchr", "memmem", "memcmp"), top[2][0][2], top[1])


@micropython.viper
def native(n: int) -> int:
    x = 0
    for i in range(n):
        x ^= i
    return x


total, found = sampled(for_ms, 300, lambda: native(100000))
print("machine code", share(total, "(machine code)") > 0.8)

# Room for few chains: what finds none is counted.
def spread(n):
    return sum([i for i in range(50)]) if n == 0 else spread(n - 1)


depth = [0]


def next_depth():
    depth[0] = (depth[0] + 1) % 100
    spread(depth[0])


total, found = sampled(for_ms, 600, next_depth, size=4096)
samples, idle, dropped, ns = _prof.counts()
print("full", dropped > 0, sum([count for count, _, _ in found]) + dropped == samples)

# Wrong use
for call in (lambda: _prof.start(0), lambda: _prof.start(10001), lambda: _prof.start(100, 100), lambda: _prof.start(100, 1 << 40)):
    try:
        call()
    except ValueError as e:
        print(e)
_prof.start()
try:
    _prof.start()
except OSError as e:
    print(e)
try:
    _prof.samples()
except OSError as e:
    print(e)
print(_prof.running())
_prof.stop()
_prof.stop()
iterator = _prof.samples()
_prof.free()
print(list(iterator), _prof.running(), _prof.counts()[0] >= 0)
print(_prof.symbol(0))
