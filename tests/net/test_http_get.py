"""net/http_get.py on the unix port over real sockets, from CPython's http.server, and from servers that misbehave."""

import hashlib
import http.server
import os
import re
import socket
import subprocess
import threading
import time

import pytest

from places import MICROPYTHON, ROOT

DATA = bytes(range(256)) * 300


class Handler(http.server.BaseHTTPRequestHandler):
    """/data by length, /chunks in chunks, /old as HTTP/1.0 has it, /headers what was sent; else 404."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = {"/data?x=1": DATA, "/chunks": DATA, "/headers": str(self.headers).encode(), "/long": DATA * 2}.get(self.path)
        self.send_response(404 if body is None else 200)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(DATA), 7000):
                piece = DATA[at:at + 7000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_address[1]
    made.shutdown()


def fetch(url, limit_ms=10000, addresses=("127.0.0.1",)):
    done = subprocess.run([MICROPYTHON, "tests/net/http_fetch.py", url, str(limit_ms), *addresses], cwd=ROOT, timeout=60, capture_output=True, text=True,
                          env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_documents(server):
    expected = f"{len(DATA)} {hashlib.sha256(DATA).hexdigest()}"
    assert fetch(f"http://name.test:{server}/data?x=1") == expected
    assert fetch(f"http://name.test:{server}/chunks") == expected
    sent = f"Host: name.test:{server}\nUser-Agent: keelback\nAccept: */*\nConnection: close\n\n".encode()
    assert fetch(f"http://name.test:{server}/headers") == f"{len(sent)} {hashlib.sha256(sent).hexdigest()}"


def test_errors(server):
    assert fetch(f"http://name.test:{server}/missing") == "FetchError: 404 Not Found"
    assert fetch(f"http://name.test:{server}/long") == "FetchError: an answer of more than 116384 bytes"
    assert fetch("http://name.test/", addresses=()) == "FetchError: no address of name.test"
    assert fetch("gopher://name.test/").startswith("ValueError: no address of HTTP")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        assert re.match(r"FetchError: .* to 127\.0\.0\.1 .*Errno 111", fetch(f"http://name.test:{s.getsockname()[1]}/"))


def misbehaves(act):
    """Serve one connection by act(socket); returns (port, thread)."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(30)

    def run():
        with listener, listener.accept()[0] as s:
            act(s)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return listener.getsockname()[1], thread


@pytest.mark.parametrize("act, text", [
    (lambda s: None, "an answer that is not HTTP, or has no end"),
    (lambda s: s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"), "an answer of 10 bytes, of which 5 came"),
    (lambda s: s.sendall(b"x" * 200000), "an answer of more than 116384 bytes"),
])  # fmt: skip
def test_misbehaviour(act, text):
    def politely(s):
        s.recv(65536)
        act(s)

    assert fetch(f"http://name.test:{misbehaves(politely)[0]}/") == "FetchError: " + text


def test_open_connection():
    """What is complete is not waited for, though the server leaves the connection open."""
    for answer in (b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"):
        def act(s):
            s.recv(65536)
            for at in range(0, len(answer), 7):
                s.sendall((b"HTTP/1.1 200 OK\r\n" if at == 0 else b"") + answer[at:at + 7])
                time.sleep(0.01)
            s.recv(1)

        assert fetch(f"http://name.test:{misbehaves(act)[0]}/", 5000).startswith("5 2cf24dba")


def test_silence():
    """A server that says nothing, and one that never ends, cost no more than the time that was given."""
    start = time.monotonic()
    assert fetch(f"http://name.test:{misbehaves(lambda s: s.recv(65536) and time.sleep(5))[0]}/", 1000) == "FetchError: no answer within 1 s"

    def drips(s):
        for _ in range(50):
            time.sleep(0.1)
            try:
                s.sendall(b"H")
            except OSError:
                return

    assert fetch(f"http://name.test:{misbehaves(drips)[0]}/", 1000) == "FetchError: no answer within 1 s"
    assert time.monotonic() - start < 6
