#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Count every instruction that Keelback executes for some work, by function: where the figures of `make bench` come from.

    tools/instrprofile.py keep|close|mib|sync|ping|udp|to-guest|from-guest|ssh [--count N] [--top N]

keep, close, mib and sync are the requests of the part `http`, on a kept and on a new connection; to-guest and from-guest
64 KiB of bulk data; ssh from the start of OpenSSH's client to its prompt. QEMU executes one instruction at a time and logs the address of each (`log exec,nochain`), through
a pipe, so that any length goes. "entered" counts how often control came to a function from another, calls and returns.
Exact, but slow (some 100,000 instructions a second); what an idle guest does in the meantime is counted too, under its
own names. Functions that the compiler inlined count for their callers. Source: QEMU's accel/tcg/cpu-exec.c for the log.
"""
import argparse
import bisect
import collections
import contextlib
import functools
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/bench")]
import boot  # noqa: E402
import netbulk  # noqa: E402
import netguests  # noqa: E402
import nethttp  # noqa: E402
import netns  # noqa: E402
import netpeer  # noqa: E402
import netssh  # noqa: E402
import qemu  # noqa: E402

BULK = int(os.environ.get("BULK_BYTES") or 65536)      # bytes
REST = 0.4          # s of wall time, until a single-stepping guest is at rest
OUTSIDE = "(outside of the image: native code, firmware)"
_LINE = re.compile(rb"\[[0-9a-f]+/([0-9a-f]+)/")  # Trace 0: host address [cs base/address/flags/...]


class Symbols:
    """Functions of an ELF file that runs at another base."""

    def __init__(self, elf, text):
        """text: the address at which the machine has the section .text."""
        listed = subprocess.run(["nm", "-n", "--defined-only", elf], stdout=subprocess.PIPE, text=True, check=True).stdout
        rows = [line.split() for line in listed.splitlines()]
        found = [(int(address, 16), name) for address, kind, name in rows if kind in "tTwW"]
        sections = subprocess.run(["readelf", "-SW", elf], stdout=subprocess.PIPE, text=True, check=True).stdout
        linked, size = re.search(r" \.text +\w+ +([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+)", sections).groups()
        self._base = text - int(linked, 16)
        self._end = int(linked, 16) + int(size, 16)
        self._addresses, self._names = zip(*found)

    @functools.lru_cache(1 << 20)
    def name(self, address):
        address -= self._base
        at = bisect.bisect_right(self._addresses, address) - 1
        return self._names[at] if at >= 0 and address < self._end else OUTSIDE


class Counter(threading.Thread):
    """Reads QEMU's log from a pipe and counts. of: {function: [instructions, entries]}."""

    def __init__(self, pipe, symbols):
        super().__init__(daemon=True)
        self.of = collections.defaultdict(lambda: [0, 0])
        self._pipe, self._symbols = pipe, symbols
        self.start()

    def run(self):
        last = None
        with open(self._pipe, "rb") as log:
            for line in log:
                m = _LINE.search(line)
                if m:
                    name = self._symbols.name(int(m[1], 16))
                    entry = self.of[name]
                    entry[0] += 1
                    entry[1] += name != last
                    last = name


@contextlib.contextmanager
def over_user(keelback, program, **options):
    """(guest, connect) with a program that serves at port 80."""
    port = qemu.free_forwards({80: 0})[80]
    with keelback.boot(net="user", forwards={80: port}, **options) as guest, guest.serving(program):
        yield guest, port


@contextlib.contextmanager
def http(keelback, program, method, path, **options):
    with over_user(keelback, program, **options) as (guest, port):
        request = getattr(nethttp.Client(port), method)
        yield guest, lambda: request(path)


@contextlib.contextmanager
def bulk(keelback, transfer, **options):
    with over_user(keelback, "bulk", **options) as (guest, port):
        connect = functools.partial(socket.create_connection, ("127.0.0.1", port), netbulk.LIMIT)
        yield guest, lambda: transfer(connect, BULK)


