"""What every file says, and what none may say."""

import ast
import re
import subprocess
import sys

import pytest

import shelldoc
from files import ROOT, name, repository

# Written in pieces, so that this file does not hold them.
FORBIDDEN = ["/wo" + "rk/", "/tmp" + "/k/", "/ro" + "ot/", "debian" + ".org", "pypi" + ".org", "pythonhosted" + ".org",
             "npmjs" + ".org"]


def test_purpose_comes_first():
    wrong = [name(p) for p in repository(".py", ".c", ".h", ".S", ".lds", ".sh", ".mk") if not opens_with_purpose(p)]
    assert not wrong, "no word on what the file is for:\n" + "\n".join(wrong)


def opens_with_purpose(path):
    """Does a file open with a docstring or a comment of at least three words?"""
    text = path.read_text()
    if not text.strip():
        return True
    if path.suffix == ".py" and ast.get_docstring(ast.parse(text)):
        return True
    lines = [line for line in text.splitlines()[:4] if "SPDX" not in line and not line.startswith("#!")]
    comment = re.match(r"\s*(//|/\*|#|\"\"\")\s*(.*)", "\n".join(lines).strip())
    return bool(comment) and len(comment[2].split()) >= 3


def test_machine_independent():
    wrong = []
    for path in repository():
        text = path.read_bytes().decode(errors="replace")
        wrong += [f"{name(path)}: {word}" for word in FORBIDDEN if word in text]
    assert not wrong, "paths of one machine, or hosts of package archives:\n" + "\n".join(wrong)


def test_no_trailing_space():
    wrong = [f"{name(p)}:{i}" for p in repository(".py", ".c", ".h", ".S", ".md", ".sh", "Makefile", ".mk")
             for i, line in enumerate(p.read_text().splitlines(), 1) if line != line.rstrip()]
    assert not wrong, "\n".join(wrong)


def declared_commands():
    """Yield (file, line, names, syntax, help) of every shell command."""
    for path in repository(".py"):
        if path.parent == ROOT / "shell" / "commands":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "command":
                    yield name(path), node.lineno, *(ast.literal_eval(a) for a in node.args[:3])


def test_commands_have_help():
    commands = list(declared_commands())
    assert commands
    for file, line, names, _, purpose in commands:
        assert purpose and purpose == purpose.strip(), f"{file}:{line}: {names} has no line of help"


def test_shell_page_is_up_to_date():
    done = subprocess.run([sys.executable, ROOT / "tools" / "shelldoc.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = [names for _, _, names, _, _ in declared_commands()]
    page = shelldoc.page()
    assert [n for n in names if f"    {n} " not in page] == [], "commands that tools/shelldoc.py does not see"


@pytest.mark.parametrize("target", ["efi", "qemu", "qemu-uefi", "qemu-gdb", "qemu-snp", "qemu-snp-disk", "qemu-snp-emu", "measure", "test", "test-host", "test-guest", "test-upstream", "fuzz", "bench", "soak",
                                    "lint", "size", "clean", "help", "fetch"])
def test_make_help(target):
    assert re.search(rf"^{target}:.* ## ", (ROOT / "Makefile").read_text(), re.M)
