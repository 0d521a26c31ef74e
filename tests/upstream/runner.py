"""Run MicroPython's tests/run-tests.py, as it is, and read what it says; replace a machine that dies or hangs.

A Result is (status, detail): status is "pass", "skip" or "FAIL", detail what a failing test printed, and expected.
"""

import os
import queue
import re
import subprocess
import sys
import threading
import time

import qemu
from board import Board
from suite import KINDS, MPY_CROSS, UNIX, WORK, make_tree, make_volume
from vm import VMError

SILENCE = 90    # s without a test's end before a machine counts as hung
DETAIL = 15     # lines of a failing test's output that are kept
_LINE = re.compile(r"(pass|skip|FAIL) +(\S+\.py)")
_LOST = (b"could not enter raw repl", b"timeout waiting for first EOF reception",
         b"timeout waiting for second EOF reception", b"could not exec command")


class Runner:
    """Something to run tests on. kind: see suite.KINDS; name: its folders' name."""

    def __init__(self, name):
        self.tree = make_tree(name)
        self.results = self.tree / "results"

    def close(self):
        pass

    def run(self, kind, names):
        """Yield (name, status, detail) for each test, in any order."""
        raise NotImplementedError

    def start(self, target, kind, names):
        """Start run-tests.py on tests; its standard output comes line by line."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "MICROPY_MICROPYTHON": str(UNIX),
                       "MICROPY_MPYCROSS": str(MPY_CROSS)}
        command = [sys.executable, "run-tests.py", "-j", "1", "-t", target, "-r", self.results, *KINDS[kind], *names]
        return subprocess.Popen(command, cwd=self.tree / "tests", env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")

    def printed(self, name, ending):
        """Return what a failing test printed (ending "out") or should have (ending "exp"), as bytes."""
        path = self.results / f"{name.replace('/', '_')}.{ending}"
        return path.read_bytes() if path.exists() else b""

    def detail(self, name):
        """Return the end of what a failing test printed, from the first line that was not expected."""
        got, wanted = (self.printed(name, e).decode(errors="replace").splitlines() for e in ("out", "exp"))
        same = next((i for i, pair in enumerate(zip(got, wanted)) if pair[0] != pair[1]), min(len(got), len(wanted)))
        return "\n".join([f"- {line}" for line in wanted[same:same + DETAIL]] +
                         [f"+ {line}" for line in got[same:same + DETAIL]])


class UnixRunner(Runner):
    """The unix port, for comparison: the same tests, each in a process of its own."""

    def run(self, kind, names):
        process = self.start("unix", kind, names)
        for line in process.stdout:
            m = _LINE.match(line)
            if m:
                yield m[2], m[1], self.detail(m[2]) if m[1] == "FAIL" else ""
        process.wait()


class BoardRunner(Runner):
    """A machine, booted when it is needed, and again when a test has taken it down."""

    def __init__(self, name):
        super().__init__(name)
        self.volume = make_volume(name)
        self.board = None

    def close(self):
        if self.board:
            self.board.__exit__()
            self.board = None

    def run(self, kind, names):
        left = list(names)
        while left:
            before = len(left)
            for name, status, detail in self._attempt(kind, left):
                left.remove(name)
                yield name, status, detail
            if left:  # the machine is lost, or the runner has failed
                self.close()
            if left and len(left) == before:
                yield left.pop(0), "FAIL", self.said

    def _attempt(self, kind, names):
        """Yield results until all are there, or the machine is lost."""
        if not self.board:
            self.board = Board(qemu.Options.from_environment(volume=self.volume)).__enter__()
        process = self.start(self.board.device, kind, names)
        try:
            yield from self._follow(read_lines(process.stdout), list(names))
        finally:
            process.kill()
            process.wait()

    def _follow(self, lines, waiting):
        """Yield results from the runner's lines. waiting: the tests in their order."""
        self.said = ""
        while waiting:
            try:
                line = lines.get(timeout=SILENCE)
            except queue.Empty:
                yield waiting[0], "FAIL", f"silent for {SILENCE} s; {self._fate()}"
                return
            if line is None:
                return
            m = _LINE.match(line)
            if not m:
                self.said = (self.said + line)[-2000:]
                continue
            waiting.remove(m[2])
            if m[1] == "FAIL" and self.printed(m[2], "out").startswith(_LOST):
                yield m[2], "FAIL", self._fate()
                return
            yield m[2], m[1], self.detail(m[2]) if m[1] == "FAIL" else ""

    def _fate(self):
        """Say what has become of the machine."""
        state = "hangs" if self.board.alive() else "has ended"
        return f"the machine {state}; the console's last lines:\n{self.board.tail()}"


def read_lines(stream):
    """Return a queue that a thread fills with a stream's lines, and None at its end."""
    lines = queue.Queue()

    def fill():
        for line in stream:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=fill, daemon=True).start()
    return lines


def run_all(runners, jobs):
    """Share out jobs, (kind, names) each, among runners, and return {(kind, name): (status, detail)}.

    Each test's end is written to WORK/log, with the time since the start in s.
    """
    waiting, results, begin = queue.Queue(), {}, time.monotonic()
    for job in jobs:
        waiting.put(job)

    def work(runner):
        try:
            while True:
                kind, names = waiting.get_nowait()
                for name, status, detail in runner.run(kind, names):
                    results[kind, name] = status, detail
                    log.write(f"{time.monotonic() - begin:7.1f} {runner.tree.name} {kind} {status} {name}\n")
        except queue.Empty:
            pass
        finally:
            runner.close()

    with open(WORK / "log", "a", buffering=1) as log:
        threads = [threading.Thread(target=work, args=(r,)) for r in runners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return results
