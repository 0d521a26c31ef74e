"""The report of a fault: cause, registers, functions, Python lines; then what the option fault= says."""

import re

import pytest

import pyprompt
import vm as console

PROGRAM = """import mem, micropython
@micropython.viper
def peek(a: int) -> int: return ptr8(a)[0]
@micropython.viper
def poke(a: int): ptr8(a)[0] = 1
@micropython.native
def native(a): return a
def execute(a):
    f = native
    words = [mem.r64(id(f) + 8 * i) for i in range(8)]
    base, size = mem.image()
    for i, w in enumerate(words):
        if not base <= w < base + size and (mem.attr(w) or '')[2:3] == 'x': mem.w64(id(f) + 8 * i, a)
    f(1)
def outer(f, a): f(a)
"""


@pytest.fixture
def faulty(boot):
    """A function that boots with load options, makes a fault and returns the machine and the report."""
    def start(call, append=""):
        machine = boot(append=append)
        pyprompt.enter(machine)
        pyprompt.evaluate(machine, f"exec({PROGRAM!r}, globals())")
        machine.send(call + "\r")
        m = machine.expect(rb"\r\nfault: .*?python:\r\n.*?\r\n(halted|resetting|powering off)\r\n", 30)
        return machine, console.plain(m[0])
    return start


@pytest.mark.parametrize("call, cause", [
    ("outer(peek, 16)", r"page fault \(vector 14, error 0\): read of 0{14}10, not mapped"),
    ("outer(poke, mem.text()[0])", r"page fault \(vector 14, error 3\): write of [0-9a-f]{16}, protection"),
    ("outer(execute, mem.dma(4096).addr)", r"page fault \(vector 14, error 11\): execution of [0-9a-f]{16}, protection"),
    ("outer(peek, -(1 << 62))", r"(general protection fault \(vector 13, error 0\)|page fault .*)"),
])
def test_report(faulty, call, cause):
    machine, report = faulty(call)
    assert re.search("fault: " + cause + "\n", report), report
    for register in ("rip", "rsp", "rflags", "rax", "r15", "cr2", "cr3"):
        assert re.search(rf"\b{register} +[0-9a-f]{{16}}", report), register
    assert re.search(r"image\+[0-9a-f]+ \w+\+[0-9a-f]+\n", report)
    assert "<string>:15 outer" in report.split("python:\n")[1]
    assert report.endswith("halted\n") and machine.process.poll() is None


def test_reset(faulty):
    machine, report = faulty("outer(peek, 16)", "fault=reset")
    assert report.endswith("resetting\n")
    machine.wait_reset()


def test_off(faulty):
    machine, report = faulty("outer(peek, 16)", "fault=off")
    assert report.endswith("powering off\n")
    assert machine.wait_exit(30) == 0


def test_corrupt_stack_of_python(faulty):
    """A report that meets a fault itself ends in one line: Python's objects were overwritten before."""
    machine, report = faulty("outer(poke, 8)", "fault=off fault=halt")
    assert report.endswith("halted\n")  # the last option wins


def test_stack_overflow(boot):
    """C code that recurses without end is stopped by the guard page, and Python goes on."""
    machine = boot()
    pyprompt.enter(machine)
    pyprompt.evaluate(machine, "a = []")
    pyprompt.evaluate(machine, "exec('for i in range(100000): a = [a]')", 60)
    for _ in range(3):
        assert "RuntimeError: maximum recursion depth exceeded" in pyprompt.evaluate(machine, "a == [a]", 60)
    assert pyprompt.evaluate(machine, "print(6 * 7)") == "42\n"
