# clock.ns() never goes back and does not follow the wall clock; the wall clock can be set and runs on.
import clock, time

last = clock.ns()
for _ in range(5000):
    now = clock.ns()
    assert now >= last
    last = now
wall, ns = clock.wall_ns(), clock.ns()
time.sleep_ms(100)
assert abs((clock.wall_ns() - wall) - (clock.ns() - ns)) < 5000000
for value in (0, 1, 1000000000 * 1000000000, wall):
    before = clock.ns()
    clock.set_wall_ns(value)
    assert 0 <= clock.wall_ns() - value < 50000000
    assert 0 <= clock.ns() - before < 50000000
assert 2025 < time.localtime()[0] < 2100
assert clock.tsc_hz() > 100000000, clock.tsc_hz()
assert clock.tsc_source() in ("cpuid 15h", "hypervisor", "pm timer", "pit"), clock.tsc_source()
for wrong in (-1, 1 << 63, "1", None, 1.5):
    try:
        clock.set_wall_ns(wrong)
        print("accepted", wrong)
    except (TypeError, OverflowError) as e:
        print(repr(e))
clock.set_wall_ns(wall)
