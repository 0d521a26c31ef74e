"""The network of this machine: which card is up, at which addresses, and which servers stand on it.

One card at a time. Whoever starts it again, from whatever session, gets it set up anew; that is done by
a task of its own, so that it is finished even where it cuts off the session that asked for it.
"""

# SPDX-License-Identifier: BSD-3-Clause

import asyncio

from _repl import HARDENED
from micropython import const

from net.iface import Interface
from shell import names
from shell.registry import CommandError

IPV6_PREFIX = const(64)  # bits; lwIP knows no other

interface = None  # net.iface.Interface that is up or comes up, or None
_host = None  # the address that it is known by, as text
servers = ()  # (URL without its host, server) of what `debug` started
_job = None  # the task that brings it up


class Addresses:
    """Addresses as text, mask None for those of IPv6, and a MAC (6 bytes) in place of the card's own, or None."""

    def __init__(self, address, mask, gateway, mac=None):
        self.address = address
        self.mask = mask
        self.gateway = gateway
        self.mac = mac


async def start(ctx, name, make_nic, addresses, debug):
    """Bring up the card that make_nic() gives, in place of what was up. -> what the user is told.

    addresses: Addresses, or None to ask DHCP. debug: start the debug servers. Cancelled by Ctrl-C, it
    leaves no network. Raises CommandError, OSError and the driver's errors.
    """
    global _job
    done = asyncio.Event()
    outcome = []

    async def work():
        try:
            outcome.append(await _start(name, make_nic, addresses, debug))
        except asyncio.CancelledError:
            raise
        except Exception as e:
            outcome.append(e)
        finally:
            done.set()

    stop()
    job = _job = asyncio.create_task(work())
    try:
        await done.wait()
    except asyncio.CancelledError:
        if ctx.interrupted:
            job.cancel()
        raise
    if not outcome:
        raise CommandError("another session stopped it")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def attach(name, nic, addresses=None):
    """Bring up a card where none is, after stop(). -> its net.iface.Interface. Raises ValueError and the driver's errors.

    addresses: Addresses, or None. Given before the card starts, they are there for the first frame that comes in.
    """
    global interface
    interface = fresh = Interface(name, nic, _report)
    try:
        if addresses:
            fresh.static(addresses.address, addresses.mask, addresses.gateway)
        fresh.up()
        names.tell_sockets()
    except BaseException:  # also Ctrl-C: half a card is none
        if interface is fresh:
            stop()
        raise
    return fresh


async def _start(name, make_nic, addresses, debug):
    global _host
    nic = make_nic()
    if addresses and addresses.mac:
        nic.mac = addresses.mac
    fresh = attach(name, nic, addresses)
    try:
        if not addresses:
            await fresh.dhcp()
        first = (addresses.address, IPV6_PREFIX) if addresses and addresses.mask is None else fresh.addresses()[0]
        _host = first[0]
        told = _serve() if debug else ""
    except BaseException:  # also cancellation: half a network is none
        if interface is fresh:
            stop()
        raise
    return "%snetwork initialized (%s/%d %s)\n" % ((told,) + first + (mac_text(nic.mac),))


def _report(text):
    """Say on the console what befell a card."""
    print("\n" + text)


def stop():
    """Stop the servers and the card, if they run, and who brings them up."""
    global interface, servers, _job
    job, _job = _job, None
    if job and job is not asyncio.current_task() and not job.done():
        job.cancel()
    old, servers = servers, ()
    for _, server in old:
        server.close()
    gone, interface = interface, None
    if gone:
        gone.down()


def _serve():
    """Start the debug servers. -> what the user is told of them."""
    global servers
    from shell import profiles, remote

    if HARDENED:  # profiles are for everybody who asks
        try:
            servers = (("ssh://%s:22", remote.start()),)
        except CommandError as e:
            return "no debug servers: %s\n" % e
        return "starting debug servers:\n        %s\n" % urls()[0]
    servers = (("http://%s:80/debug/pprof", profiles.start()),)
    console = remote.start()
    servers += (("ssh://%s:22", console),)
    warning = "WARNING: without authorized_keys the SSH console is open to everybody who can reach it\n"
    return "%sstarting debug servers:\n%s" % (warning if console.open else "", "".join(["        %s\n" % url for url in urls()]))


def urls():
    """-> the addresses of the servers that run."""
    host = "[%s]" % _host if servers and ":" in _host else _host
    return [url % host for url, _ in servers]


def mac_text(mac):
    """-> da:e7:ac:e2:5e:05"""
    return ":".join(["%02x" % b for b in mac])