@contextlib.contextmanager
def bulk_tap(keelback, transfer, **options):
    with netns.Cable() as cable, keelback.boot(net=f"tap:{netns.TAP}", prefix=cable.switch.prefix, **options) as guest, guest.serving("bulk"):
        connect = functools.partial(cable.host.connect, (netguests.GUEST, 80), netbulk.LIMIT)
        yield guest, lambda: transfer(connect, BULK)


@contextlib.contextmanager
def echo(keelback, program, round_trip, **options):
    with netpeer.wired(keelback, **options) as (guest, peer), contextlib.ExitStack() as stack:
        guest.network()
        if program:
            stack.enter_context(guest.serving(program))
        yield guest, lambda: round_trip(peer)


@contextlib.contextmanager
def ssh(keelback, **options):
    port = qemu.free_forwards({22: 0})[22]
    with keelback.boot(net="user", forwards={22: port}, **options) as guest:
        guest.network("debug")
        yield guest, lambda: netssh.to_prompt(port)


WORK = {"keep": functools.partial(http, program="httpd_asyncio", method="keep", path=b"/1k"),
        "close": functools.partial(http, program="httpd_asyncio", method="once", path=b"/1k"),
        "mib": functools.partial(http, program="httpd_asyncio", method="keep", path=b"/1m"),
        "sync": functools.partial(http, program="httpd_sync", method="once", path=b"/1k"),
        "to-guest": functools.partial(bulk, transfer=netbulk.upload),
        "from-guest": functools.partial(bulk, transfer=netbulk.download),
        "to-guest-tap": functools.partial(bulk_tap, transfer=netbulk.upload),
        "from-guest-tap": functools.partial(bulk_tap, transfer=netbulk.download),
        "ping": functools.partial(echo, program=None, round_trip=lambda peer: netpeer.pong(peer, 1, bytes(64))),
        "udp": functools.partial(echo, program="udpecho", round_trip=lambda peer: netpeer.echo(peer, bytes(64))),
        "ssh": ssh}


def trace(build, work, count):
    """Boot, do the work count times under the eyes of a Counter, and return that."""
    folder = build / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    keelback = netguests.Keelback(build / "keelback.efi", folder)
    with tempfile.TemporaryDirectory(prefix="keelback-") as temporary:
        pipe = pathlib.Path(temporary) / "log"
        os.mkfifo(pipe)
        with WORK[work](keelback, icount=0, sleep=True) as (guest, do):
            for _ in range(nethttp.WARM):
                do()
            time.sleep(REST)
            counter = Counter(pipe, Symbols(build / "keelback.elf", guest.text))
            boot.single_step(guest.vm, "on")
            monitor = functools.partial(guest.vm.qmp, "human-monitor-command")
            monitor(command_line=f"logfile {pipe}")
            monitor(command_line="log exec,nochain")
            for _ in range(count):
                do()
            time.sleep(REST)
            monitor(command_line="log none")
        counter.join(60)
    return counter


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", choices=WORK)
    parser.add_argument("--count", type=int, default=1, help="how often")
    parser.add_argument("--top", type=int, default=40, help="functions shown")
    parser.add_argument("--build", type=pathlib.Path, default=os.environ.get("BUILD") or ROOT / "build")
    args = parser.parse_args()
    os.environ["ACCEL"] = "tcg"
    counted = trace(args.build.resolve(), args.work, args.count).of
    total = sum(instructions for instructions, _ in counted.values())
    print(f"{args.work}: {total / args.count:.0f} instructions each")
    print(f"{'each':>10} {'share':>6} {'entered':>9}  function")
    for name, (instructions, entered) in sorted(counted.items(), key=lambda item: -item[1][0])[:args.top]:
        print(f"{instructions / args.count:10.0f} {100 * instructions / total:5.1f}% {entered / args.count:9.1f}  {name}")


if __name__ == "__main__":
    main()
