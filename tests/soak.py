#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Load a machine with HTTP, SSH, TCP, UDP and ping over a wire with faults, and see whether anything is left over.

    make soak [MINUTES=10] [SEED=1]          as root: it makes a network namespace

The machine runs `net-virtio ... debug` (HTTP profiles on 80, SSH on 22) and services.py. Every worker repeats its work until
the time is over; trouble changes every ten seconds. Then all rest until lwIP has dropped what it waits for, and the
network's memory, Python's heap, the tasks and the open connections must be what they were after a first round without
trouble. Every failure is printed as it comes; the last line is the verdict, and the exit status says the same.
"""
import argparse
import collections
import contextlib
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/wire")]
import netns  # noqa: E402
import rig as rigs  # noqa: E402
import traffic  # noqa: E402
from peer import Peer  # noqa: E402
from relay import Relay, Trouble  # noqa: E402

TROUBLE_TIME = 10   # s with one kind of trouble
REST = 75           # s: lwIP drops fragments after 60, and forgets a connection 60 after its end
WORK_LIMIT = 120    # s, for one piece of work: longer, and it is stuck
SLACK_NETWORK = 64 << 10    # bytes
SLACK_HEAP = 256 << 10      # bytes: modules that were loaded in the meantime, histories, caches
KINDS = (Trouble(), Trouble(loss=0.02), Trouble(duplicate=0.1, reorder=0.05), Trouble(delay=0.02, jitter=0.02),
         Trouble(corrupt=0.01), Trouble(loss=0.01, duplicate=0.02, reorder=0.05, corrupt=0.005, delay=0.005), Trouble(rate=1e6))
SSH = ("ssh", "-F", "none", "-o", "LogLevel=ERROR", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=60",
       "-o", "IdentityAgent=none", f"root@{rigs.GUEST}")
STATE = ("import gc, mem, netif, services, asyncio; from shell import tasks; gc.collect(); gc.collect(); "
         "print(netif.memory()[0], gc.mem_alloc(), len(tasks.alive()), services.count['open'])")


class Soak:
    """The rig, what was done, and what went wrong."""

    def __init__(self, rig, seed):
        self.rig, self.seed = rig, seed
        self.done, self.failures = collections.Counter(), []
        self.until, self._lock = 0, threading.Lock()

    # ---- pieces of work: each once ------------------------------------------------------------------------------

    def http(self, rnd):
        path = rnd.choice(("", "heap", "goroutine?debug=2", "cmdline", "nothing"))
        words = ("curl", "-sS", "-m", WORK_LIMIT, "-o", "/dev/null", "-w", "%{http_code}", f"http://{rnd.choice(WEB)}/debug/pprof/{path}")
        code = self.rig.host.run(*words, limit=2 * WORK_LIMIT).stdout
        assert code == ("404" if path == "nothing" else "200"), f"HTTP status {code} for /debug/pprof/{path}"

    def ssh(self, rnd):
        done = self.rig.host.run(*SSH, "uptime", limit=WORK_LIMIT, check=False)
        assert done.returncode == 0 and done.stdout.strip(), f"ssh: status {done.returncode} {done.stderr.strip()}"

    def tcp(self, rnd):
        size, address = rnd.randrange(1 << 18), rnd.choice(rigs.BOTH)
        rnd.choice((traffic.upload, traffic.download))(self.rig.host, address, size)

    def leave(self, rnd):
        """Connect, speak a little, and go away in the middle."""
        with self.rig.host.connect((rnd.choice(rigs.BOTH), rnd.choice((7, 19, 22, 80))), WORK_LIMIT) as s:
            s.sendall(rnd.randbytes(rnd.randrange(1, 400)))

    def udp(self, rnd):
        assert traffic.udp_echo(self.rig.host, rnd.choice(rigs.BOTH), rnd.randbytes(rnd.randrange(3000)), tries=60, limit=1)

    def ping(self, rnd):
        words = ("-c20", "-i0.05", "-W2", "-s", rnd.choice((56, 1400, 4000)), rnd.choice(rigs.BOTH))
        assert " 0 received" not in self.rig.host.run("ping", *words, check=False).stdout, "no ping of 20 was answered"

    WORK = ("http", "http", "ssh", "tcp", "tcp", "leave", "udp", "ping")  # a worker each

    # ---- all of it ----------------------------------------------------------------------------------------------

    def worker(self, name, number):
        rnd = random.Random(self.seed * 1000 + number)
        while time.monotonic() < self.until:
            start = time.monotonic()
            try:
                getattr(self, name)(rnd)
            except (AssertionError, OSError, netns.NamespaceError) as e:
                self.fail(f"{name}: {e or type(e).__name__}")
            if time.monotonic() - start > WORK_LIMIT:
                self.fail(f"{name}: stuck for {time.monotonic() - start:.0f} s")
            with self._lock:
                self.done[name] += 1

    def fail(self, text):
        with self._lock:
            self.failures.append(text)
        print(f"FAILED {text.splitlines()[0]}", flush=True)

    def load(self, seconds, kinds):
        """Let all workers work for so long, with the kinds of trouble one after the other."""
        self.until = time.monotonic() + seconds
        threads = [threading.Thread(target=self.worker, args=(name, n)) for n, name in enumerate(self.WORK)]
        for thread in threads:
            thread.start()
        n = 0
        while time.monotonic() < self.until:
            kind = kinds[n % len(kinds)]
            self.rig.relay.trouble(kind)
            n += 1
            time.sleep(max(0, min(TROUBLE_TIME, self.until - time.monotonic())))
        self.rig.relay.trouble(Trouble())
        for thread in threads:
            thread.join()

    def state(self):
        """(bytes of the network, bytes of Python's heap, tasks, open connections), after a rest."""
        time.sleep(REST)
        return tuple(map(int, self.rig.python(STATE, limit=60).split()[-4:]))

    def verdict(self, before, after):
        network, heap, tasks, connections = (b - a for a, b in zip(before, after))
        for what, more, slack in (("bytes of the network", network, SLACK_NETWORK), ("bytes of the heap", heap, SLACK_HEAP),
                                  ("tasks", tasks, 0), ("connections", connections, 0)):
            if more > slack:
                self.fail(f"{more} {what} more than before")
        return not self.failures


WEB = (rigs.GUEST, f"[{rigs.GUEST6}]")


@contextlib.contextmanager
def machine():
    """A Rig on a relay, with debug servers."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="keelback-soak-"))
    try:
        with netns.Namespace() as host, Peer(folder) as peer:
            rig = rigs.Rig(folder, host, net=peer.net)
            rig.relay = Relay(peer, host)
            try:
                rig.start(rigs.STATIC + " debug")
                yield rig
            finally:
                rig.close_machine()
                rig.relay.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if netns.why():
        sys.exit(f"soak: {netns.why()}")
    start = time.monotonic()
    with machine() as rig:
        soak = Soak(rig, args.seed)
        soak.load(20, KINDS[:1])
        before = soak.state()
        soak.load(args.minutes * 60, KINDS)
        after = soak.state()
        good = soak.verdict(before, after)
        print(rig.vm.command("net"))
    done = ", ".join(f"{count} {name}" for name, count in sorted(soak.done.items()))
    print(f"before: {before}, after: {after} (network, heap, tasks, connections)")
    print(f"soak {'passed' if good else 'FAILED'}: {done}; {len(soak.failures)} failures in {time.monotonic() - start:.0f} s")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
