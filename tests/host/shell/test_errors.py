"""shell/errors.py: one line for every exception; the log is bounded."""

import io

from check import run, same
from shell import errors
from shell.registry import CommandError

LINES = (
    (CommandError("a  b\nc"), "a b c", True),
    (CommandError(""), "CommandError", True),
    (ValueError(), "ValueError", True),
    (ValueError("x" * 5000), "x" * 512, True),
    (OSError(2), "no such file or directory", True),
    (OSError(14), "address is not mapped", True),
    (OSError(104), "ECONNRESET", True),
    (OSError(9999), "error 9999", True),
    (OSError(), "OSError", True),
    (OSError(5, "disk"), "disk: input/output error", True),
    (KeyboardInterrupt(), "interrupted", True),
    (MemoryError("x"), "out of memory", True),
    (ZeroDivisionError("divide by zero"), "ZeroDivisionError: divide by zero", False),
    (KeyError("k"), "KeyError: k", False),
    (SystemExit(), "SystemExit", False),
)


def test_lines():
    for e, text, foreseen in LINES:
        same((e, errors.describe(e)), (e, (text, foreseen)))


def test_log_is_bounded():
    class Sink(io.IOBase):
        text = ""

        def write(self, text):
            Sink.text += text

    class System:
        stdout = Sink()
        print_exception = errors.sys.print_exception

    def deep(n):
        return deep(n + 1)

    real, errors.sys = errors.sys, System
    try:
        deep(0)
    except RuntimeError as e:
        errors.log(e)
    finally:
        errors.sys = real
    assert Sink.text.startswith("Traceback") and len(Sink.text) <= 4096, len(Sink.text)


run(globals())
