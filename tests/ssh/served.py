"""A server on the unix port, and OpenSSH's client for it."""

import json
import os
import pathlib
import socket
import subprocess
import time

import qemu
from sshclient import command

TESTS = pathlib.Path(__file__).parents[1]
MICROPYTHON = qemu.BUILD / "unix" / "micropython"
START_LIMIT = 20   # s
CLIENT_LIMIT = 60  # s, for one run of a client


class Served:
    """A running server: port, log."""

    def __init__(self, folder, keys=None, **limits):
        self.port = free_port()
        self.log = folder / f"server{self.port}.log"
        arguments = [str(self.port), json.dumps(limits)]
        if keys is not None:
            file = folder / f"keys{self.port}"
            file.write_text(keys)
            arguments.append(str(file))
        path = os.pathsep.join(map(str, [TESTS / "fakes", TESTS.parent, ".frozen"]))
        self.process = subprocess.Popen([MICROPYTHON, "-X", "heapsize=16M", TESTS / "ssh" / "serve.py", *arguments],
                                        env={**os.environ, "MICROPYPATH": path}, stdin=subprocess.DEVNULL,
                                        stdout=open(self.log, "w"), stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_LIMIT
        while "SHA256:" not in self.log.read_text():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def raw(self, limit=20):
        """Return a connected socket."""
        s = socket.create_connection(("127.0.0.1", self.port), limit)
        s.settimeout(limit)
        return s

    def command(self, *options, port=None):
        """Return the words that start OpenSSH's client, without what it is to run; of an option given twice the first counts."""
        return command(port or self.port, *options)

    def ssh(self, *words, options=(), input=b"", port=None):
        """Run a command line with OpenSSH's client. -> CompletedProcess, with bytes."""
        return subprocess.run([*self.command(*options, port=port), *words], input=input, capture_output=True, timeout=CLIENT_LIMIT)

    def check(self):
        """Fail unless the server still serves, and nobody foresaw everything that it met."""
        done = self.ssh("t-width")
        assert (done.returncode, done.stdout) == (0, b"width 0\n"), (done, self.log.read_text())
        assert "Traceback" not in self.log.read_text(), self.log.read_text()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
