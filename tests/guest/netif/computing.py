# lwIP's timers go on while a program computes and waits for nothing: a connection attempt is repeated, and given up by nobody.
import array, socket, struct, time
import mem, netif

MAC, PEER = b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02"


class Card:
    mac = MAC
    mtu = 1500
    csum = False

    def __init__(self):
        self.buffer = mem.dma(4096)
        self.tx = array.array("Q", [self.buffer.addr])
        self.sent = []

    def transmit(self, length, csum):
        self.sent.append(bytes(self.buffer.view[:length]))


card = Card()
en = netif.Netif(card)
frame = mem.dma(4096)
en.ipv4("10.0.0.1", "255.255.255.0", "10.0.0.2")
en.active(True, True)
arp = MAC + PEER + b"\x08\x06" + b"\x00\x01\x08\x00\x06\x04\x00\x02" + PEER + b"\x0a\x00\x00\x02" + MAC + b"\x0a\x00\x00\x01"

s = socket.socket()
s.setblocking(False)
try:
    s.connect(("10.0.0.2", 80))
except OSError:
    pass
frame.view[: len(arp)] = arp
en.input(frame.addr, len(arp), False)  # the answer to who has 10.0.0.2
card.sent.clear()
until = time.ticks_add(time.ticks_ms(), 8000)
while time.ticks_diff(until, time.ticks_ms()) > 0 and len([f for f in card.sent if f[23:24] == b"\x06"]) < 2:
    pass
syns = [f for f in card.sent if f[23:24] == b"\x06"]
print(len(syns), {f[47] for f in syns}, {f[36:38] for f in syns})
s.close()
en.remove()
