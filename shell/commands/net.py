"""Commands of the network: its cards, and what state they are in."""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import CommandError, command

_IPV4_BITS = 32


@command("net", "(<ip> <mac> <gw>)? (debug)?", "show networking, or net-uefi", waits=True)
async def net(ctx, ip, mac, gw, debug):
    """Without arguments, what there is; with them net-uefi, as it was called."""
    if ip or debug:
        return await net_uefi(ctx, ip, mac, gw, debug)
    from shell import network
    from shell.table import table

    interface = network.interface
    if not interface:
        return "no network, start it with `net-virtio`\n"
    rows = [("Interface", interface.name), ("MAC", network.mac_text(interface.nic.mac)), ("MTU", str(interface.mtu()))]
    rows.append(("Link", "up" if interface.link() else "down"))
    rows += [("Address", "%s/%d" % pair) for pair in interface.addresses()]
    rows.append(("Gateway", interface.gateway() or "none"))
    rows += [("Server", url) for url in network.urls()]
    rows += [("SSH host key", server.fingerprint) for _, server in network.servers if hasattr(server, "fingerprint")]
    rows += [(name[0].upper() + name[1:], str(count)) for name, count in interface.counters()]
    rows += [(name, str(value)) for name, value in interface.nic.stats().items()]
    return table(rows)


@command("net-down", "", "stop networking")
def net_down(ctx):
    from shell import network

    if not network.interface:
        raise CommandError("no network to stop")
    network.stop()


@command("net-virtio", "(<ip> <mask> <gw>)? (debug)?", "start VirtIO networking", waits=True)
@command("virtio-net", "(<ip> <mask> <gw>)? (debug)?", "net-virtio, as it was called", waits=True)
async def net_virtio(ctx, ip, mask, gw, debug):
    """Three forms: none (DHCP), <ip> <mask> <gw>, and <ip/prefix> <mac or :> <gw>, also of IPv6; behind each, `debug`."""
    from shell import cards, network

    cards.virtio.check()
    return await network.start(ctx, "virtio", cards.virtio.probe, _given(ip, mask, gw), debug)


@command("net-uefi", "(<ip> <mac> <gw>)? (debug)?", "start UEFI networking", waits=True)
async def net_uefi(ctx, ip, mac, gw, debug):
    """The card that the firmware drives, in firmware mode. Forms as net-virtio's; a MAC of ":" is a random one."""
    from shell import cards, network

    cards.uefi.check()
    return await network.start(ctx, "uefi", cards.uefi.probe, _given(ip, mac, gw), debug)


def _given(ip, mask, gw):
    """-> network.Addresses, or None where nothing was given."""
    from shell import network

    if ip is None:
        return None
    if "/" not in ip:
        return network.Addresses(ip, mask, gw)
    ip, _, prefix = ip.partition("/")
    if ":" in ip:
        if prefix != str(network.IPV6_PREFIX):
            raise CommandError("an IPv6 prefix has 64 bits here")
        return network.Addresses(ip, None, gw, _mac(mask))
    if not prefix.isdigit() or int(prefix) > _IPV4_BITS:
        raise CommandError("invalid prefix length")
    bits = 0xFFFFFFFF << _IPV4_BITS - int(prefix) & 0xFFFFFFFF
    dotted = ".".join([str(bits >> shift & 255) for shift in (24, 16, 8, 0)])
    return network.Addresses(ip, dotted, gw, _mac(mask))


def _mac(text):
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
