"""net/sntp.py: messages byte for byte, and servers that are good, wrong, hostile or silent."""

import asyncio
import socket
import struct
from asyncio import core

import clock
from check import raises, run, same
from net import sntp

COOKIE = b"\1\2\3\4\5\6\7\x08"
NOW = 1795650000 * 10**9  # November 2026
sntp._WAITS_MS = (150, 150)


def stamp(ns):
    seconds = ns // 10**9 + 2208988800
    return struct.pack(">II", seconds & 0xFFFFFFFF, ((ns % 10**9 << 32) + 10**9 - 1) // 10**9)


def answer(cookie=COOKIE, head=0x24, stratum=2, delay=0x100, dispersion=0x100, reference=b"\x7f\0\0\1", came=NOW, went=NOW + 1000):
    body = struct.pack(">BBBbII4s", head, stratum, 6, -20, delay, dispersion, reference)
    return body + stamp(NOW - 10**9) + cookie + (came if isinstance(came, bytes) else stamp(came)) + (went if isinstance(went, bytes) else stamp(went))


def test_query():
    same(sntp.query(COOKIE), b"\x23" + bytes(39) + COOKIE)


def test_answers():
    same(sntp.parse(answer(), COOKIE), (2, NOW, NOW + 1000))
    same(sntp.parse(answer(head=0x1C), COOKIE), (2, NOW, NOW + 1000))  # version 3
    same(sntp.parse(answer(head=0x64), COOKIE), (2, NOW, NOW + 1000))  # a leap second is near
    same(sntp.parse(answer() + bytes(20), COOKIE), (2, NOW, NOW + 1000))  # with a MAC


def test_eras():
    """Timestamps wrap in February 2036 (RFC 4330, 3)."""
    for ns in (2085978495 * 10**9, 2085978497 * 10**9, 4000000000 * 10**9):
        same(sntp.parse(answer(came=ns, went=ns), COOKIE)[1:], (ns, ns))


def test_what_is_no_answer():
    wrong = (b"", answer()[:47], answer(cookie=bytes(8)), answer(head=0x23), answer(head=0x25), answer(head=0x26), answer(head=0x04), answer(head=0x2C))
    same([data for data in wrong if sntp.parse(data, COOKIE) is not None], [])


def test_servers_without_a_time():
    table = (
        (answer(stratum=0, reference=b"RATE"), "refuses: RATE"),
        (answer(stratum=0, reference=b"\n\0[A"), "refuses: no reason given"),
        (answer(stratum=16), "does not know the time itself"),
        (answer(head=0xE4), "does not know the time itself"),
        (answer(delay=0x20002), "does not know the time itself"),
        (answer(dispersion=0xFFFFFFFF), "does not know the time itself"),
        (answer(came=bytes(8)), "gives no time"),
        (answer(went=bytes(8)), "gives no time"),
    )
    for data, text in table:
        same(str(raises(sntp.NTPError, sntp.parse, data, COOKIE)), text)


class Server:
    """A time server on the loopback; reply(message, ns) -> list of datagrams, ns: the time that came in."""

    def __init__(self, reply):
        self.reply = reply
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for port in range(20123, 20223):
            try:
                self._socket.bind(socket.getaddrinfo("127.0.0.1", port, 0, socket.SOCK_DGRAM)[0][-1])
                break
            except OSError:
                pass
        self.address = ("127.0.0.1", port)
        self._socket.setblocking(False)
        self._task = core.create_task(self._serve())

    async def _serve(self):
        while True:
            await _readable(self._socket)
            message, peer = self._socket.recvfrom(100)
            self.asked += 1
            same(len(message), 48)
            for data in self.reply(message[40:], clock.wall_ns()):
                self._socket.sendto(data, peer)

    def close(self):
        self._task.cancel()
        self._socket.close()


def _readable(s):
    yield core._io_queue.queue_read(s)


def measure(*replies):
    """-> (Sample or the error's text, list of how often each server was asked)."""

    async def main():
        servers = [Server(reply) for reply in replies]
        try:
            outcome = await sntp.measure([s.address for s in servers])
        except sntp.NTPError as e:
            outcome = str(e)
        for s in servers:
            s.close()
        return outcome, [s.asked for s in servers]

    return asyncio.run(main())


def ahead(ns):
    return lambda cookie, now: [answer(cookie, came=now + ns, went=now + ns)]


def test_offset():
    for offset in (0, 3600 * 10**9, -5 * 10**9):
        sample, asked = measure(ahead(offset))
        assert abs(sample.offset_ns - offset) < 50 * 10**6 and 0 <= sample.delay_ns < 100 * 10**6, sample
        same((sample.server, sample.stratum, asked), ("127.0.0.1", 2, [1]))


def test_the_middle_of_several():
    sample, asked = measure(ahead(10**9), ahead(10**15), ahead(2 * 10**9), lambda *_: [])
    assert abs(sample.offset_ns - 2 * 10**9) < 50 * 10**6, sample
    same(asked, [1, 1, 1, 2])


def test_forged_answers_are_passed_over():
    def reply(cookie, now):
        forged = answer(bytes(8), came=now + 10**15, went=now + 10**15)
        return [forged, forged[:20], b"", answer(cookie, came=now, went=now)]

    sample, _ = measure(reply)
    assert abs(sample.offset_ns) < 50 * 10**6, sample


def test_none_is_good():
    same(measure(lambda *_: []), ("127.0.0.1 does not answer", [2]))
    same(measure(lambda cookie, now: [answer(cookie, stratum=0, reference=b"DENY")]), ("127.0.0.1 refuses: DENY", [1]))
    same(str(raises(sntp.NTPError, asyncio.run, sntp.measure([]))), "no time servers")


def test_impossible_times():
    for came, went in ((NOW, NOW - 1000), (NOW, NOW + 10**12), (10**17, 10**17)):
        same(measure(lambda cookie, _: [answer(cookie, came=came, went=went)])[0], "127.0.0.1 gives an impossible time")


run(globals())
