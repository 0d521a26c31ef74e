# machine.idle() returns after a millisecond at the latest, machine.lightsleep(ms) after its time.
import machine, time

start = time.ticks_ms()
for _ in range(20):
    machine.idle()
assert time.ticks_diff(time.ticks_ms(), start) < 500
start = time.ticks_ms()
machine.lightsleep(50)
assert 50 <= time.ticks_diff(time.ticks_ms(), start) < 150
print("ok")
