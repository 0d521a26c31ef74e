"""Line numbers of frozen code are those of its source: ours, and MicroPython's asyncio."""

import ast
import pathlib
import re

import qemu
import rawrepl

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCES = {"shell": ROOT, "asyncio": qemu.BUILD / "src" / "micropython" / "extmod"}
CODE = """import asyncio, sys
async def wrong(): await asyncio.wait_for(asyncio.sleep(1), "x")
try: asyncio.run(wrong())
except TypeError as e: sys.print_exception(e)
except ValueError as e: sys.print_exception(e)
"""


def check(text, *expected):
    """Every frame of a frozen file is in a line of the function that it names; expected functions are among them."""
    frames = [(file, int(line), name) for file, line, name in re.findall(r'File "((?:shell|asyncio)/[^"]+)", line (\d+), in (\w+)', text)]
    for file, line, name in frames:
        tree = ast.parse((SOURCES[file.split("/")[0]] / file).read_text())
        spans = [(f.lineno, f.end_lineno) for f in ast.walk(tree) if getattr(f, "name", None) == name]
        assert any(first < line <= last for first, last in spans), (file, line, name)
    assert set(expected) <= {(file, name) for file, _, name in frames}, text


def test_traceback(vm):
    printed, error = rawrepl.run(vm, CODE)
    assert error == ""
    check(printed, ("asyncio/core.py", "run"), ("asyncio/core.py", "run_until_complete"), ("asyncio/funcs.py", "wait_for"))


def test_stackall(vm):
    check(vm.command("stackall"), ("asyncio/core.py", "run_until_complete"), ("shell/session.py", "run"), ("shell/serial.py", "read"))
