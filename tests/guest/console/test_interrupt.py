"""Ctrl-C reaches everything that computes, sleeps or waits; KeyboardInterrupt is caught or ends the program."""

import pytest

import rawrepl
import vm as console


@pytest.fixture
def raw(vm):
    """The machine in the raw REPL of a fresh interpreter."""
    rawrepl.enter(vm)
    yield vm
    rawrepl.leave(vm)


def interrupted(vm, code, limit=20):
    """Run code that prints "go" and does not end; interrupt it; return (what it printed, its traceback)."""
    vm.send(code.encode() + rawrepl.END)
    vm.expect(rb"OK", 20)
    vm.expect(rb"go\r\n", 20)
    with pytest.raises(console.VMError):
        vm.expect(rb"\x04", 0.5)
    vm.send(rawrepl.INTERRUPT)
    m = vm.expect(rb"(.*?)\x04(.*?)\x04>", limit)
    return console.plain(m[1]), console.plain(m[2])


@pytest.mark.parametrize("code", [
    "print('go')\nwhile True: pass",
    "def f():\n  f2()\ndef f2():\n  while True:\n    try: 1 // 0\n    except ZeroDivisionError: pass\nprint('go'); f()",
    "import time\nprint('go'); time.sleep(1000)",
    "import time\nprint('go'); time.sleep_ms(1000000)",
    "import time\nprint('go')\nwhile True: time.sleep_us(100)",
    "import sys\nprint('go'); sys.stdin.read(1)",
    "import sys\nprint('go'); sys.stdin.buffer.read(5)",
    "import select, sys\np = select.poll(); p.register(sys.stdin.buffer, 1); print('go'); p.poll()",
    "import asyncio\nasync def f():\n  await asyncio.sleep(1000)\nprint('go'); asyncio.run(f())",
    "import machine\nprint('go')\nwhile True: machine.idle()",
    "print('go')\nsum(x for x in range(1 << 60))",
    "import gc\nprint('go')\nwhile True: gc.collect()",
    "l = [3, 1] * 100\nprint('go')\nwhile True: l.sort(); l.reverse()",
])
def test_interrupt(raw, code):
    assert "KeyboardInterrupt" in interrupted(raw, code)[1]


NATIVE = """
import micropython
@micropython.{}
def spin():
    while True:
        {}
print('go')
spin()
"""


@pytest.mark.parametrize("code", [
    NATIVE.format("native", "pass"),
    NATIVE.format("viper", "pass"),
    NATIVE.format("native", "len('')"),
    NATIVE.format("native", "try: 1 // 0\n        except ZeroDivisionError: pass"),
    "print('go'); sum(range(1 << 60))",
    "print('go'); max(iter(range(1 << 60)))",
    "print('go'); (1 << 61) in range(1 << 60)",
    "l = list(range(1000)) * 1000\nprint('go'); l.sort()",
    "x = 7\nprint('go'); x ** 3000000",
    "x = 10 ** 20000\nprint('go')\nwhile x: str(x)",
    "import re\nprint('go'); re.match('(a|a)(a|a)' * 20 + 'b', 'a' * 40)",
    "import re\nprint('go'); re.match('a?' * 40 + 'a' * 40, 'a' * 40)",
], ids=["native", "viper", "native calls", "native raises", "sum", "max", "in", "sort", "pow", "str", "re star", "re optional"])
def test_interrupt_beyond_bytecode(raw, code):
    """Machine code, and loops in C, where the virtual machine does not look for interrupts; all goes on behind it."""
    assert "KeyboardInterrupt" in interrupted(raw, code)[1]
    assert rawrepl.execute(raw, "import gc; gc.collect(); print(sum(range(10)), 3 ** 100 % 1000, sorted([3, 1, 2]))") \
        == ("45 1 [1, 2, 3]\n", "")


def test_native_caught(raw):
    """A function compiled to machine code may catch it."""
    code = ("import micropython\n@micropython.native\ndef f():\n  try:\n    while True: pass\n"
            "  except KeyboardInterrupt: return 'caught'\nprint('go'); print(f())\n")
    assert interrupted(raw, code) == ("caught\n", "")


def test_caught(raw):
    """A program may catch it and go on; finally clauses run."""
    code = "try:\n  print('go')\n  while True: pass\nexcept KeyboardInterrupt: print('caught')\nfinally: print('cleaned')\n"
    assert interrupted(raw, code) == ("caught\ncleaned\n", "")


def test_disabled(raw):
    """micropython.kbd_intr(-1) makes Ctrl-C a byte like any other."""
    code = "import micropython, sys\nmicropython.kbd_intr(-1)\nprint('go')\nb = sys.stdin.buffer.read(1)\nmicropython.kbd_intr(3)\nprint(b)"
    assert interrupted(raw, code) == ("b'\\x03'\n", "")


def test_flood(raw):
    """A hundred Ctrl-C at once are one interrupt after the other, no more."""
    raw.send(b"print('go')\nwhile True: pass" + rawrepl.END)
    raw.expect(rb"go\r\n", 20)
    raw.send(rawrepl.INTERRUPT * 100)
    raw.expect(rb"KeyboardInterrupt.*\x04>", 20)
    assert rawrepl.execute(raw, "print(1)") == ("1\n", "")
