"""One runner for all tests.

tests/host/**/test_*.py    run by MicroPython's unix port, with tests/fakes in place of the hardware modules; each
                           top-level function test_* is a test in a process of its own, or the whole file is one
tests/guest/**/*.py        run inside one booted machine, over its raw REPL, each in a fresh interpreter; what is
                           printed must equal FILE.exp, if there is one. Printing "SKIP reason" first skips. A line
                           "# with: NAME" gives it the module tests/guest/modules/NAME.py
tests/guest/**/test_*.py   run here, by CPython, with the fixture vm: that same machine at the shell's prompt
tests/guest/sev            the same inside a machine on the SEV-SNP emulator, with the fixture vm
tests/boot/test_*.py       run here, and boot machines of their own with the fixture boot, or boot_snp for one on the emulator
tests/{ssh,sev,tools,lint} run here

Nothing waits without a limit; a machine that hangs fails its test, with the console's last lines, and is replaced.
"""

import ast
import contextlib
import itertools
import os
import pathlib
import re
import subprocess

import pytest

import image
import qemu
import qemu_snpemu
import rawrepl
from places import BUILD, EFI, MICROPYTHON, ROOT, TESTS, write_files
from vm import Machine, VMError

MODULES = TESTS / "guest" / "modules"
HOST_LIMIT = 60    # s, for one test on the unix port
GUEST_LIMIT = 120  # s, for one script in the machine


class ScriptFailure(Exception):
    """A script run by MicroPython failed; the text is what it printed."""


