"""Who may import whom: read from the import and #include lines.

drivers, sev and net never import one another: what one needs of another arrives as an argument. boot/ knows nothing of
Python. Modules of the standard library are open to all except as listed.
"""

import ast
import re

import pytest

from files import ROOT, name, repository

PROJECT = {"drivers", "sev", "net", "shell"}
SEAM = {"cpu", "mem", "irq", "efi", "ghcb", "netif", "crypto", "clock", "virtq", "_repl", "_frames", "_prof"}  # written in C
NETWORK = {"socket", "ssl", "asyncio"}
MAY_IMPORT = {  # of the sets above
    "drivers": {"cpu", "mem", "irq", "efi", "netif", "clock", "virtq", "drivers"},
    "sev": {"cpu", "mem", "efi", "ghcb", "crypto", "clock", "sev"},
    "net": {"netif", "crypto", "clock", "net"} | NETWORK,
    "shell": PROJECT | SEAM | NETWORK,
}
FOREIGN = {"boot": (), "port": ("py/", "extmod/", "shared/", "lib/", "genhdr/", "lwip/", "netif/", "mbedtls/", "psa/", "library/", "sodium/",
                                "boot/boot.h")}
FREESTANDING = {"stdarg", "stdbool", "stddef", "stdint", "stdalign", "limits", "float", "string", "cpuid", "x86intrin",
                "immintrin", "emmintrin", "efi", "efilib", "efibind", "efiapi", "math", "setjmp", "assert", "errno", "stdio", "stdlib",
                "alloca", "inttypes", "ctype", "endian", "time", "sys/types"}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_python(folder):
    wrong = []
    for path in repository(".py"):
        if path.is_relative_to(ROOT / folder):
            wrong += [f"{name(path)}:{line}: {module}" for module, line in imports(path)
                      if module in PROJECT | SEAM | NETWORK and module not in MAY_IMPORT[folder]]
    assert not wrong, f"{folder} may not import:\n" + "\n".join(wrong)


def imports(path):
    """Yield (top-level module, line) of every import in a file, those in functions included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno}: relative import"
            yield node.module.split(".")[0], node.lineno


@pytest.mark.parametrize("folder", FOREIGN)
def test_c(folder):
    wrong = []
    for path in repository(".c", ".h", ".S"):
        if path.is_relative_to(ROOT / folder):
            wrong += [f"{name(path)}:{i}: {line}" for i, line in enumerate(path.read_text().splitlines(), 1)
                      if line.startswith("#include") and not may_include(path, folder, line)]
    assert not wrong, f"{folder} may not include:\n" + "\n".join(wrong)


def may_include(path, folder, line):
    """Judge one #include line."""
    header = re.match(r'#include\s+[<"]([^>"]+)[>"]', line)[1]
    own = (path.parent / header).exists() or (ROOT / folder / header).exists()
    return own or header.startswith(FOREIGN[folder]) or header.removesuffix(".h") in FREESTANDING


def test_modules_of_cpython_have_one_name_each():
    """Tests and tools share one name space; tests/host and scripts for the machine are run by MicroPython, each by its path."""
    seen, wrong = {}, []
    for path in repository(".py"):
        inside = path.relative_to(ROOT)
        cpython = inside.parts[0] == "tools" or (inside.parts[0] == "tests" and inside.parts[1] not in ("host", "fakes") and path.name.startswith("test_"))
        if cpython or (inside.parts[:2] == ("tests", "net")):
            if path.name in seen:
                wrong.append(f"{name(path)} and {name(seen[path.name])}")
            seen[path.name] = path
    assert not wrong, "\n".join(wrong)


def test_no_conftest_is_imported():
    """There are several; an import gets the one that pytest has read last, which its arguments decide."""
    wrong = [f"{name(path)}:{line}" for path in repository(".py") for module, line in imports(path) if module == "conftest"]
    assert not wrong, "\n".join(wrong)
