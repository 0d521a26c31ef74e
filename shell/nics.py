"""The classes of the module network, one for each kind of card, with the methods that MicroPython's ports have.

    nic = network.VirtIO()
    nic.active(True)                    # asks DHCP, as the shell's net-virtio does
    while not nic.isconnected(): ...

They and the shell speak of one interface, that of shell/network.py: `net` shows it, net-down stops it, and a second
card takes the place of the first. Specification: MicroPython 1.25, docs/library/network.rst and network.LAN.rst.
Leaves out: connect() and scan(), which a wire does not need; country codes have no effect.
"""

# SPDX-License-Identifier: BSD-3-Clause

import time

from micropython import const

from net import ipaddr
from shell import cards, network

_WAIT_MS = const(10000)  # of ifconfig("dhcp"), as elsewhere
_IPV4_BITS = const(32)

# status(): as network.LAN's
_OFF = const(0)
_NO_LINK = const(1)
_NO_ADDRESS = const(2)
_READY = const(3)


class _Card:
    """The card of one kind. All its objects are about the same one."""

    _mac = None  # in place of the card's own; for the next active(True)

    def active(self, up=None):
        """Start the card (and ask DHCP) or stop it; without an argument, -> whether it is started. OSError: there is none."""
        if up is None:
            return self._interface() is not None
        if not up:
            if self._interface():
                network.stop()
        elif not self._interface():
            self._kind.check()
            network.stop()
            nic = self._kind.probe()
            if self._mac:
                nic.mac = self._mac
            network.attach(self._name, nic).ipconfig(dhcp4=True)

    def isconnected(self):
        """-> True when the cable is in and there is an address that reaches beyond it."""
        return self.status() == _READY

    def status(self):
        """-> 0: not active, 1: no cable, 2: no address yet, 3: ready."""
        interface = self._interface()
        if not interface:
            return _OFF
        if not interface.link():
            return _NO_LINK
        return _READY if [a for a, _ in interface.addresses() if not _is_link_local(a)] else _NO_ADDRESS

    def config(self, *query, **values):
        """-> the value of "mac" or "mtu"; or set mac=, before active(True)."""
        if values:
            if query or list(values) != ["mac"]:
                raise ValueError("unknown config param")
            if self._interface():
                raise OSError("the card is active")
            if len(values["mac"]) != 6 or values["mac"][0] & 1:
                raise ValueError("invalid MAC")
            type(self)._mac = bytes(values["mac"])
        elif query == ("mac",):
            return bytes(self._started().nic.mac)
        elif query == ("mtu",):
            return self._started().mtu()
        elif query:
            raise ValueError("unknown config param")
        else:
            raise TypeError("must query one param")

    def ipconfig(self, *query, **values):
        """-> the value of one of addr4, gw4, dhcp4, has_dhcp4, addr6, autoconf6, has_autoconf6; or set the first three and addr6, autoconf6."""
        interface = self._started()
        if not values:
            if query == ("has_autoconf6",):
                # addr6: (address, state, preferred s, valid s) of each; those that do not age are ours.
                return bool([a for a in interface.ipconfig("addr6") if a[3] and not _is_link_local(a[0])])
            return interface.ipconfig(*query)
        if query:
            raise TypeError("can't specify pos and kw args")
        if "addr4" in values or "gw4" in values:
            self._static(interface, values.pop("addr4", None), values.pop("gw4", None))
        for key in values:
            interface.ipconfig(**{key: values[key]})  # one at a time: lwIP's glue looks at the first name only

    def ifconfig(self, config=None):
        """-> (address, mask, gateway, name server); or set all four, or "dhcp" and wait for the lease."""
        import netif

        interface = self._started()
        if config is None:
            servers = netif.dns_servers()
            return interface.ipconfig("addr4") + (interface.ipconfig("gw4"), servers[0] if servers else "0.0.0.0")
        if config == "dhcp":
            interface.ipconfig(dhcp4=True)
            return self._wait(interface)
        address, mask, gateway, server = config
        interface.static(address, mask, gateway)
        netif.dns_servers([server] if server != "0.0.0.0" else [])

    def __repr__(self):
        return "<%s %d %s>" % (type(self).__name__, self.status(), " ".join([a for a, _ in self._interface().addresses()]) if self.active() else "")

    def _interface(self):
        interface = network.interface
        return interface if interface and interface.name == self._name else None

    def _started(self):
        interface = self._interface()
        if not interface:
            raise OSError("the card is not active")
        return interface

    @staticmethod
    def _wait(interface):
        start = time.ticks_ms()
        while not interface.ipconfig("has_dhcp4"):
            if time.ticks_diff(time.ticks_ms(), start) > _WAIT_MS:
                raise OSError("timeout waiting for DHCP to get IP address")
            time.sleep_ms(10)

    @staticmethod
    def _static(interface, address, gateway):
        """Set what is given and keep the rest. address: "10.0.0.1/24", "10.0.0.1" or (address, mask)."""
        old_address, mask = interface.ipconfig("addr4")
        if isinstance(address, str):
            address, slash, prefix = address.partition("/")
            mask = _mask(prefix) if slash else mask
        elif address is not None:
            address, mask = address
        interface.static(address or old_address, mask, gateway or interface.ipconfig("gw4"))


class VirtIO(_Card):
    """The first VirtIO network card."""

    _name = "virtio"
    _kind = cards.virtio


class UEFI(_Card):
    """The network card that the firmware drives, in firmware mode."""

    _name = "uefi"
    _kind = cards.uefi


def _mask(prefix):
    if not prefix or prefix.strip("0123456789") or int(prefix) > _IPV4_BITS:
        raise ValueError("invalid prefix length")
    return ipaddr.text((0xFFFFFFFF << _IPV4_BITS - int(prefix) & 0xFFFFFFFF).to_bytes(4, "big"))


def _is_link_local(address):
    data = ipaddr.parse(address)
    return len(data) == 16 and data[0] == 0xFE and data[1] & 0xC0 == 0x80
