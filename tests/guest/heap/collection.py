# A collection takes as long as what is in use asks for, not as long as the memory once in use or never used would.
import gc, time


def collect_us():
    times = []
    for _ in range(5):
        start = time.ticks_us()
        gc.collect()
        times.append(time.ticks_diff(time.ticks_us(), start))
    return sorted(times)[2]


gc.collect()
small = collect_us()
assert small < 20000, small  # 256 MiB are there, a fraction of one is in use
blocks = [bytearray(4 << 20) for _ in range(30)]
used = collect_us()
del blocks
gc.collect()
after = collect_us()
assert after < used // 3 + 1000, (small, used, after)
print("ok")
