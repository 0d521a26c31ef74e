"""Hostile requests for net/http.py: real ones cut, joined, repeated and with bytes changed; http_requests.py SEED COUNT.

Whatever arrives: each answer is a well-formed response with a status that HTTP knows, nothing is raised, nothing is logged
as a handler's failure, and the connection ends.
"""

import random
import sys

from net.http import Response, Server
from net.http_wire import REASONS
from wire import split, talk

SEEDS = (
    b"GET / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n",
    b"GET /a/b%20c/../d?x=%41&y=1+2 HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world",
    b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: t\r\n\r\n",
    b"PUT /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    b"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    b"POST /ignores HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n\r\na=%4",
)
WORDS = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"%", b"/../", b"HTTP/1.1", b"HTTP/9.9", b" HTTP/2.0", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 5000\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Host: x\r\n", b"ffffffff\r\n", b"0\r\n\r\n", b"\xff\xfe", b"A" * 5000, b"X: y\r\n" * 101,
)


def served(log):
    """-> a server with a handler of each kind; its limits are small."""
    async def echo(request):
        return Response(await request.read())

    server = Server(log, body_max=1000, request_ms=2000)
    server.route("/*", lambda request: request.path)
    server.route("/echo", echo, ("POST", "PUT"))
    server.route("/stream", lambda request: Response(iter([b"a", b"b"])))
    server.route("/ignores", lambda request: "x", ("POST",))
    return server


def mutate(data):
    """-> data with one thing changed."""
    at = random.randrange(len(data) + 1)
    to = random.randrange(at, min(len(data), at + 20) + 1)
    kind = random.randrange(6)
    if kind == 0:
        return data[:at] + bytes((random.getrandbits(8),)) + data[at + 1 :]
    if kind == 1:
        return data[:at] + data[to:]
    if kind == 2:
        return data[:at] + data[at:to] * random.randrange(1, 5) + data[at:]
    if kind == 3:
        return data[:at] + random.choice(WORDS) + data[at:]
    if kind == 4:
        return data[:at] + random.choice(WORDS) + data[to:]
    return data + random.choice(SEEDS)


def conversation():
    """-> what one hostile client sends, in pieces."""
    data = random.choice(SEEDS)
    for _ in range(random.randrange(1, 4)):
        data = mutate(data)
    if random.getrandbits(1):
        return [data]
    size = random.randrange(1, 40)
    return [data[i : i + size] for i in range(0, len(data), size)]


def fuzz(seed, count):
    """Hold that many conversations. -> {status: how often}."""
    failures = []
    server = served(failures.append)
    seen = {}
    for i in range(count):
        random.seed(seed + i)
        pieces = conversation()
        answer = talk(server, *pieces)
        try:
            for status, _, _ in split(answer):
                assert status in REASONS
                seen[status] = seen.get(status, 0) + 1
            assert not failures and not server.connections(), failures
        except BaseException:
            print("seed %d: %r\nanswered: %r" % (seed + i, pieces, answer))
            raise
    return seen


def main(seed, count):
    seen = fuzz(seed, count)
    for status in (200, 204, 400, 405, 413, 414, 417, 431, 501, 505):
        assert count < 5000 or status in seen, (status, seen)
    print("%d conversations" % count)


main(int(sys.argv[1]), int(sys.argv[2]))
