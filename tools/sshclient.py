"""OpenSSH's client for tests: its command line, and a terminal for it. It reads no configuration and keeps no host keys."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time


def command(port, *options, host="127.0.0.1"):
    """Return the words that start the client; of an option given twice the first counts."""
    return ["ssh", *options, "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
            "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-p", str(port), f"someone@{host}"]


class Terminal:
    """OpenSSH's client on a pseudo-terminal."""

    def __init__(self, command, *words, columns=80):
        self.master, slave = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen([*command, *words], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.seen = b""

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def expect(self, text, limit=20):
        """Wait for bytes, and return what came before them."""
        deadline = time.monotonic() + limit
        while text not in self.seen:
            assert self._more(deadline), self.seen
        before, _, self.seen = self.seen.partition(text)
        return before

    def send(self, data):
        os.write(self.master, data)

    def _more(self, deadline):
        """Read on. -> False at the end"""
        left = deadline - time.monotonic()
        assert left > 0 and select.select([self.master], [], [], left)[0], self.seen
        try:
            self.seen += os.read(self.master, 65536)
        except OSError:
            return False
        return True

    def end(self, limit=20):
        """Read to the end. -> (what came, exit status)"""
        while self._more(time.monotonic() + limit):
            pass
        os.close(self.master)
        return self.seen, self.process.wait(limit)
