"""Names and time for the shell: which name servers and time servers to ask, and the asking.

Options (docs/boot.md): resolver=, in place of the servers that DHCP and router advertisements name; ntp=. Where nobody
names servers, as with addresses that a user gave, it is public ones, which hear of nothing but what is asked.
"""

# SPDX-License-Identifier: BSD-3-Clause

from micropython import const

from net import dns, ipaddr
from shell.registry import CommandError

_TIME_SERVERS = "pool.ntp.org"
_PUBLIC_SERVERS = ("8.8.8.8", "1.1.1.1")
_SOCKET_SERVERS = const(4)  # DNS_MAX_SERVERS of lwIP


def name_servers():
    """-> list of (address as text, port). Raises ValueError: the option resolver= is wrong."""
    import netif

    return _given() or [(address, dns.PORT) for address in netif.dns_servers()]


def tell_sockets():
    """Let socket.getaddrinfo() ask what we ask; of the option resolver= those at the usual port, it knows no other."""
    import netif

    given = _given()
    netif.dns_servers(_PUBLIC_SERVERS, True)
    if given:
        netif.dns_servers([address for address, port in given if port == dns.PORT][:_SOCKET_SERVERS])


def _given():
    import efi

    option = efi.option("resolver")
    if option is None:
        return None
    try:
        return dns.servers_of(option)
    except ValueError as e:
        raise ValueError("option resolver=%s: %s" % (option, e))


async def resolve(host):
    """-> list of addresses as text. Raises CommandError, ValueError, dns.DNSError."""
    from shell import network

    if ipaddr.parse(host) is None and not network.interface:
        raise CommandError("no network, start it with `net-virtio`")
    return await dns.resolve(host, name_servers())


async def set_clock(server):
    """Set the clock by NTP servers: the one given, or those of the option ntp=. -> net.sntp.Sample."""
    import clock
    import efi

    from net import sntp

    hosts = [server] if server else (efi.option("ntp") or _TIME_SERVERS).replace(",", " ").split()
    targets = []
    failure = None
    for host in hosts:
        host, port = _host_port(host, sntp.PORT)
        try:
            targets += [(address, port) for address in await resolve(host)]
        except dns.DNSError as e:
            failure = e
    if failure and not targets:
        raise failure
    sample = await sntp.measure(targets)
    clock.set_wall_ns(clock.wall_ns() + sample.offset_ns)
    return sample


def _host_port(text, default):
    """-> (host, port) of `host` or `host#port`."""
    host, mark, port = text.partition("#")
    if not mark:
        return host, default
    if not port or port.strip("0123456789") or len(port) > 5 or not 1 <= int(port) <= 65535:
        raise ValueError("%s is no port" % (port or "nothing"))
    return host, int(port)
