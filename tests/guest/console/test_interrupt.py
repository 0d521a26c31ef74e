"""Ctrl-C reaches bytecode that computes, and whatever sleeps or waits; KeyboardInterrupt is caught or ends the program."""

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
