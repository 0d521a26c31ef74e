"""make qemu, as a person meets it: on a terminal, without one, and with load options."""

import os
import pathlib
import subprocess
import threading

import pexpect
import pytest

import vm

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("make")  # one make at a time
PROMPT = r"\n> $"
# A make of its own: nothing of the one that runs the tests.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "NET")}


@pytest.fixture
def make():
    """A function that runs make on a terminal and returns it at the shell's prompt."""
    children = []

    def start(*arguments):
        child = pexpect.spawn("make", list(arguments), cwd=ROOT, env=ENVIRONMENT, timeout=vm.BOOT_LIMIT, encoding="utf-8",
                              codec_errors="replace")
        children.append(child)
        child.expect("x ends QEMU")
        child.expect(PROMPT)
        return child

    yield start
    for child in children:
        child.close(force=True)


def test_terminal(make):
    """Ctrl-C goes to the guest, and the documented keys end QEMU."""
    child = make("qemu")
    child.send("python\r")
    child.expect(r">>> $", timeout=20)
    child.send("exec('print(\"pi\" + \"ng\")\\nwhile True: pass')\r")
    child.expect("ping", timeout=20)
    child.sendcontrol("c")
    child.expect("KeyboardInterrupt", timeout=20)
    child.send("\x1dx")
    child.expect(pexpect.EOF, timeout=20)


def test_load_options(make):
    child = make("qemu", "APPEND=boot_services=keep", "NET=none")
    assert "exiting EFI boot services" not in child.before


def test_uefi(make, tmp_path):
    """A disk image that keeps boot services, with the user's files and options in it; net-uefi has a card there."""
    (tmp_path / "keelback.cfg").write_text("fault=reset")
    child = make("qemu-uefi", f"FILES={tmp_path}")
    child.send("cat /keelback.cfg\r")
    child.expect("fault=reset\r*\nboot_services=keep", timeout=20)
    child.expect(PROMPT, timeout=20)
    child.send("net-uefi 10.0.0.1/24 : 10.0.0.2\r")
    child.expect(r"network initialized \(10.0.0.1/24 ", timeout=30)


def test_pipe():
    """Without a terminal, commands come from standard input, and make ends with the guest."""
    with subprocess.Popen(["make", "qemu"], cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as make:
        timer = threading.Timer(vm.BOOT_LIMIT, make.kill)
        timer.start()
        printed = b""
        while not printed.endswith(b"\n> ") and (byte := make.stdout.read(1)):
            printed += byte
        make.stdin.write(b"halt\r")
        make.stdin.flush()
        printed += make.stdout.read()
        timer.cancel()
    assert make.returncode == 0, printed[-1000:]
    assert b"is forwarded to 10.0.0.1:22" in printed
