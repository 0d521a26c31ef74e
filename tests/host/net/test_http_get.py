"""net/http_get.py: addresses and answers, good ones and ones that must fail. Over sockets: tests/net/test_http_get.py."""

from check import raises, run, same
from net.http_get import FetchError, parse_answer, parse_url

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

URLS = (
    ("http://a", (False, "a", 80, "/")),
    ("https://kdsintf.amd.com/vcek/v1/Milan/cert_chain", (True, "kdsintf.amd.com", 443, "/vcek/v1/Milan/cert_chain")),
    ("https://a:8443/x?y=1&z", (True, "a", 8443, "/x?y=1&z")),
    ("http://[fd00::1]", (False, "[fd00::1]", 80, "/")),
    ("http://[fd00::1]:81/", (False, "[fd00::1]", 81, "/")),
)

NO_URLS = ("", "a", "ftp://a", "http://", "http:///x", "http://a:", "http://a:0", "http://a:65536", "http://a:x", "http://u@a/", "http://a/ b",
           "http://a/\r\nX: y", "http://a/#b", "http://a/\xe9", "http://[]/", "http://a:0000000080/", "HTTP://a")  # fmt: skip

ANSWERS = (
    (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    (OK + b"content-length:5\r\n\r\nhello and more", b"hello"),
    (OK + b"Content-Length: 0\r\n\r\n", b""),
    (OK + b"\r\nto the end", b"to the end"),
    (b"HTTP/1.0 200 \r\n\r\nx", b"x"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"\r\nx", b"x"),
    (CHUNKED + b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n", b"hello world"),
    (CHUNKED + b"0\r\nTrailer: x\r\n\r\n", b""),
)

NO_ANSWERS = (
    (b"", "an answer that is not HTTP, or has no end"),
    (b"SSH-2.0-OpenSSH\r\n", "an answer that is not HTTP, or has no end"),
    (b"<html>\r\n\r\n", "an answer that is not HTTP"),
    (b"HTTP/2 200 OK\r\n\r\n", "an answer that is not HTTP"),
    (b"HTTP/1.1 20 OK\r\n\r\n", "an answer that is not HTTP"),
    (b"HTTP/1.1 2000 OK\r\n\r\n", "an answer that is not HTTP"),
    (b"HTTP/1.1 -20 OK\r\n\r\n", "an answer that is not HTTP"),
    (b"HTTP/1.1 404 Not Found\r\n\r\n", "404 Not Found"),
    (b"HTTP/1.1 302 \x1b[31mFound" + b"!" * 100 + b"\r\nLocation: x\r\n\r\n", "302 ?[31mFound" + "!" * 30),
    (b"HTTP/1.1 204 No Content\r\n\r\n", "204 No Content"),
    (OK + b"Content-Length: 6\r\n\r\nhello", "an answer of 6 bytes, of which 5 came"),
    (OK + b"Content-Length: -1\r\n\r\nhello", "an answer with not a Content-Length"),
    (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "an answer with content-length twice"),
    (OK + b"Transfer-Encoding: gzip\r\n\r\nhello", "an answer with no transfer coding but chunked"),
    (OK + b"no header\r\n\r\nhello", "an answer with not a header line"),
    (OK + b"X: y\r\n" * 200 + b"\r\n", "an answer that is not HTTP"),
    (OK + b"X: " + b"y" * 17000 + b"\r\n\r\n", "an answer that is not HTTP, or has no end"),
    (CHUNKED + b"5\r\nhello\r\n", "an answer with not a chunk's length"),
    (CHUNKED + b"5\r\nhel", "an answer with a broken chunk"),
    (CHUNKED + b"4\r\nhello\r\n0\r\n\r\n", "an answer with a broken chunk"),
    (CHUNKED + b"FFFFFFFF\r\nhello", "an answer with a broken chunk"),
    (CHUNKED + b"FFFFFFFFF\r\nhello", "an answer with not a chunk's length"),
    (OK + b"\r\n" + b"x" * 101, "an answer of more than 100 bytes"),
)


def test_parse_url():
    for url, parts in URLS:
        same((url, parse_url(url)), (url, parts))
    for url in NO_URLS:
        raises(ValueError, parse_url, url)


def test_answers():
    for data, body in ANSWERS:
        same((data, parse_answer(data)), (data, body))


def test_no_answers():
    for data, text in NO_ANSWERS:
        same((data[:200], str(raises(FetchError, parse_answer, data, 100))), (data[:200], text))


def test_cut_anywhere():
    """No part of an answer with a length is one."""
    for whole in (ANSWERS[0][0], ANSWERS[6][0][:-4]):
        for cut in range(len(whole)):
            raises(FetchError, parse_answer, whole[:cut])


def test_damage():
    """Whatever comes is an answer or a FetchError, and what is complete is what is judged."""
    import random

    from net import http_get

    random.seed(4)
    for i in range(3000):
        data = bytearray(random.choice(ANSWERS + NO_ANSWERS)[0][:400])
        for _ in range(random.randrange(4)):
            at = random.randrange(len(data) + 1)
            data[at : at + random.randrange(3)] = bytes([random.choice(b"\r\n :0159aF\x00\xff") for _ in range(random.randrange(3))])
        http_get._complete(bytes(data))
        try:
            assert len(parse_answer(bytes(data), 100)) <= 100
        except FetchError:
            pass


run(globals())
