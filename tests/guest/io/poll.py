# select and poll on the console's buffer: timeouts, and output is always ready. Input: see test_console_input.py.
import select, sys, time

poller = select.poll()
poller.register(sys.stdin.buffer, select.POLLIN)
for ms in (0, 50, 200):
    start = time.ticks_ms()
    print(poller.poll(ms), ms <= time.ticks_diff(time.ticks_ms(), start) < ms + 150)
poller.modify(sys.stdin.buffer, select.POLLOUT)
print(len(poller.poll(0)), poller.poll(0)[0][1] == select.POLLOUT)
poller.unregister(sys.stdin.buffer)
print(select.select([sys.stdin.buffer], [sys.stdout.buffer], [], 0.05)[0:2] == ([], [sys.stdout.buffer]))
try:
    poller.register(7, select.POLLIN)
    print("registered")
except (OSError, TypeError) as e:
    print(type(e).__name__)
sys.stdin.buffer.setblocking(False)
print(sys.stdin.buffer.read(1), sys.stdin.buffer.readinto(bytearray(4)))
sys.stdin.buffer.setblocking(True)
for text in (sys.stdin, sys.stdout, sys.stderr):
    print(text, text.buffer.fileno())
print(sys.stdout.write("héllo\n"), sys.stdout.buffer.write(b"bytes\r\n"), sys.stderr.write("error\n"))
try:
    sys.stdin.write("x")
except OSError as e:
    print(repr(e))
try:
    sys.stdout.read(1)
except OSError as e:
    print(repr(e))
