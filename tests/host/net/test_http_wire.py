"""net/http_wire.py: tables of what is read, and of what must be refused with which status."""

from check import raises, same
from net import http_wire as wire

HOST = b"\r\nHost: h"


def status(function, *args):
    return raises(wire.HTTPError, function, *args).status


def test_heads():
    for head, expected in (
        (b"GET / HTTP/1.1\r\nHost: example", ("GET", b"/", 1, {"host": "example"})),
        (b"GET / HTTP/1.0", ("GET", b"/", 0, {})),
        (b"HEAD /a?b=c HTTP/1.7\r\nhOST:x", ("HEAD", b"/a?b=c", 1, {"host": "x"})),
        (b"POST /%41 HTTP/1.1\r\nHost:\r\nX-Y:  a b\t", ("POST", b"/%41", 1, {"host": "", "x-y": "a b"})),
        (b"GET / HTTP/1.1\r\nHost: h\r\nAccept: a\r\naccept: b", ("GET", b"/", 1, {"host": "h", "accept": "a, b"})),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: \xc3\xb6:\"", ("GET", b"/", 1, {"host": "h", "x": 'ö:"'})),
    ):
        same(wire.parse_head(head), expected)


def test_heads_refused():
    for head, expected in (
        (b"", 400),
        (b"GET", 400),
        (b"GET /", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b" GET / HTTP/1.1", 400),
        (b"GET / http/1.1" + HOST, 400),
        (b"GET / HTTP/1.11" + HOST, 400),
        (b"GET / HTTP/1,1" + HOST, 400),
        (b"GET / HTTP/x.1" + HOST, 400),
        (b"GET / HTTP/2.0" + HOST, 505),
        (b"GET / HTTP/0.9" + HOST, 505),
        (b"G(T / HTTP/1.1" + HOST, 400),
        (b"get / HTTP/1.1" + HOST, 501),
        (b"BREW / HTTP/1.1" + HOST, 501),
        (b"CONNECT h:1 HTTP/1.1" + HOST, 501),
        (b"TRACE / HTTP/1.1" + HOST, 501),
        (b"GET /\x7f HTTP/1.1" + HOST, 400),
        (b"GET /\xc3\xb6 HTTP/1.1" + HOST, 400),
        (b"GET /#f HTTP/1.1" + HOST, 400),
        (b"GET / HTTP/1.1", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nHost: i", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\n folded", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nA : b", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\n: b", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nno colon", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nA: b\nC: d", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nA: b\rC: d", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nA: \0", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nA: \xff", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nB\xc3\xb6: c", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\n" + b"n" * 300 + b": c", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nContent-Length: 1\r\nContent-Length: 1", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x", 400),
        (b"GET / HTTP/1.1" + HOST + b"\r\nA: b" * 100, 431),
    ):
        same((head, status(wire.parse_head, head)), (head, expected))


def test_lengths():
    for headers, minor, expected in (
        ({}, 1, 0),
        ({"content-length": "0"}, 1, 0),
        ({"content-length": "123456789012345"}, 0, 123456789012345),
        ({"transfer-encoding": "Chunked"}, 1, wire.CHUNKED),
    ):
        same(wire.body_length(headers, minor), expected)
    for headers, minor, expected in (
        ({"content-length": ""}, 1, 400),
        ({"content-length": "-1"}, 1, 400),
        ({"content-length": "+1"}, 1, 400),
        ({"content-length": "1 "}, 1, 400),
        ({"content-length": "0x1"}, 1, 400),
        ({"content-length": "1_0"}, 1, 400),
        ({"content-length": "1, 1"}, 1, 400),
        ({"content-length": "1234567890123456"}, 1, 400),
        ({"content-length": "1", "transfer-encoding": "chunked"}, 1, 400),
        ({"transfer-encoding": "chunked"}, 0, 400),
        ({"transfer-encoding": "gzip, chunked"}, 1, 501),
        ({"transfer-encoding": "chunked, identity"}, 1, 501),
        ({"transfer-encoding": ""}, 1, 501),
    ):
        same((headers, status(wire.body_length, headers, minor)), (headers, expected))


def test_chunks():
    for line, expected in ((b"0", 0), (b"1aF", 0x1AF), (b"ffffffff", 0xFFFFFFFF), (b"5;name=value", 5), (b"5 ", 5)):
        same(wire.chunk_length(line), expected)
    for line in (b"", b";", b"-1", b"0x1", b"g", b"100000000", b"1 1", b"+1", b"1_1"):
        same((line, status(wire.chunk_length, line)), (line, 400))


def test_keeps_alive():
    for connection, minor, expected in (
        (None, 1, True), (None, 0, False), ("close", 1, False), ("Close", 1, False), ("keep-alive", 0, True), ("Keep-Alive, x", 0, True),
        ("x, close", 1, False), ("closed", 1, True), ("keep-alive, close", 0, False),
    ):
        same(wire.keeps_alive({} if connection is None else {"connection": connection}, minor), expected)


def test_targets():
    for target, expected in (
        (b"/", ("/", b"")),
        (b"/a/b/?c?d", ("/a/b/", b"c?d")),
        (b"/%41%c3%b6%20", ("/Aö ", b"")),
        (b"//x", ("//x", b"")),
        (b"/...", ("/...", b"")),
        (b"*", ("*", b"")),
        (b"http://host/p?q", ("/p", b"q")),
        (b"HTTP://host:80/", ("/", b"")),
        (b"http://h", ("/", b"")),
        (b"/%25%32%65", ("/%2e", b"")),
    ):
        same(wire.parse_target(target), expected)
    for target in (
        b"", b"a", b"?", b"*a", b"http://", b"http://", b"http:///", b"http://h?/", b"https://h/", b"/..", b"/../", b"/a/../b", b"/.", b"/./a", b"/%2e%2e/", b"/.%2E/x",
        b"/a%2fb", b"/%2F..", b"/%", b"/%4", b"/%zz", b"/%+1", b"/% 1", b"/%00", b"/%ff", b"/%c3", b"/a%2",
    ):
        same((target, status(wire.parse_target, target)), (target, 400))


def test_queries():
    for query, expected in (
        (b"", {}),
        (b"a=b", {"a": "b"}),
        (b"a=b&&c&d=", {"a": "b", "c": "", "d": ""}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a+b=c%2Bd=%26", {"a b": "c+d=&"}),
        (b"=x", {"": "x"}),
    ):
        same(wire.parse_query(query), expected)
    for query in (b"a=%", b"%x=1", b"a=%ff"):
        same((query, status(wire.parse_query, query)), (query, 400))


def test_response_heads():
    same(wire.response_head(200, [("A", "b"), ("Content-Length", 5)]), b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n")
    same(wire.response_head(299, ()), b"HTTP/1.1 299 Status\r\n\r\n")
    for pair in (("A", "b\r\nc: d"), ("A\n", "b"), ("A", "\0"), ("A", "\r")):
        raises(ValueError, wire.response_head, 200, [pair])


def test_dates():
    same(wire.date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT")  # the example of RFC 9110, 5.6.7
    same(wire.date(0), "Thu, 01 Jan 1970 00:00:00 GMT")
