# ticks_*: units agree with one another, differences wrap, time() and localtime() agree with the epoch of 1970.
import time

a_ms, a_us = time.ticks_ms(), time.ticks_us()
time.sleep_ms(250)
ms, us = time.ticks_diff(time.ticks_ms(), a_ms), time.ticks_diff(time.ticks_us(), a_us)
assert 250 <= ms < 400 and abs(us - ms * 1000) < 20000, (ms, us)
assert time.ticks_diff(time.ticks_add(a_ms, 1000), a_ms) == 1000
assert time.ticks_diff(time.ticks_add(a_ms, -5), a_ms) == -5
assert time.ticks_cpu() != time.ticks_cpu()
seconds, ns = time.time(), time.time_ns()
assert abs(ns / 1e9 - seconds) < 0.1
print(time.gmtime(0), time.localtime(951782400), time.gmtime(4102444799))
print(time.mktime((2000, 2, 29, 0, 0, 0, 0, 0)), time.mktime((1970, 1, 1, 0, 0, 0, 0, 0)), time.mktime((2038, 1, 19, 3, 14, 8, 0, 0)))
assert time.localtime()[:5] == time.gmtime(time.time())[:5]
for t in (0, 86399, 951868799, 1709164800, 4102444800):
    assert time.mktime(time.gmtime(t)) == t
