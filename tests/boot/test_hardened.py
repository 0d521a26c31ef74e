"""HARDENED=1: what the console, the boot volume and the network of such a machine can do, and what somebody with a key can."""

import re
import shutil
import subprocess

import pytest

import image
import qemu
import sshclient
from test_app import executable
from vm import Machine

pytestmark = pytest.mark.xdist_group("make")  # one make at a time

LIMIT = 60  # s
DEBUG = "net-virtio 10.0.0.1 255.255.255.0 10.0.0.2 debug"
KEYED = "command error, a hardened build has this over SSH with a key only\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    made = tmp_path_factory.mktemp("keys")
    for name in ("frozen", "other"):
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ecdsa", "-f", made / name], check=True)
    return made


@pytest.fixture(scope="module")
def machine(tmp_path_factory, keys):
    """A hardened build with a frozen key and program, and a boot volume that tries to get in."""
    made = tmp_path_factory.mktemp("hardened")
    app, files = made / "app", made / "files"
    app.mkdir()
    files.mkdir()
    (app / "authorized_keys.py").write_text(f"KEYS = {(keys / 'frozen.pub').read_text()!r}\n")
    (app / "main.py").write_text("print('main.py of the executable')\nopen('/secret', 'w').write('what the program keeps')\n")
    shutil.copy(keys / "other.pub", files / "authorized_keys")
    (files / "keelback.cfg").write_text("boot_services=keep\n")
    for name in ("boot", "main", "_build", "authorized_keys", "shell"):
        (files / f"{name}.py").write_text(f"print('{name}.py of the volume')\nHARDENED = False\n")
    image.make_folder(made / "volume", executable(made, app, "HARDENED=1"), [files])
    port = qemu.free_forwards({22: 0, 80: 0})
    with Machine(qemu.Options.from_environment(volume=made / "volume", net="user", forwards=port)) as vm:
        vm.greeting = vm.wait_prompt()
        vm.ports = port
        yield vm


def ssh(machine, key, *words):
    return subprocess.run([*sshclient.command(machine.ports[22], "-i", key), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)


def test_no_code_of_the_volume(machine):
    """Its programs do not run, and its modules are not imported, whatever they are called."""
    assert "main.py of the executable" in machine.greeting and "of the volume" not in machine.greeting
    assert re.search(r"^Hardened \.+: yes$", machine.command("build"), re.M) and "of the volume" not in machine.command("info")


def test_no_way_back_to_the_firmware(machine):
    assert re.search(r"^boot_services=keep: not in a hardened build\r?\nexiting EFI boot services", machine.greeting, re.M)


@pytest.mark.parametrize("line", ["python", "cat /secret", "ls /", "stat /secret"])
def test_private_commands(machine, line):
    assert machine.command(line) == KEYED


@pytest.mark.parametrize("line", ["peek 0 4", "poke 200000 00", "msr 10"])
def test_absent_commands(machine, line):
    name = line.split()[0]
    assert machine.command(line) == f"command error, unknown command `{name}`, type `help`\n"
    assert f"\n{name} " not in machine.command("help")


def test_no_raw_repl(machine):
    """Ctrl-A is a key of the line editor, and mpremote finds nobody."""
    machine.send("\x01\x01import os\r")
    assert "unknown command `import`" in machine.wait_prompt(LIMIT)
    machine.send("\x01print(1)\x04\r")
    assert "raw REPL" not in machine.wait_prompt(LIMIT)


def test_network(machine, keys):
    """SSH for who has the frozen key, who then has what the console has not; no profiles; nobody else."""
    said = machine.command(DEBUG)
    assert "ssh://10.0.0.1:22" in said and "http" not in said and "WARNING" not in said
    done = ssh(machine, keys / "frozen", "cat", "/secret")
    assert (done.returncode, done.stdout) == (0, "what the program keeps"), done
    assert ssh(machine, keys / "frozen", "peek", "0", "4").stdout == "command error, unknown command `peek`, type `help`\n"
    other = ssh(machine, keys / "other", "uptime")
    assert other.returncode == 255 and "Permission denied" in other.stderr
    web = subprocess.run(["curl", "-sS", "--max-time", "10", f"http://127.0.0.1:{machine.ports[80]}/debug/pprof/"], capture_output=True, timeout=LIMIT)
    assert web.returncode != 0
