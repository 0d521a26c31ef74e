"""Run MicroPython's tests/run-tests.py and read what it says; replace a machine that dies or hangs.

A result is a status, "pass", "skip" or "FAIL", and for a failure the detail: what was printed, and what was expected.
"""

import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
import time

import qemu
from board import Board
from suite import ARGUMENTS, MPY_CROSS, UNIX, WORK, make_tree, make_volume
from vm import VMError

PATIENCE = 60   # s that a test may print nothing; using up the heap takes 6 on an idle host
SILENCE = 150   # s without a test's end before the runner itself counts as hung
MEMORY = "64M"  # of a machine: several tests use up the heap, and the time that takes grows with its square
DETAIL = 15     # lines of a failing test's output that are kept
# run-tests.py as it is, but with more patience than pyboard.py's 10 s.
_START = f"""
import runpy, sys
sys.path.insert(0, "../tools")
import pyboard
pyboard.Pyboard.exec_raw.__defaults__ = ({PATIENCE}, None)
sys.argv[0] = "run-tests.py"
runpy.run_path(sys.argv[0], run_name="__main__")
"""
_LINE = re.compile(r"(pass|skip|FAIL) +(\S+\.py)")
_LOST = (b"could not enter raw repl", b"timeout waiting for first EOF reception",
         b"timeout waiting for second EOF reception", b"could not exec command")


class Runner:
    """Something to run tests on. name: of its folders. Every kind is one of suite.KINDS."""

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
        command = [sys.executable, "-c", _START, "-j", "1", "-t", target, "-r", self.results, *ARGUMENTS[kind], *names]
        return subprocess.Popen(command, cwd=self.tree / "tests", env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")

    def printed(self, name, ending):
        """Return what a failing test printed (ending "out") or should have (ending "exp"), as bytes."""
        path = self.results / f"{name.replace('/', '_')}.{ending}"
        with contextlib.suppress(FileNotFoundError):  # no .exp for a unittest
            return path.read_bytes()
        return b""

    def wait_printed(self, name):
        """Wait for a failing test's output: run-tests.py writes it after the line that tells, .exp first."""
        path = self.results / f"{name.replace('/', '_')}.out"
        deadline = time.monotonic() + 5
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)

    def detail(self, name):
        """Return the end of what a failing test printed, from the first line that was not expected."""
        self.wait_printed(name)
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
        self.broken = ""  # why no further machine is started

    def close(self):
        if self.board:
            self.board.__exit__()
            self.board = None

    def run(self, kind, names):
        """Yield results. Where the machine lives, a test that fails is run again: some measure time, and hosts are busy."""
        failed = {}
        for name, status, detail in self._run(kind, names):
            if status == "FAIL":
                failed[name] = detail
            else:
                yield name, status.replace("LOST", "FAIL"), detail
        for name, status, detail in self._run(kind, failed):
            again = f"passed when run again; at first:\n{failed[name]}"
            yield name, status.replace("LOST", "FAIL"), again if status == "pass" else detail

    def _run(self, kind, names):
        """Yield results; the status is LOST where the machine or the runner was."""
        left = list(names)
        while left and not self.broken:
            before = len(left)
            try:
                for name, status, detail in self._attempt(kind, left):
                    left.remove(name)
                    yield name, status, detail
            except VMError as e:
                self.broken = f"it does not boot: {e}"
            if left:  # the machine is lost, or the runner has failed
                self.close()
            if left and len(left) == before and not self.broken:
                yield left.pop(0), "LOST", self.said
        for name in left:
            yield name, "LOST", self.broken

    def _attempt(self, kind, names):
        """Yield results until all are there, or the machine is lost."""
        if not self.board:
            options = qemu.Options.from_environment(volume=self.volume, mem=os.environ.get("MEM", MEMORY))
            self.board = Board(options).__enter__()
        process = self.start(self.board.device, kind, names)
        try:
            yield from self._follow(read_lines(process.stdout), list(names))
        finally:
            process.kill()
            process.wait()

    def _follow(self, lines, waiting):
        """Yield results from the runner's lines, until the machine is lost. waiting: the tests in their order."""
        self.said = ""
        while waiting:
            line = self._next_line(lines)
            if line == "":
                yield waiting[0], "LOST", self._fate()
            if not line:
                return
            m = _LINE.match(line)
            if not m:
                self.said = (self.said + line)[-2000:]
                continue
            waiting.remove(m[2])
            detail = self.detail(m[2]) if m[1] == "FAIL" else ""
            if m[1] == "FAIL" and self.printed(m[2], "out").startswith(_LOST):
                yield m[2], "LOST", self._fate()
                return
            yield m[2], m[1], detail

    def _next_line(self, lines):
        """Return the runner's next line, None at its end, or "" if it is silent for too long or the machine has ended."""
        for _ in range(SILENCE):
            with contextlib.suppress(queue.Empty):
                return lines.get(timeout=1)
            if not self.board.alive():
                return ""
        return ""

    def _fate(self):
        """Say what has become of the machine."""
        state = f"was silent for {PATIENCE} s" if self.board.alive() else "has ended"
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
    for kind, names in jobs:
        for name in names:
            results.setdefault((kind, name), ("FAIL", "no result"))
    return results
