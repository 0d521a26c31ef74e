"""Host names to addresses: a resolver that asks recursive servers over UDP, and over TCP what does not fit.

Specification: RFC 1035 (7.2, 7.3), RFC 5452 (random ports and identifiers, answers checked), RFC 7766 (TCP),
RFC 6761 (localhost). The questions for IPv4 and for IPv6 go out together. Servers arrive as an argument. Leaves
out: a cache, search domains, multicast DNS, DNSSEC; dnswire.py has the messages.
"""

# SPDX-License-Identifier: BSD-3-Clause

import asyncio
import os

from micropython import const

from net import dnswire, ipaddr, udp

PORT = const(53)
_WAITS_MS = (1000, 2000, 4000)  # for each server in turn, round by round
_TCP_MS = const(5000)
_TOTAL_MS = const(20000)
_ALIASES = const(8)  # questions that one name may lead to
_SERVERS = const(4)


class DNSError(OSError):
    """No address for the name; the text says why, in one line."""


def servers_of(text):
    """-> list of (address, port) from `1.1.1.1,2606:4700::1111,10.0.0.2#5353`. Raises ValueError."""
    out = []
    for word in text.replace(",", " ").split():
        address, mark, port = word.partition("#")
        if ipaddr.parse(address) is None:
            raise ValueError("%s is no IP address" % address)
        if mark and (port.strip("0123456789") or not 1 <= len(port) <= 5 or not 1 <= int(port) <= 65535):
            raise ValueError("%s is no port" % (port or "nothing"))
        out.append((address, int(port) if mark else PORT))
    return out


async def resolve(host, servers):
    """-> list of addresses as text, IPv4 first, each once. Never empty.

    servers: list of (address as text, port), of which the first few are asked.
    Raises ValueError: not a name; DNSError: no answer, or no address.
    """
    address = ipaddr.parse(host)
    if address is not None:
        return [ipaddr.text(address)]
    name = dnswire.encode_name(host)
    if name.lower().endswith(b"\x09localhost\0"):
        return ["127.0.0.1", "::1"]
    if not servers:
        raise DNSError("no name servers")
    results = await asyncio.gather(_try(name, dnswire.A, servers), _try(name, dnswire.AAAA, servers))
    addresses = [ipaddr.text(a) for found, _ in results for a in found]
    if not addresses:
        raise DNSError("%s: %s" % (host, results[0][1] or results[1][1] or "has no address"))
    return addresses


async def _try(name, kind, servers):
    """-> (addresses, None), or ([], why there are none; None where the name has none of this kind)."""
    try:
        return await asyncio.wait_for_ms(_lookup(name, kind, servers), _TOTAL_MS), None
    except asyncio.TimeoutError:
        return [], _SILENCE
    except DNSError as e:
        return [], e.args[0]


async def _lookup(name, kind, servers):
    """-> addresses (bytes) of a name in wire form; follows aliases that the servers do not."""
    for _ in range(_ALIASES):
        answer = await _ask_all(name, kind, servers)
        if answer.rcode == dnswire.NXDOMAIN:
            raise DNSError("no such name")
        if answer.alias is None:
            return answer.addresses
        name = answer.alias
    raise DNSError("aliases without end")


async def _ask_all(name, kind, servers):
    """-> the first Answer that says something: NOERROR or NXDOMAIN."""
    why = _SILENCE
    for wait_ms in _WAITS_MS:
        for server in servers[:_SERVERS]:
            try:
                answer = await _ask(name, kind, server, wait_ms)
            except OSError:
                continue  # silent, or not reachable
            if answer.rcode in (dnswire.NOERROR, dnswire.NXDOMAIN):
                return answer
            why = "name server %s says %s" % (server[0], _RCODES.get(answer.rcode, "code %d" % answer.rcode))
    raise DNSError(why)


async def _ask(name, kind, server, wait_ms):
    """-> one server's Answer. Raises OSError."""
    for edns in (True, False):
        ident = int.from_bytes(os.urandom(2), "little")
        message = dnswire.query(ident, name, kind, edns)

        def accept(data):
            try:
                return dnswire.parse(data, ident, name, kind)
            except dnswire.MessageError:
                return None  # forged or broken: the right one may still come

        answer = await udp.ask(server, message, accept, wait_ms)
        if answer.truncated:
            answer = accept(await _over_tcp(server, message))
            if answer is None or answer.truncated:
                raise OSError(5)  # EIO
        if answer.rcode not in (dnswire.FORMERR, dnswire.NOTIMP, dnswire.BADVERS):
            break  # else it may not know EDNS: RFC 6891, 6.2.2
    return answer


async def _over_tcp(server, message):
    try:
        return await asyncio.wait_for_ms(_exchange(server, message), _TCP_MS)
    except (asyncio.TimeoutError, EOFError):
        raise OSError(110)  # ETIMEDOUT


async def _exchange(server, message):
    stream, _ = await asyncio.open_connection(server[0], server[1])
    try:
        stream.write(len(message).to_bytes(2, "big") + message)
        await stream.drain()
        head = await stream.readexactly(2)
        return await stream.readexactly(head[0] << 8 | head[1])
    finally:
        stream.close()
        await stream.wait_closed()


_SILENCE = "no answer from any name server"
_RCODES = {1: "that it does not understand", 2: "that it failed", 4: "that it cannot", 5: "that it refuses"}
