# The time stamp counter runs on; RDRAND gives 64 bits that differ; halt() returns at an interrupt.
import clock, cpu, time

last = cpu.rdtsc()
for _ in range(1000):
    now = cpu.rdtsc()
    assert now > last
    last = now
assert len({cpu.rdrand() for _ in range(100)}) == 100
ones = sum(bin(cpu.rdrand()).count("1") for _ in range(1000))
assert 31000 < ones < 33000, ones  # 32000 expected, standard deviation 126
time.sleep_ms(100)
start, ticks = clock.ns(), cpu.rdtsc()
time.sleep_ms(300)
hz = (cpu.rdtsc() - ticks) * 1000000000 // (clock.ns() - start)
assert abs(hz - clock.tsc_hz()) < clock.tsc_hz() // 200, (hz, clock.tsc_hz())
print("ok")
