"""The command `python`: MicroPython's prompt in the session."""

import pytest

import pyprompt
import vm as console
from pyprompt import evaluate


@pytest.fixture
def python(vm):
    """The machine at the prompt of `python`."""
    greeting = pyprompt.enter(vm)
    assert "MicroPython v1.25.0" in greeting and "Ctrl-D" in greeting
    yield vm
    vm.send("\x03\x04")
    vm.wait_prompt(20)


def test_expressions(python):
    assert evaluate(python, "6 * 7") == "42\n"
    assert evaluate(python, "_ + 1") == "43\n"
    assert evaluate(python, "x = 5") == ""
    assert evaluate(python, "print('é', x)") == "é 5\n"
    assert evaluate(python, "None") == ""
    assert evaluate(python, "import sys; sys.platform") == "'keelback'\n"


def test_errors(python):
    assert evaluate(python, "1 // 0") == 'Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\nZeroDivisionError: divide by zero\n'
    assert "SyntaxError" in evaluate(python, "a b")
    assert "NameError: name 'nosuch' isn't defined" in evaluate(python, "nosuch")
    assert evaluate(python, "1") == "1\n"


def test_deep_traceback(python):
    """A recursion without end ends in a traceback, and the prompt is back in reasonable time."""
    evaluate(python, "endless = lambda: endless()")
    assert "RuntimeError: maximum recursion depth exceeded" in evaluate(python, "endless()", 60)


def test_blocks(python):
    """A block is indented for the user and ends at an empty line; Ctrl-C drops it."""
    python.send("for i in range(3):\r")
    python.expect(rb"\.\.\.     \Z", 10)
    python.send("print(i)\r")
    python.expect(rb"\.\.\.     \Z", 10)
    assert evaluate(python, "").endswith("0\n1\n2\n")
    python.send("def dropped():\r")
    python.expect(rb"\.\.\.     \Z", 10)
    python.send("\x03")
    python.expect(rb">>> \Z", 10)
    assert "NameError" in evaluate(python, "dropped")


def test_paste_mode(python):
    python.send("\x05")
    python.expect(rb"paste mode.*=== \Z", 10)
    python.send("def g(n):\r    if n:\r        return n * g(n - 1)\r    return 1\r\rprint(g(10))\r\x04")
    assert "3628800" in console.plain(python.expect(rb"(.*)>>> \Z", 20)[1])


def test_pasted_block(python):
    """Lines that arrive in one piece are not indented once more."""
    python.send("if True:\r    x = 1\r    y = 2\r\rx + y\r")
    assert "3\n" in console.plain(python.expect(rb"\r\n3\r\n>>> \Z", 20)[0])


def test_completion(python):
    python.send("import sys\r")
    python.expect(rb">>> \Z", 10)
    python.send("sys.byteo\t")
    python.expect(rb"byteo.*rder\Z", 10)
    python.send("\r")
    python.expect(rb"'little'\r\n>>> \Z", 10)


@pytest.mark.parametrize("loop", ["while True: pass", "any(0 for i in range(1 << 60))", "import time; time.sleep(1000)",
                                  "import asyncio\nasync def f(): await asyncio.sleep(1000)\nasyncio.run(f())", "input()"])
def test_interrupt(python, loop):
    python.send(f"exec({loop!r})\r")
    python.expect(rb"\)\r\n", 10)
    with pytest.raises(console.VMError):
        python.expect(rb">>> \Z", 1)
    python.send("\x03")
    assert "KeyboardInterrupt" in console.plain(python.expect(rb"(.*)>>> \Z", 20)[1])


def test_leave_and_come_back(vm):
    """Ctrl-D and SystemExit return to the shell; names stay."""
    pyprompt.enter(vm)
    evaluate(vm, "kept = 'still here'")
    pyprompt.leave(vm)
    pyprompt.enter(vm)
    assert evaluate(vm, "kept") == "'still here'\n"
    vm.send("raise SystemExit\r")
    vm.wait_prompt(20)


def test_background_task(vm):
    """A task created at the prompt goes on while the shell waits, and stackall shows it."""
    pyprompt.enter(vm)
    evaluate(vm, "exec('import asyncio\\nticks = []\\nasync def ticking():\\n  while len(ticks) < 200:\\n"
                 "    ticks.append(1)\\n    await asyncio.sleep_ms(10)\\ntask = asyncio.create_task(ticking())')")
    pyprompt.leave(vm)
    assert "in ticking" in vm.command("stackall")
    pyprompt.enter(vm)
    first = int(evaluate(vm, "len(ticks)"))
    evaluate(vm, "import time")
    second = int(evaluate(vm, "len(ticks)"))
    assert second >= first > 0
    assert evaluate(vm, "task.cancel()") == "True\n"
    pyprompt.leave(vm)
