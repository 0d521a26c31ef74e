"""Commands of the network: its cards, and what state they are in."""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import CommandError, command

_interface = None  # the one that is up


@command("net", "", "show network interfaces")
def net(ctx):
    from shell.table import table

    if not _interface:
        return "no network, start it with `net-virtio`\n"
    rows = [("Interface", _interface.name), ("MAC", _mac(_interface.nic.mac)), ("MTU", str(_interface.nic.mtu))]
    rows.append(("Link", "up" if _interface.link() else "down"))
    rows += [("Address", "%s/%d" % pair) for pair in _interface.addresses()]
    rows.append(("Gateway", _interface.gateway() or "none"))
    rows += [(name[0].upper() + name[1:], str(count)) for name, count in _interface.counters()]
    rows += [(name, str(value)) for name, value in _interface.nic.stats().items()]
    return table(rows)


@command("net-down", "", "stop networking")
def net_down(ctx):
    if not _interface:
        raise CommandError("no network to stop")
    _stop()


@command("net-virtio", "(<ip>)? (<mask>)? (<gw>)?", "start VirtIO networking")
@command("virtio-net", "(<ip>)? (<mask>)? (<gw>)?", "net-virtio, as it was called")
def net_virtio(ctx, ip, mask, gw):
    """Three forms: none (DHCP), <ip> <mask> <gw>, and <ip/prefix> <mac or :> <gw>."""
    import efi

    from drivers import pci, virtio, virtio_net

    if efi.boot_services():
        raise CommandError("the firmware has the devices, `exit-boot-services` takes them over")
    given = _given(ip, mask, gw)
    _stop()
    try:
        nic = virtio_net.probe(pci.functions(pci.config(efi.rsdp())))
    except virtio.VirtioError as e:
        raise CommandError("network card: %s" % e)
    if not nic:
        raise CommandError("no VirtIO network card")
    return _start("virtio", nic, given)


def _start(name, nic, given):
    global _interface
    from net.iface import Interface

    if given and given[3]:
        nic.mac = given[3]
    interface = Interface(name, nic)
    try:
        interface.up()
        if given:
            interface.static(*given[:3])
        else:
            interface.dhcp()
    except BaseException:  # also Ctrl-C: half a network is none
        interface.down()
        raise
    _interface = interface
    return "network initialized (%s/%d %s)\n" % (interface.addresses()[0] + (_mac(nic.mac),))


def _stop():
    global _interface
    if _interface:
        interface, _interface = _interface, None
        interface.down()


def _given(ip, mask, gw):
    """-> (address, mask, gateway, MAC or None), or None where nothing was given."""
    if ip is None:
        return None
    if gw is None:
        raise CommandError("give all of address, mask and gateway, or none")
    if "/" not in ip:
        return ip, mask, gw, None
    ip, _, prefix = ip.partition("/")
    if not prefix.isdigit() or int(prefix) > 32:
        raise CommandError("invalid prefix length")
    bits = 0xFFFFFFFF << 32 - int(prefix) & 0xFFFFFFFF
    return ip, ".".join([str(bits >> shift & 255) for shift in (24, 16, 8, 0)]), gw, _parse_mac(mask)


def _parse_mac(text):
    """-> 6 bytes; ":" makes a random one, locally administered."""
    import os

    if text == ":":
        mac = bytearray(os.urandom(6))
        mac[0] = mac[0] & 0xFC | 2
        return bytes(mac)
    try:
        mac = bytes([int(part, 16) for part in text.split(":")])
    except ValueError:
        mac = b""
    if len(mac) != 6 or mac[0] & 1:
        raise CommandError("invalid MAC")
    return mac


def _mac(mac):
    return ":".join(["%02x" % b for b in mac])
