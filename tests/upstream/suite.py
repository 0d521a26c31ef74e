"""MicroPython's own tests: which there are, which apply, and what they need around them.

A kind is a way to run them: bytecode sends the source, native sends what mpy-cross has compiled to machine code.
"""

import os
import pathlib
import shutil

import image
import qemu

HERE = pathlib.Path(__file__).parent
WORK = qemu.BUILD.resolve() / "upstream"
SOURCE = qemu.BUILD.resolve() / "src" / "micropython"
UNIX = qemu.BUILD.resolve() / "unix" / "micropython"
MPY_CROSS = qemu.BUILD.resolve() / "obj" / "mpy-cross" / "mpy-cross"
FOLDERS = ("basics", "extmod", "float", "import", "io", "micropython", "misc", "stress", "unicode")
# Compiled tests are imported from a file system of the runner's, which takes the place of the working directory: what
# import and io test is not there.
KINDS = {"bytecode": FOLDERS, "native": [f for f in FOLDERS if f not in ("import", "io")]}
ARGUMENTS = {"bytecode": [], "native": ["--via-mpy", "--emit", "native"]}
CHUNK = 100  # tests for one start of the runner, which begins with about 25 checks of features


def exclusions():
    """Return {kind: {test: reason}}: exclusions.txt holds lines of kind (or both), test and reason."""
    found = {kind: {} for kind in KINDS}
    for line in (HERE / "exclusions.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            kind, test, reason = line.split(maxsplit=2)
            for k in KINDS if kind == "both" else [kind]:
                found[k][test] = reason
    return found


def tests(folders=FOLDERS):
    """Return the names of all tests of the folders, such as basics/0prelim.py."""
    root = SOURCE / "tests"
    return sorted(str(p.relative_to(root)) for folder in folders for p in (root / folder).glob("*.py"))


def chunks(kind, names):
    """Return lists of those tests that this kind is to run, each list from one folder."""
    excluded = exclusions()[kind]
    by_folder = {folder: [] for folder in KINDS[kind]}
    for name in names:
        folder = name.partition("/")[0]
        if folder in by_folder and name not in excluded:
            by_folder[folder].append(name)
    return [part[i:i + CHUNK] for part in by_folder.values() for i in range(0, len(part), CHUNK)]


def make_tree(name):
    """Return a copy of the tests, with what their runner needs beside them: they write files where they are."""
    tree = WORK / name
    shutil.rmtree(tree, ignore_errors=True)
    for folder in (*FOLDERS, "feature_check"):
        shutil.copytree(SOURCE / "tests" / folder, tree / "tests" / folder)
    shutil.copy(SOURCE / "tests" / "run-tests.py", tree / "tests")
    (tree / "tools").mkdir()
    shutil.copy(SOURCE / "tools" / "pyboard.py", tree / "tools")
    shutil.copytree(HERE / "lib", tree / "lib" / "micropython-lib" / "python-stdlib" / "unittest")
    return tree


def make_volume(name):
    """Return a boot volume with the files that tests open or import: they expect them in the working directory."""
    files, volume = WORK / f"{name}-files", WORK / f"{name}-volume"
    shutil.rmtree(files, ignore_errors=True)
    for folder in ("import", "io/data", "unicode/data"):
        target = files / (os.path.basename(folder) if "/" in folder else "")
        shutil.copytree(SOURCE / "tests" / folder, target, dirs_exist_ok=True)
    shutil.copytree(HERE / "lib", files / "lib")
    image.make_folder(volume, qemu.BUILD / "keelback.efi", [files])
    return volume