class ScriptItem(pytest.Item):
    """A test that is a script for MicroPython."""

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, (ScriptFailure, VMError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, None, self.name

    def finish(self, printed, error=""):
        """Judge what a script printed: skip, fail or pass."""
        if printed.startswith("SKIP"):
            pytest.skip(printed.splitlines()[0][4:].strip(" :") or "the script says so")
        if error:
            raise ScriptFailure(f"{printed}\n{error}")
        expected = self.path.with_suffix(self.path.suffix + ".exp")
        if expected.exists() and printed.strip() != expected.read_text().strip():
            raise ScriptFailure(f"expected:\n{expected.read_text()}\nprinted:\n{printed}")


# ---- tests/host ---------------------------------------------------------------------------------------------------------

class HostItem(ScriptItem):
    """One test function of a file, or the file, on the unix port."""

    def __init__(self, named=None, **kwargs):
        super().__init__(**kwargs)
        self.named = named  # None: the file is one test

    def runtest(self):
        if not MICROPYTHON.exists():
            raise ScriptFailure(f"no {MICROPYTHON}; make test-host builds it")
        command = [MICROPYTHON, "-X", "heapsize=16M", TESTS / "host" / "run.py", self.path, *filter(None, [self.named])]
        path = os.pathsep.join(map(str, [TESTS / "fakes", ROOT, TESTS / "host", ".frozen", ROOT / "tools"]))
        try:
            done = subprocess.run(command, cwd=ROOT, env={**os.environ, "MICROPYPATH": path}, timeout=HOST_LIMIT,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired as e:
            raise ScriptFailure(f"not done within {HOST_LIMIT} s\n{(e.stdout or b'').decode(errors='replace')}")
        printed = done.stdout.decode(errors="replace")
        self.finish(printed, done.returncode and f"exit status {done.returncode}")


class HostFile(pytest.Module):
    """A file of tests for the unix port. A Module in name only: it is never imported here."""

    def collect(self):
        tree = ast.parse(self.path.read_text())
        functions = [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
        for name in functions or [None]:
            yield HostItem.from_parent(self, name=name or self.path.stem, named=name)


def pytest_pycollect_makemodule(module_path, parent):
    if TESTS / "host" in module_path.parents:
        return HostFile.from_parent(parent, path=module_path)
    return None


# ---- tests/guest --------------------------------------------------------------------------------------------------------

class GuestItem(ScriptItem):
    """One script inside the shared machine."""

    def runtest(self):
        code = self.path.read_text()
        modules = [(name, (MODULES / f"{name}.py").read_text()) for name in re.findall(r"^# with: (\w+)$", code, re.M)]
        self.finish(*shared_machine(self.config, kind_of(self.path), lambda vm: rawrepl.run(vm, code, GUEST_LIMIT, modules)))


class GuestFile(pytest.File):
    """A script for the shared machine."""

    def collect(self):
        yield GuestItem.from_parent(self, name=self.path.stem)


def pytest_collect_file(file_path, parent):
    if TESTS / "guest" in file_path.parents and MODULES not in file_path.parents and file_path.suffix == ".py" and not file_path.name.startswith("test_"):
        return GuestFile.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items):
    for item in items:
        if TESTS / "guest" in item.path.parents:  # one worker has the machine
            item.add_marker(pytest.mark.xdist_group(kind_of(item.path)))
        for name in {"wire", "raw"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(name))


_MACHINES = pytest.StashKey()  # kind: Machine


def kind_of(path):
    """Return which shared machine a test wants: guest, or snp for one on the emulator."""
    return "snp" if TESTS / "guest" / "sev" in path.parents else "guest"


def shared_machine(config, kind, use):
    """Call use(machine) with a shared machine at its prompt. A machine that disappoints is killed, and not used again."""
    machines = config.stash.setdefault(_MACHINES, {})
    try:
        if kind not in machines:
            machines[kind] = Machine(snp_options() if kind == "snp" else qemu.Options(volume=boot_volume()))
            machines[kind].start()
            machines[kind].wait_prompt()
        return use(machines[kind])
    except VMError:
        machines.pop(kind).kill()
        raise


def snp_options(settings=(), folders=(), volume=None, **options):
    """Return the options of a machine on the emulator. settings: more lines of snpemu.cfg; its log goes beside the volume.

    A device cannot reach what is private there: whoever hands it such memory is found out.
    """
    settings = ["notes=yes", "split=200M", *settings]
    volume = volume or BUILD / f"test-snp-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    qemu_snpemu.make_volume(volume, EFI, settings, folders)
    return qemu_snpemu.EmulatorOptions(volume=volume, debugcon=volume.with_suffix(".log"), **options)


def boot_volume():
    """Return a boot volume with the executable alone."""
    if not EFI.exists():
        pytest.fail(f"no {EFI}; make efi builds it", pytrace=False)
    volume = BUILD / f"test-volume-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    executable = volume / image.BOOT_PATH
    if not executable.exists() or executable.read_bytes() != EFI.read_bytes():
        image.make_folder(volume, EFI)
    return volume


def pytest_unconfigure(config):
    for machine in config.stash.get(_MACHINES, {}).values():
        machine.kill()
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and not hasattr(config, "workerinput") and not config.option.collectonly:
        count = {name: len(reports) for name, reports in reporter.stats.items()}
        print(f"{count.get('passed', 0)} passed, {count.get('failed', 0) + count.get('error', 0)} failed, "
              f"{count.get('skipped', 0)} skipped")


# ---- fixtures -----------------------------------------------------------------------------------------------------------

@pytest.fixture
def vm(request):
    """The shared machine, at the shell's prompt before and after the test."""
    kind = kind_of(request.path)
    machine = shared_machine(request.config, kind, lambda m: m)
    failures = request.session.testsfailed
    yield machine
    if request.session.testsfailed != failures:
        with contextlib.suppress(VMError):  # the next test gets another machine
            shared_machine(request.config, kind, check_prompt)


def check_prompt(machine):
    """Raise VMError unless the machine answers with its prompt."""
    machine.send("\x03\r")
    machine.wait_prompt(10)


@pytest.fixture
def start():
    """A function that starts a machine with such options, to its prompt unless told not to wait; it ends with the test."""
    machines = []

    def started(options, wait):
        machine = Machine(options)
        machines.append(machine)
        machine.start()
        if wait:
            machine.greeting = machine.wait_prompt()
        return machine

    yield started
    for machine in machines:
        machine.kill()


@pytest.fixture
def boot(tmp_path, start):
    """A function that boots a machine and returns it at its prompt: boot(files=None, wait=True, **qemu.Options).

    files: what the boot volume holds beside the executable, a folder or {path: text or bytes}. With append, the
    executable comes from QEMU's -kernel.
    """
    number = itertools.count()

    def booted(files=None, wait=True, **options):
        n = next(number)
        if "append" in options:
            options.setdefault("kernel", EFI)
        if files is not None:
            options["volume"] = tmp_path / f"volume{n}"
            if isinstance(files, dict):
                files = write_files(tmp_path / f"files{n}", files)
            image.make_folder(options["volume"], EFI, [files])
        elif "kernel" not in options:
            options.setdefault("volume", boot_volume())
        return start(qemu.Options.from_environment(**options), wait)

    return booted


@pytest.fixture
def boot_snp(tmp_path, start):
    """A function that boots a machine on the emulator: boot_snp(*settings, files=None, wait=True, **EmulatorOptions).

    settings: lines of snpemu.cfg. The machine has .log(), what the emulator has written so far.
    """
    number = itertools.count()

    def booted(*settings, files=None, wait=True, **options):
        n = next(number)
        folders = [write_files(tmp_path / f"files{n}", files)] if files else []
        options = snp_options(settings, folders, tmp_path / f"volume{n}", **options)
        machine = start(options, wait)
        machine.log = lambda: pathlib.Path(options.debugcon).read_text(errors="replace")
        return machine

    return booted
