# irq.tick calls a function at a period, while a program computes and while it waits, until it is freed.
import irq, time

count = 0


def tick(number):
    global count
    count += 1


def computing(ms):
    until = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(until, time.ticks_ms()) > 0:
        pass


number = irq.tick(tick, 10)
computing(300)
print(2 <= count <= 31)
count = 0
time.sleep_ms(300)
print(2 <= count <= 31)
irq.free(number)
count = 0
computing(50)
time.sleep_ms(50)
print(count)


def bad(number):
    raise ValueError("in a tick")


number = irq.tick(bad, 20)
time.sleep_ms(30)
irq.free(number)
for ms in (0, -1, "x"):
    try:
        irq.tick(tick, ms)
    except (ValueError, TypeError) as e:
        print(type(e).__name__)
try:
    irq.free(number)
except ValueError as e:
    print(e)
