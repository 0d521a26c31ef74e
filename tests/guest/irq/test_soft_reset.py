"""A soft reset in whose middle an alarm rings: what waits to be called softly is forgotten, and the machine lives on."""

import rawrepl

# A card that takes half a second to stop, in machine code, which calls nothing softly; lwIP's timers ring meanwhile.
SLOW_CARD = """
import array, mem, micropython, netif, socket

class Card:
    mac, mtu, csum = b"\\x02\\0\\0\\0\\0\\1", 1500, False
    def __init__(self):
        self.buffer = mem.dma(4096)
        self.tx = array.array("Q", [self.buffer.addr])
    def transmit(self, length, csum):
        pass
    @micropython.viper
    def stop(self):
        i = 0
        while i < 200000000:
            i += 1

interface = netif.Netif(Card())
interface.ipv4("10.0.0.1", "255.255.255.0", "10.0.0.2")
interface.active(True, True)
s = socket.socket()
s.setblocking(False)
try:
    s.connect(("10.0.0.9", 80))
except OSError as e:
    print(e.errno)
"""


def test_alarm_during_a_soft_reset(vm):
    for _ in range(2):
        assert rawrepl.run(vm, SLOW_CARD) == ("115\n", "")  # EINPROGRESS
        rawrepl.enter(vm)
        rawrepl.leave(vm)
    assert rawrepl.run(vm, "print(6 * 7)") == ("42\n", "")
