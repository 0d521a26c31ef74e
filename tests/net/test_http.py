"""net/http.py on the unix port over real sockets, judged by curl and by CPython's http.client."""

import concurrent.futures
import http.client
import os
import socket
import subprocess
import threading

import pytest

from places import MICROPYTHON, ROOT

LARGE = bytes(range(256)) * 8192


class Served:
    """The server's process: .port, and .lines, what it has printed."""

    def __init__(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
        self.process = subprocess.Popen([MICROPYTHON, "-X", "heapsize=32M", "tests/net/server.py", str(self.port)], cwd=ROOT, env=environment,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.lines, self.arrived = [], threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.arrived:
                self.lines.append(line.rstrip())
                self.arrived.notify_all()

    def wait_line(self, text, limit=10):
        with self.arrived:
            assert self.arrived.wait_for(lambda: text in self.lines, limit), self.lines

    def curl(self, path, *arguments):
        done = subprocess.run(["curl", "-sS", "--max-time", "20", *arguments, f"http://127.0.0.1:{self.port}{path}"], capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def served():
    server = Served()
    yield server
    server.process.kill()
    server.process.wait()


def test_curl_gets(served):
    assert served.curl("/?name=J%C3%B6rg+x") == "hello Jörg x\n".encode()
    assert served.curl("/file") == (ROOT / "README.md").read_bytes()
    assert served.curl("/large") == LARGE
    assert served.curl("/numbers?count=1000", "-v") == b"".join(b"%d\n" % i for i in range(1000))
    assert served.curl("/numbers?count=10", "--http1.0") == b"".join(b"%d\n" % i for i in range(10))
    assert served.curl("/below/a%20b/c") == b"a b/c"
    assert b"Content-Length: 2097152" in served.curl("/large", "--head")


def test_curl_posts(served, tmp_path):
    data = os.urandom(1500000)
    (tmp_path / "data").write_bytes(data)
    post = ("--data-binary", f"@{tmp_path}/data")
    assert served.curl("/echo", *post) == data  # with Expect: 100-continue
    assert served.curl("/echo", *post, "-H", "Expect:") == data
    assert served.curl("/echo", *post, "-H", "Transfer-Encoding: chunked") == data
    (tmp_path / "data").write_bytes(data * 2)
    for expect in ((), ("-H", "Expect:"), ("-H", "Transfer-Encoding: chunked")):
        assert b"413 Content Too Large" in served.curl("/echo", *post, *expect, "-i")


def test_curl_keeps_the_connection(served):
    """Three requests, one connection; --next keeps curl's pool."""
    url = f"http://127.0.0.1:{served.port}/"
    done = subprocess.run(["curl", "-sS", "-w", "%{num_connects}\n", url, url + "missing", url], capture_output=True, text=True, timeout=30)
    assert done.stdout == "hello you\n1\nNot Found\n0\nhello you\n0\n"


def test_curl_errors(served):
    def status(path, *arguments):
        return served.curl(path, "-o", "/dev/null", "-w", "%{http_code}", *arguments).decode()

    assert status("/below/../x", "--path-as-is") == "400"
    assert status("/below/%2e%2e/x", "--path-as-is") == "400"
    assert status("/", "-X", "BREW") == "501"
    assert status("/", "-X", "PUT") == "405"
    assert status("/" + "a" * 5000) == "414"
    assert status("/", "-H", "A: " + "b" * 17000) == "431"
    assert status("/raises") == "500"
    served.wait_line("KeyError: missing")
    assert b"KeyError" not in served.curl("/raises")


def test_http_client(served):
    """CPython's client over one connection: keep-alive, HEAD, chunks both ways."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    for method, path, body, expected in (
        ("GET", "/", None, b"hello you\n"), ("HEAD", "/large", None, b""), ("POST", "/echo", iter([b"one", b"two"]), b"onetwo"),
        ("GET", "/numbers?count=3", None, b"0\n1\n2\n"), ("PUT", "/echo", b"abc", b"abc"), ("GET", "/missing", None, b"Not Found\n"), ("GET", "/", None, b"hello you\n"),
    ):
        connection.request(method, path, body, encode_chunked=body is not None and not isinstance(body, bytes))
        first = connection.sock
        assert connection.getresponse().read() == expected
        assert connection.sock is first
    connection.close()


def test_pipeline(served):
    """Requests that do not wait for answers get them in order; the last one closes."""
    get = b"GET /?name=%d HTTP/1.1\r\nHost: h\r\n%s\r\n"
    with socket.create_connection(("127.0.0.1", served.port), 20) as s:
        s.sendall(b"".join(get % (i, b"Connection: close\r\n" if i == 99 else b"") for i in range(100)))
        received = b""
        while data := s.recv(65536):
            received += data
    assert [int(part.split(b"\n")[0]) for part in received.split(b"hello ")[1:]] == list(range(100))


def test_client_that_leaves(served):
    with socket.create_connection(("127.0.0.1", served.port), 20) as s:
        s.sendall(b"GET /long HTTP/1.1\r\nHost: h\r\n\r\n")
    served.wait_line("gone")


def test_both_versions_of_ip():
    """Without an address the server listens at all, of either version."""
    code = ("import asyncio, sys\nfrom net.http import Server\nasync def main():\n  s = Server()\n  s.route('/', lambda r: 'here')\n"
            "  s.start(int(sys.argv[1]))\n  print('ready')\n  await asyncio.sleep(60)\nasyncio.run(main())\n")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen([MICROPYTHON, "-c", code, str(port)], cwd=ROOT, env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        for host in ("127.0.0.1", *(["[::1]"] if os.path.exists("/proc/net/if_inet6") else [])):
            assert subprocess.run(["curl", "-sS", "--max-time", "20", f"http://{host}:{port}/"], capture_output=True).stdout == b"here", host
    finally:
        process.kill()
        process.wait()


def test_many_at_once(served):
    """Idle connections give way to those that ask for something."""
    idle = [socket.create_connection(("127.0.0.1", served.port), 20) for _ in range(20)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda i: served.curl("/numbers?count=20"), range(20))) == {b"".join(b"%d\n" % i for i in range(20))}
    for s in idle:
        s.close()
