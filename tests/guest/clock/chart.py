# The boot chart names its phases in order of time, and programs can add theirs.
import clock

chart = clock.chart()
names = [name for name, _ in chart]
assert names[:7] == ["collect", "calibrate", "exit boot services", "take over", "interrupts", "python", "boot.py"], names
times = [ticks for _, ticks in chart]
assert times == sorted(times) and times[0] > 0
assert times[6] < 5 * clock.tsc_hz()
clock.mark("a mark of ours")
name, ticks = clock.chart()[-1]
assert len(clock.chart()) == len(chart) or name == "a mark of ours"  # the chart may be full
for wrong in (1, None, b"x"):
    try:
        clock.mark(wrong)
        print("accepted", wrong)
    except TypeError:
        pass
for i in range(200):
    clock.mark("many")
assert len(clock.chart()) < 200
print("ok")
