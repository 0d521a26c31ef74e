"""A network interface: a driver of a card below lwIP, its addresses, and what runs when frames come in.

The card arrives as an argument (drivers/virtio_net.py says what one is). Frames are handled where the
interrupt's function is called, between two bytecodes of whatever runs: at most _ROUNDS * _BUDGET of
them, the others when the scheduler comes by again, so that a flood leaves time to everybody else.
"""

# SPDX-License-Identifier: BSD-3-Clause

import asyncio
import time

import micropython
import netif
from micropython import const

from net import ipaddr

_BUDGET = const(64)  # frames of one poll
_ROUNDS = const(4)
_DHCP_MS = const(10000)


class Interface:
    """One card in use."""

    def __init__(self, name, nic, report=None):
        """report(text): called once, should the card be given up."""
        self.name = name
        self.nic = nic
        self._report = report
        self._netif = netif.Netif(nic)
        self._input = self._netif.input
        self._again = self._more
        self._link = False

    def up(self):
        """Start the card and the interface on it, then let frames in: the first may be for us already."""
        self.nic.start(self._event, self._netif)
        self._link = self.nic.link()
        self._netif.active(True, self._link)
        self.nic.open()

    def down(self):
        """Stop the card, and forget the interface; connections over it fail."""
        self._netif.remove()
        self.nic.stop()

    # -- addresses -----------------------------------------------------------------------------

    def static(self, address, mask, gateway):
        """Use addresses as given, as text; of IPv6 (whose mask is None) beside what routers announce. ValueError: one is none."""
        _check(16 if mask is None else 4, address, gateway)
        if mask is None:
            self._netif.ipv6(address, gateway)
            return
        holes = ~int.from_bytes(_check(4, mask), "big") & 0xFFFFFFFF
        if holes & holes + 1:
            raise ValueError("%s is no network mask" % mask)
        self._netif.ipv4(address, mask, gateway)

    async def dhcp(self, timeout_ms=_DHCP_MS):
        """Ask for IPv4 addresses and wait for them. OSError(ETIMEDOUT): nobody answered; the client goes on asking."""
        self._netif.ipconfig(dhcp4=True)
        start = time.ticks_ms()
        while not self._netif.ipconfig("has_dhcp4"):
            if time.ticks_diff(time.ticks_ms(), start) > timeout_ms:
                raise OSError(110)  # ETIMEDOUT
            await asyncio.sleep_ms(10)

    def ipconfig(self, *query, **values):
        """As MicroPython's nic.ipconfig, of one name at a time; static() is for addr4 and gw4."""
        return self._netif.ipconfig(*query, **values)

    def addresses(self):
        """-> list of (address, prefix length), IPv4 first."""
        return self._netif.addresses()

    def mtu(self):
        """-> bytes of a packet: the card's MTU, or a smaller one that DHCP told."""
        return self._netif.mtu()

    def gateway(self):
        """-> the IPv4 gateway as text, else the one of IPv6 that was given, or None."""
        return self._netif.gateway()

    def link(self):
        """-> True while the cable is in, as far as was seen."""
        return self._link

    def counters(self):
        """-> list of (name, count): the card's, then those of the whole stack that are not 0."""
        names = ("frames received", "frames sent", "bytes received", "bytes sent", "dropped on the way in", "dropped on the way out", "errors")
        stack = [(name.replace("_", " ").replace("tcp", "TCP").replace("ip ", "IP "), count) for name, count in netif.stats() if count]
        return list(zip(names, self._netif.counters())) + stack

    # -- frames --------------------------------------------------------------------------------

    def _event(self):
        poll, handle = self.nic.poll, self._input
        for _ in range(_ROUNDS):
            if poll(handle, _BUDGET) < _BUDGET:
                self._look()
                break
        else:
            micropython.schedule(self._again, None)
        self._netif.settle()

    def _more(self, _):
        netif.shield(self._event)

    def _look(self):
        """No frame is left: the link may have changed, or the card broken, or somebody wants to see us."""
        nic = self.nic
        link = nic.link()
        if nic.asked:
            self._netif.active(True, False)  # up again, the stack tells its neighbours where we are
            self._netif.active(True, link)
            nic.announced()
        elif link != self._link:
            self._netif.active(True, link)
        self._link = link
        if nic.broken and self._report:
            report, self._report = self._report, None
            report("%s: %s, the card was stopped" % (self.name, nic.broken))


def _check(length, *texts):
    """-> the bytes of the last. Raise ValueError for what is no address of that many bytes; lwIP would take 010.1 and fd00::x for some."""
    for text in texts:
        data = ipaddr.parse(text)
        if data is None or len(data) != length:
            raise ValueError("%s is no IPv%d address" % (text, 4 if length == 4 else 6))
    return data
