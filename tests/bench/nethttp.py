"""HTTP: what a request costs, in guest instructions and in wall time. Servers: httpd_asyncio.py and httpd_sync.py.

QEMU's user networking on both sides: it takes no root, and was what the anchors were measured with. It offers the guest
no offload of checksums or segmentation. Requests are those of curl: three lines of header.
"""
import re
import shutil
import socket
import subprocess

import qemu

REQUESTS = 200      # of 1 KiB, for one figure
BODIES = 8          # of 1 MiB
WARM = 5            # requests before counting: what is loaded or grows once does so
WRK_TIME = "5s"
CONNECTION_LIMIT = 60   # s


class Client:
    """Requests to a port on 127.0.0.1, over one connection or over one each."""

    def __init__(self, port):
        self.port = port
        self._kept = None

    def close(self):
        if self._kept:
            self._kept.close()
        self._kept = None

    def keep(self, path):
        """One request on the connection that is kept."""
        self._kept = self._kept or self._connect()
        self._request(self._kept, path, b"")

    def once(self, path):
        """One request on a connection of its own."""
        with self._connect() as s:
            self._request(s, path, b"Connection: close\r\n")

    def _connect(self):
        return socket.create_connection(("127.0.0.1", self.port), CONNECTION_LIMIT)

    def _request(self, s, path, more):
        host = b"127.0.0.1:%d" % self.port
        s.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n%s\r\n" % (path, host, more))
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._some(s)
        head, _, body = head.partition(b"\r\n\r\n")
        left = int(re.search(rb"Content-Length: (\d+)", head)[1]) - len(body)
        if b" 200 " not in head.partition(b"\r\n")[0] or left < 0:
            raise ValueError(f"the server answered {head!r}")
        while left:
            left -= len(self._some(s))

    @staticmethod
    def _some(s):
        data = s.recv(1 << 20)
        if not data:
            raise ValueError("the server closed within an answer")
        return data


# figure: (program, method, path, requests)
COUNTED = {"asyncio 1 KiB keep-alive": ("httpd_asyncio", "keep", b"/1k", REQUESTS),
           "asyncio 1 KiB new connection": ("httpd_asyncio", "once", b"/1k", REQUESTS),
           "asyncio 1 MiB": ("httpd_asyncio", "keep", b"/1m", BODIES),
           "sync 1 KiB new connection": ("httpd_sync", "once", b"/1k", REQUESTS),
           "sync 1 MiB": ("httpd_sync", "once", b"/1m", BODIES)}


def instructions(of):
    """{figure: guest instructions of one request}."""
    port = qemu.free_forwards({80: 0})[80]
    figures = {}
    with of.boot(net="user", forwards={80: port}, icount=0, sleep=True) as guest:
        for program in ("httpd_asyncio", "httpd_sync"):
            with guest.serving(program):
                for name, (server, method, path, count) in COUNTED.items():
                    if server == program:
                        figures[name] = _cost(guest, Client(port), method, path, count)
    return figures


def _cost(guest, client, method, path, count):
    request = getattr(client, method)
    for _ in range(WARM):
        request(path)
    total = guest.instructions(lambda: [request(path) for _ in range(count)])
    client.close()
    return total / count


def wall(of):
    """{figure: requests or MB a second}, free running, with wrk."""
    port = qemu.free_forwards({80: 0})[80]
    with of.boot(net="user", forwards={80: port}) as guest, guest.serving("httpd_asyncio"):
        figures = {f"wrk c={c}": wrk(port, "/1k", c)[0] for c in (1, 8)}
        figures["1 MiB bodies"] = wrk(port, "/1m", 1)[1]
    return figures


def wrk(port, path, connections):
    """(requests/s, MB/s) of one run of wrk."""
    if not shutil.which("wrk"):
        raise ValueError("wrk is missing: tools/packages.sh test installs it")
    words = ["wrk", "-t1", f"-c{connections}", f"-d{WRK_TIME}", "--timeout", "20s", f"http://127.0.0.1:{port}{path}"]
    said = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
    if re.search(r"Socket errors|Non-2xx", said):
        raise ValueError(f"wrk had errors:\n{said}")
    amount, unit = re.search(r"Transfer/sec:\s*([\d.]+)(\w+)", said).groups()
    scale = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}[unit]  # wrk's are binary
    return float(re.search(r"Requests/sec:\s*([\d.]+)", said)[1]), float(amount) * scale / 1e6


def measure(of):
    return {**instructions(of), **wall(of)}
