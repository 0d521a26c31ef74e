"""The time from NTP servers: one question to each, and the middle of their answers.

Specification: RFC 4330 (SNTPv4), RFC 5905 (7.3 header, 7.4 kiss codes, 8 on-wire protocol). A question carries random
bits in place of our clock: they come back in an answer, and only whoever read the question knows them. Leaves out:
authentication (RFC 8915), keeping the clock in step, leap seconds to come. So the time is as good as the network is.
"""

# SPDX-License-Identifier: BSD-3-Clause

import asyncio
import os
import struct
from collections import namedtuple

import clock
from micropython import const

from net import udp

PORT = const(123)
SERVERS_MAX = const(4)
_HEAD = const(0x23)  # no leap, version 4, client
_LEN = const(48)
_SERVER = const(4)  # mode
_UNKNOWN = const(3)  # leap indicator: the server's clock is not set
_STRATUM_MAX = const(15)
_DISTANCE_MAX = const(0x10000)  # 1 s in 16.16: RFC 5905, MAXDIST
_EPOCH = const(2208988800)  # s from 1900 to 1970
_ERA = const(0x100000000)  # s
_NS = const(1000000000)
_NOT_BEFORE_NS = 1767225600 * _NS  # 2026: there was no such program earlier
_WAITS_MS = (1000, 2000)

# offset_ns: to be added to the wall clock. delay_ns: the way there and back.
Sample = namedtuple("Sample", ("offset_ns", "delay_ns", "server", "stratum"))


class NTPError(OSError):
    """No time; the text says why, in one line."""


async def measure(servers):
    """-> the Sample in the middle of what the servers say. servers: list of (address as text, port), each asked at once.

    Raises NTPError where none gives a good answer.
    """
    outcomes = await asyncio.gather(*[_try(server) for server in servers[:SERVERS_MAX]])
    samples = sorted([outcome for outcome in outcomes if isinstance(outcome, Sample)])
    if not samples:
        raise NTPError(outcomes[0] if outcomes else "no time servers")
    return samples[len(samples) // 2]


async def _try(server):
    """-> the Sample of a server, or why there is none."""
    why = "%s does not answer" % server[0]
    for wait_ms in _WAITS_MS:
        try:
            return await _ask(server, wait_ms)
        except NTPError as e:
            return "%s %s" % (server[0], e.args[0])
        except OSError:
            pass
    return why


async def _ask(server, wait_ms):
    cookie = os.urandom(8)
    sent_ns, sent_wall_ns = clock.ns(), clock.wall_ns()

    def accept(data):
        back_ns = clock.ns()
        answer = parse(data, cookie)
        return answer and (answer, back_ns)

    (stratum, came_ns, went_ns), back_ns = await udp.ask(server, query(cookie), accept, wait_ms)
    taken_ns = back_ns - sent_ns
    delay_ns = taken_ns - (went_ns - came_ns)
    if not 0 <= went_ns - came_ns <= taken_ns or came_ns < _NOT_BEFORE_NS:
        raise NTPError("gives an impossible time")
    # The two halves of the way are taken for equally long: RFC 5905, 8.
    return Sample(came_ns - sent_wall_ns - delay_ns // 2, delay_ns, server[0], stratum)


def query(cookie):
    """-> the message to a server; cookie: 8 random bytes."""
    return bytes((_HEAD,)) + bytes(39) + cookie


def parse(data, cookie):
    """-> (stratum, ns since 1970 when the question came there, ns when the answer left), or None: not an answer to it.

    Raises NTPError: the server has no time to give.
    """
    if len(data) < _LEN or data[0] & 7 != _SERVER or not 3 <= data[0] >> 3 & 7 <= 4 or data[24:32] != cookie:
        return None
    stratum = data[1]
    root_delay, root_dispersion, reference = struct.unpack_from(">II4s", data, 4)
    if stratum == 0:
        raise NTPError("refuses: %s" % _kiss(reference))
    if data[0] >> 6 == _UNKNOWN or stratum > _STRATUM_MAX or root_delay // 2 + root_dispersion > _DISTANCE_MAX:
        raise NTPError("does not know the time itself")
    came, went = _time(data, 32), _time(data, 40)
    if came is None or went is None:
        raise NTPError("gives no time")
    return stratum, came, went


def _time(data, at):
    """-> ns since 1970 of an NTP timestamp, of 1968 to 2104 (RFC 4330, 3), or None: there is none."""
    seconds, fraction = struct.unpack_from(">II", data, at)
    if not seconds:
        return None
    if not seconds & 0x80000000:
        seconds += _ERA
    return (seconds - _EPOCH) * _NS + (fraction * _NS >> 32)


def _kiss(code):
    """-> a kiss code as text, such as RATE; RFC 5905, 7.4."""
    return str(code, "ascii") if not [b for b in code if not 0x41 <= b <= 0x5A] else "no reason given"
