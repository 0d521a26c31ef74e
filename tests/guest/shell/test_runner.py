"""The runner itself: a script that raises, prints something else or hangs fails, with what the console said."""

import pytest

import rawrepl
import vm as console


def test_traceback(vm):
    printed, error = rawrepl.run(vm, "print('before')\nassert 1 == 2, 'no'\nprint('after')")
    assert printed == "before\n" and "line 2" in error and "AssertionError: no" in error


def test_fresh_interpreter(vm):
    assert rawrepl.run(vm, "left_behind = 1\nimport json") == ("", "")
    assert "NameError" in rawrepl.run(vm, "left_behind")[1]
    assert rawrepl.run(vm, "import sys\nprint('json' in sys.modules)") == ("False\n", "")


def test_hang(vm):
    """A script that does not end fails within its limit, with the console's last lines; Ctrl-C gets the machine back."""
    rawrepl.enter(vm)
    with pytest.raises(console.VMError, match=r"within 1 s\nthe console's last lines:\n(.*\n)*.*last words"):
        rawrepl.execute(vm, "print('last words')\nwhile True: pass", 1)
    vm.send(rawrepl.INTERRUPT)
    vm.expect(rb"KeyboardInterrupt.*\x04>", 20)
    rawrepl.leave(vm)
