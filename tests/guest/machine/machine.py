# The machine module: what a MicroPython program expects of a board, and the checks on its memory accesses.
import machine, mem, struct

print(machine.freq() > 100000000, len(machine.unique_id()), machine.reset_cause() == machine.PWRON_RESET)
m = mem.dma(64)
machine.mem32[m.addr] = 0x12345678
print(hex(machine.mem8[m.addr]), hex(machine.mem16[m.addr + 2]), hex(machine.mem32[m.addr]))
for access in (lambda: machine.mem32[m.addr + 1], lambda: machine.mem16[m.addr + 1], lambda: machine.mem8[0],
               lambda: machine.mem32[1 << 46], lambda: machine.mem8[-1]):
    try:
        print(access())
    except Exception as e:
        print(repr(e))
try:
    machine.mem8[mem.text()[0]] = 0
except OSError as e:
    print(repr(e))
try:
    machine.freq(1000)
except NotImplementedError as e:
    print(repr(e))
rtc = machine.RTC()
saved = rtc.datetime()
print(len(saved), saved[0] > 2024)
rtc.datetime((2030, 2, 28, 0, 23, 59, 58, 0))
print(rtc.datetime()[:3], rtc.datetime()[4:7])
import time

time.sleep_ms(2100)
print(rtc.datetime()[:3], rtc.datetime()[4:6])
rtc.datetime(saved)
