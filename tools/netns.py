"""Network namespaces: a network of one's own for tests and measurements, gone with the process that made it.

    with Cable() as cable:                      # a machine's tap and the host's eth0 on one switch
        Machine(qemu.Options(net=f"tap:{TAP}", prefix=cable.switch.prefix, ...))
        cable.host.run("ping", "-c1", "10.0.0.1")

A namespace lives as long as a process in it: one that waits for the end of a pipe from here. Nothing outside of it is
changed, and nothing is left behind, whatever ends us. Needs root (CAP_SYS_ADMIN); why() says what else is missing.
Source: network_namespaces(7), nsenter(1), setns(2), veth(4), ip-netns(8).
"""

import concurrent.futures
import contextlib
import ctypes
import functools
import os
import pathlib
import shutil
import socket
import subprocess

HOST, HOST6 = "10.0.0.2/24", "fd00::2/64"  # the host's addresses, as the documentation has them
TAP = "tap0"
TUN = pathlib.Path("/dev/net/tun")
LIMIT = 60  # s, for a command in a namespace
CLONE_NEWNET = 0x40000000


class NamespaceError(Exception):
    """A namespace or something in it cannot be made; the text is one line."""


@functools.cache
def why():
    """Return why no test network can be made here, one line, or "" where one can."""
    if os.geteuid() != 0:
        return "needs root for a network namespace"
    for tool in ("unshare", "nsenter", "ip", "tc", "ethtool"):
        if not shutil.which(tool):
            return f"needs {tool}"
    if not TUN.exists():
        return f"needs {TUN}"
    try:
        Cable().close()
    except NamespaceError as e:
        return str(e)
    return ""


class Namespace:
    """One network namespace. prefix: the words to put before a command that is to run in it."""

    def __init__(self):
        self._pipe, end = os.pipe()
        try:
            self._holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=self._pipe,
                                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        finally:
            os.close(self._pipe)
            self._pipe = end
        if self._holder.stdout.readline() != "\n":
            self.close()
            raise NamespaceError(f"no network namespace here: {self._holder.stderr.read().strip()}")
        self.pid = self._holder.pid
        self.path = f"/proc/{self.pid}/ns/net"
        self.prefix = ("nsenter", f"--net={self.path}", "--")
        self._thread = concurrent.futures.ThreadPoolExecutor(1, initializer=self._enter)
        self.run("ip", "link", "set", "lo", "up")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        """Give the namespace up; it is gone when the last process in it is."""
        os.close(self._pipe)
        self._holder.wait()
        if hasattr(self, "_thread"):
            self._thread.shutdown()

    def run(self, *words, limit=LIMIT, check=True, **options):
        """Run a command here to its end and return what subprocess.run() does, with text. Raises NamespaceError."""
        try:
            done = subprocess.run([*self.prefix, *map(str, words)], timeout=limit, text=options.pop("text", True),
                                  **{"stdin": subprocess.DEVNULL, "capture_output": True, **options})
        except subprocess.TimeoutExpired:
            raise NamespaceError(f"not done within {limit} s: {' '.join(map(str, words))}")
        if check and done.returncode:
            raise NamespaceError(f"{' '.join(map(str, words))}: {(done.stderr or done.stdout or '').strip()}")
        return done

    @contextlib.contextmanager
    def started(self, *words, **options):
        """A command that runs here for as long as the with statement does: a subprocess.Popen."""
        process = subprocess.Popen([*self.prefix, *map(str, words)], **{"stdin": subprocess.DEVNULL, **options})
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def call(self, function, *args, **options):
        """Call a function on a thread that is in this namespace: sockets that it makes belong here, for all threads."""
        return self._thread.submit(function, *args, **options).result()

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
        """Make a socket that belongs here."""
        return self.call(socket.socket, family, kind, protocol)

    def connect(self, address, limit=20):
        """Connect by TCP to (host, port), an IPv6 host too; the socket's time limit is then limit, in s."""
        return self.call(socket.create_connection, address, limit)

    def _enter(self):
        """Move the calling thread here."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open(self.path) as f:
            if libc.setns(f.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")


class Cable:
    """Two namespaces: a switch with a tap for a machine, and a host with eth0 on it, at 10.0.0.2/24 and fd00::2/64.

    The machine's frames reach the host with their checksums complete, whoever computed them: the switch's side of the
    wire has no checksum offload, so that the kernel does what a card would, and tcpdump at eth0 judges the result. The
    other way eth0 offloads: a machine that can take partial checksums and gets them. RA from others is not listened to.
    """

    def __init__(self, mtu=1500):
        self.host, self.switch = Namespace(), None
        try:
            self.switch = Namespace()
            self._lay(mtu)
        except NamespaceError:
            self.close()
            raise

    def _lay(self, mtu):
        ip = functools.partial(self.switch.run, "ip")
        ip("tuntap", "add", TAP, "mode", "tap")
        ip("link", "add", "switch", "mtu", mtu, "type", "bridge", "mcast_snooping", "0")
        ip("link", "add", "port", "mtu", mtu, "type", "veth", "peer", "name", "eth0", "mtu", mtu, "netns", self.host.pid)
        self.switch.run("ethtool", "-K", "port", "tx", "off")
        for port in (TAP, "port"):
            ip("link", "set", port, "mtu", mtu, "master", "switch", "up")
        for namespace, device in ((self.switch, "switch"), (self.switch, TAP), (self.switch, "port"), (self.host, "eth0")):
            flags = {"accept_ra": 0, "accept_dad": 0} | ({"disable_ipv6": 1} if device != "eth0" else {})
            namespace.run("sh", "-c", "; ".join(f"echo {value} >/proc/sys/net/ipv6/conf/{device}/{name}" for name, value in flags.items()))
        ip("link", "set", "switch", "up")
        for words in (("link", "set", "eth0", "up"), ("addr", "add", HOST, "dev", "eth0"), ("addr", "add", HOST6, "dev", "eth0", "nodad")):
            self.host.run("ip", *words)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        for namespace in filter(None, (self.host, self.switch)):
            namespace.close()
