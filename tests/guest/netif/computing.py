# lwIP's timers go on while a program computes and waits for nothing: a connection attempt is repeated, and given up by nobody.
# with: netcard
import socket, time
from netcard import ARP_ANSWER, Link

link = Link()
link.up()
s = socket.socket()
s.setblocking(False)
try:
    s.connect(("10.0.0.2", 80))
except OSError:
    pass
link.give(ARP_ANSWER)
link.card.sent.clear()
until = time.ticks_add(time.ticks_ms(), 8000)
while time.ticks_diff(until, time.ticks_ms()) > 0 and len([f for f in link.card.sent if f[23:24] == b"\x06"]) < 2:
    pass
syns = [f for f in link.card.sent if f[23:24] == b"\x06"]
print(len(syns), {f[47] for f in syns}, {f[36:38] for f in syns})
s.close()
link.en.remove()
