"""net/http.py, http_connection.py, http_message.py: conversations over a connection that is no socket."""

import asyncio
import time

from check import raises, same
from net.http import Response, Server
from net.http_connection import Connection
from net.http_wire import HTTPError
from wire import Stream, serve, split, talk

END = b" HTTP/1.1\r\nHost: h\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: h\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: h\r\n"


class File:
    """An open file as a handler may give one. short: it ends before its size."""

    def __init__(self, data, short=False):
        self.data, self.short = data, short
        self.at = 0
        self.closed = False

    def seek(self, offset, whence=0):
        self.at = offset + (len(self.data) if whence == 2 else 0)
        return self.at

    def readinto(self, buffer):
        end = min(self.at + len(buffer), len(self.data) - self.short)
        n = end - self.at
        buffer[:n] = self.data[self.at : end]
        self.at = end
        return n

    def close(self):
        self.closed = True


def server(**limits):
    """-> a server with a handler of each kind; .log: what handlers raised."""
    log = []
    s = Server(log.append, **limits)
    s.logged = log
    s.route("/", lambda request: "root\n")
    s.route("/echo", echo, ("POST", "PUT"))
    s.route("/files/*", lambda request: "%s|%s|%s" % (request.path, request.rest, request.query.get("q")))
    s.route("/files/deep/*", lambda request: "deep " + request.rest)
    s.route("/none", lambda request: None)
    s.route("/bytes", lambda request: b"\0\xff")
    s.route("/generator", lambda request: Response(iter([b"one", b"", b"two"]), type="text/x"))
    s.route("/stream", stream)
    s.route("/raises", lambda request: 1 // 0)
    s.route("/refuses", refuses)
    s.route("/no-body", lambda request: 5)
    s.route("/splits", lambda request: Response("x", headers=[("A", "b\r\nC: d")]))
    s.route("/breaks", lambda request: Response(breaks()))
    s.route("/ignores", lambda request: "ignored", ("POST",))
    return s


async def echo(request):
    return Response(await request.read(), type="x/y")


async def stream(request):
    async def body(send):
        await send(b"first")
        await asyncio.sleep_ms(1)
        await send(b"second")

    return Response(body)


def refuses(request):
    raise HTTPError(403, "not you")


def breaks():
    yield b"begun"
    raise ValueError("broken")


def answers(s, *pieces, methods=(), **kwargs):
    return split(talk(s, *pieces, **kwargs), methods)


def statuses(s, *pieces, **kwargs):
    return [answer[0] for answer in answers(s, *pieces, **kwargs)]


def bodies(s, *pieces, **kwargs):
    return [answer[2] for answer in answers(s, *pieces, **kwargs)]


# -- what handlers return ----------------------------------------------------------------------------


def test_bodies():
    for path, body in (
        (b"/", b"root\n"), (b"/bytes", b"\0\xff"), (b"/generator", b"onetwo"), (b"/stream", b"firstsecond"), (b"/files/a/b?q=1", b"/files/a/b|a/b|1"),
        (b"/files/", b"/files/||None"), (b"/files/deep/x", b"deep x"), (b"/files/deep", b"/files/deep|deep|None"), (b"/files/deep/", b"deep "),
    ):
        same((path, bodies(server(), b"GET " + path + END)), (path, [body]))
    same(answers(server(), b"GET /none" + END)[0][0], 204)
    same(answers(server(), b"GET /" + END)[0][1]["content-type"], "text/plain; charset=utf-8")


def test_head():
    for path, length in ((b"/", "5"), (b"/generator", None)):
        for status, headers, body in answers(server(), b"HEAD " + path + END, methods=("HEAD",)):
            same((status, headers.get("content-length"), body), (200, length, b""))


def test_old_version():
    """HTTP/1.0 closes behind each answer unless asked, and knows no chunks."""
    got = answers(server(), b"GET /stream HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n")
    same(got[0][2], b"firstsecond")
    same(len(got), 1)
    got = answers(server(), b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" * 2)
    same([answer[1]["connection"] for answer in got], ["keep-alive", "keep-alive"])


def test_files():
    for length in (0, 1, 16384, 50000):
        data = bytes(range(251)) * 200
        file = File(data[:length])
        s = server()
        s.route("/file", lambda request: Response(file))
        same(bodies(s, b"GET /file" + END), [data[:length]])
        assert file.closed
        file.closed = False
        same(answers(s, b"HEAD /file" + END, methods=("HEAD",))[0][1]["content-length"], str(length))
        assert file.closed


def test_file_that_shrinks():
    s = server()
    file = File(b"x" * 100, short=True)
    s.route("/file", lambda request: Response(file))
    got = talk(s, b"GET /file" + END + b"GET /" + END)
    assert got.endswith(b"x" * 99) and file.closed
    same(type(s.logged[0]), OSError)


def test_errors_of_handlers():
    """A line for the client, the exception for the log, and the connection lives on."""
    for path, status, logged in (
        (b"/raises", 500, ZeroDivisionError), (b"/no-body", 500, TypeError), (b"/splits", 500, ValueError), (b"/refuses", 403, None), (b"/missing", 404, None),
    ):
        s = server()
        got = answers(s, b"GET " + path + END + b"GET /" + END)
        same([answer[0] for answer in got], [status, 200])
        same(got[0][2].count(b"\n"), 1)
        assert b"Traceback" not in got[0][2]
        same([type(e) for e in s.logged], [logged] if logged else [])


def test_body_that_breaks():
    """No last chunk: the client knows that something is missing."""
    s = server()
    got = talk(s, b"GET /breaks" + END + b"GET /" + END)
    assert got.endswith(b"5\r\nbegun\r\n"), got
    same(str(s.logged[0]), "broken")


def test_client_that_leaves():
    """An answer that nobody takes ends its generator, and nothing is logged."""
    ended = []

    def endless():
        try:
            while True:
                yield b"x" * 1000
        finally:
            ended.append(True)

    s = server()
    s.route("/endless", lambda request: Response(endless()))
    talk(s, b"GET /endless" + END, takes=10000)
    same((ended, s.logged, s.connections()), ([True], [], 0))


def test_gone():
    """A handler that works for long can look whether its client is there."""
    seen = []

    async def long(request):
        for _ in range(5):
            seen.append(await request.gone(5))
        return "done"

    s = server()
    s.route("/long", long)
    talk(s, b"GET /long" + END, 12)
    same((seen[0], seen[-1]), (False, True))
    del seen[:]
    more = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    began = time.ticks_ms()
    same(bodies(s, b"GET /long" + END, 1, more[:9], 1, more[9:], stays=True), [b"done", b"root\n"])
    assert time.ticks_diff(time.ticks_ms(), began) >= 25 and seen == [False] * 5  # what comes ahead does not cut it short
    same(bodies(s, b"GET /long" + END, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", stays=True), [b"done", b"root\n"])


# -- requests ----------------------------------------------------------------------------------------


def test_pieces():
    """However the network cuts them: byte by byte, or all requests in one."""
    sent = POST + b"Content-Length: 3\r\n\r\nabcGET /" + END + POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1;x=y\r\nf\r\n0\r\nTrailer: t\r\n\r\nGET /bytes" + END
    expected = [b"abc", b"root\n", b"def", b"\0\xff"]
    same(bodies(server(), sent), expected)
    same(bodies(server(), *[sent[i : i + 1] for i in range(len(sent))]), expected)
    for size in (2, 3, 7, 50):
        same(bodies(server(), *[sent[i : i + size] for i in range(0, len(sent), size)]), expected)


def test_empty_lines_between():
    same(bodies(server(), b"\r\n\r\nGET /" + END + b"\r\nGET /bytes" + END), [b"root\n", b"\0\xff"])


def test_close():
    for connection in (b"close", b"keep-alive, Close"):
        got = answers(server(), GET + b"Connection: " + connection + b"\r\n\r\n" + b"GET /" + END, stays=True)
        same([(a[0], a[1]["connection"]) for a in got], [(200, "close")])


def test_methods():
    got = answers(server(), b"GET /echo" + END + b"OPTIONS /echo" + END + b"OPTIONS *" + END + b"DELETE /" + END)
    same([a[0] for a in got], [405, 204, 204, 405])
    same(got[0][1]["allow"], "POST, PUT, OPTIONS")
    same(got[1][1]["allow"], "POST, PUT, OPTIONS")
    same(got[3][1]["allow"], "GET, HEAD, OPTIONS")
    same(statuses(server(), b"BREW /" + END + b"GET /" + END), [501])


def test_refused_requests():
    """Where a request's end is in doubt, nothing behind it is read."""
    for sent, status in (
        (b"\x16\x03\x01\x02\0", 400),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: h\n\n", 400),
        (b"GET /", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\nb", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 300, 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + (b"t" * 200 + b"\r\n") * 50, 431),
        (POST + b"Content-Length: 90\r\n\r\nabc", 400),
        (POST + b"Content-Length: 1, 1\r\n\r\na", 400),
        (POST + b"Content-Length: 2000000\r\n\r\n", 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2000000\r\n", 413),
        (b"GET /" + b"a" * 5000, 414),
        (GET + b"A: b\r\n" * 101 + b"\r\n", 431),
        (GET + b"A: " + b"b" * 20000, 431),
        (b"GET / HTTP/3.0\r\n\r\n", 505),
        (POST + b"Expect: miracles\r\nContent-Length: 1\r\n\r\na", 417),
    ):
        got = answers(server(), sent, b"GET /" + END)
        same((sent[:60], [a[0] for a in got]), (sent[:60], [status]) if status != 417 else (sent[:60], [417, 200]))
        if status != 417:
            same(got[0][1].get("connection"), "close")


def test_continue():
    """100 Continue comes when the body is wanted, and not for one that is refused."""
    expect = b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    got = talk(server(), POST + expect, 5, b"abc")
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n") and got.endswith(b"abc"), got
    got = talk(server(), b"POST /missing HTTP/1.1\r\nHost: h\r\n" + expect, 5, b"abc")
    assert got.startswith(b"HTTP/1.1 404 "), got
    assert b"Connection: close" in got


def test_unread_bodies():
    """A body that no handler reads is passed over, if it is not too long."""
    post = b"POST /ignores HTTP/1.1\r\nHost: h\r\n"
    same(bodies(server(), post + b"Content-Length: 5\r\n\r\nGET /GET /" + END), [b"ignored", b"root\n"])
    same(bodies(server(), post + b"Transfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\nGET /" + END), [b"ignored", b"root\n"])
    same(bodies(server(), post + b"Content-Length: 70000\r\n\r\n" + b"a" * 70000 + b"GET /" + END), [b"ignored"])
    same(bodies(server(), post + b"Transfer-Encoding: chunked\r\n\r\n5\r\nGET /xx"), [b"ignored"])


def test_form():
    async def form(request):
        return repr(sorted((await request.form()).items()))

    s = server()
    s.route("/form", form, ("POST",))
    sent = b"POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\na=1&b=x%20y"
    same(bodies(s, sent), [b"[('a', '1'), ('b', 'x y')]"])


def test_route_limits():
    s = server(body_max=10)
    s.route("/large", echo, ("POST",), body_max=20)
    for path, length, status in ((b"/echo", 10, 200), (b"/echo", 11, 413), (b"/large", 20, 200), (b"/large", 21, 413)):
        sent = b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s" % (path, length, b"x" * length)
        same((path, length, statuses(s, sent)), (path, length, [status]))
    raises(AttributeError, lambda: Server(body_min=3))


# -- time and number -----------------------------------------------------------------------------------


def test_slow_requests():
    """408 within the head and the body; silence between requests just closes."""
    for pieces, expected in (
        ((b"GET / HT",), [408]),
        ((POST + b"Content-Length: 3\r\n\r\na",), [408]),
        ((b"GET /" + END,), [200]),
        ((), []),
    ):
        s = server(idle_ms=100, request_ms=100, linger_ms=50, watch_ms=20)
        same((pieces, statuses(s, *pieces, stays=True)), (pieces, expected))
        same(s.connections(), 0)


def test_trickle():
    """A byte now and then is no excuse."""
    s = server(request_ms=100, linger_ms=50, watch_ms=20)
    pieces = [b"GET / HTTP/1.1\r\nX: "]
    for _ in range(200):
        pieces += [20, b"x"]
    same(statuses(s, *pieces), [408])


def test_close_at_once():
    """What has not begun when the server is closed is closed, too."""
    class Socket:
        closed = False

        def close(self):
            self.closed = True

    async def main():
        s = server()
        s.start(0, "127.0.0.1")
        listener = s._listener
        client = Socket()
        s._add(Connection(s, Stream([]), ("192.0.2.1", 1), client))
        s.close()
        raises(OSError, listener.accept)
        same((client.closed, s.connections()), (True, 0))
        await asyncio.sleep_ms(20)
        s.close()

    asyncio.run(main())


def test_many_connections():
    """A new one takes the place of the one that idles longest; if all are busy it is told so."""
    async def busy(request):
        await asyncio.sleep_ms(300)
        return "busy"

    async def main(s):
        idle = [Stream([b"GET /" + END], stays=True) for _ in range(2)]
        tasks = [asyncio.create_task(serve(s, stream)) for stream in idle]
        await asyncio.sleep_ms(50)
        working = [Stream([b"GET /busy" + END], stays=True) for _ in range(2)]
        tasks += [asyncio.create_task(serve(s, stream)) for stream in working]
        await asyncio.sleep_ms(50)
        same([stream.closed for stream in idle + working], [True, True, False, False])
        late = Stream([b"GET /" + END])
        await serve(s, late)
        same([a[0] for a in split(bytes(late.out))], [503])
        await asyncio.sleep_ms(400)
        same([a[2] for a in split(bytes(working[0].out))], [b"busy"])
        s.close()
        await asyncio.sleep_ms(50)
        same(([stream.closed for stream in working], s.connections()), ([True, True], 0))

    s = server(connections_max=2)
    s.route("/busy", busy)
    asyncio.run(main(s))
