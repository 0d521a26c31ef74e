"""APP: what of a folder is frozen into the executable. Its programs run, and its authorized_keys are all there are."""

import os
import pathlib
import shutil
import subprocess

import pytest

import image
import qemu
import sshclient

pytestmark = pytest.mark.xdist_group("make")  # one make at a time

ROOT = pathlib.Path(__file__).parents[2]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "BUILD")}
BUILD_LIMIT = 900  # s; the link is all there is to do
LIMIT = 60  # s, for one login
BOOT = "import keelback_app\n"
MAIN = "print('main.py of the executable,', keelback_app.NAME)\n"


def executable(folder, app, *settings):
    """Build one more executable, from copies of what was built already, with an application. -> its path"""
    build = folder / "build"
    build.mkdir()
    for name in ("obj", "src", "have", "image-base", "source-dirs"):
        copy = shutil.copytree if (qemu.BUILD / name).is_dir() else shutil.copy2
        copy(qemu.BUILD / name, build / name, **({"symlinks": True} if copy is shutil.copytree else {}))
    done = subprocess.run(["make", "efi", f"BUILD={build}", f"APP={app}", *settings], cwd=ROOT, env=ENVIRONMENT, timeout=BUILD_LIMIT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return build / "keelback.efi"


@pytest.fixture
def key(tmp_path):
    """A function that makes a key pair and returns its path."""
    def make(name):
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ecdsa", "-f", tmp_path / name], check=True)
        return tmp_path / name
    return make


def test_application(boot, tmp_path, key):
    """Modules and programs come out of the executable; who has a frozen key enters, who has one of the boot volume does not."""
    frozen, other = key("frozen"), key("other")
    app = tmp_path / "app"
    app.mkdir()
    keys = (tmp_path / "frozen.pub").read_text()
    for name, text in (("keelback_app", "NAME = 'built in'\n"), ("boot", BOOT), ("main", MAIN), ("authorized_keys", f"KEYS = {keys!r}\n")):
        (app / f"{name}.py").write_text(text)
    files = tmp_path / "files"
    files.mkdir()
    shutil.copy(tmp_path / "other.pub", files / "authorized_keys")
    volume = tmp_path / "volume"
    image.make_folder(volume, executable(tmp_path, app), [files])
    port = qemu.free_forwards({22: 0})[22]
    machine = boot(volume=volume, net="user", forwards={22: port})
    assert "main.py of the executable, built in" in machine.greeting
    said = machine.command("net-virtio 10.0.0.1 255.255.255.0 10.0.0.2 debug")
    assert "initialized" in said and "WARNING" not in said and "no key" not in said

    def login(*options):
        return subprocess.run([*sshclient.command(port, *options), "uptime"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)

    assert login("-i", frozen).returncode == 0
    for options in (("-i", other), ()):
        done = login(*options)
        assert done.returncode == 255 and "Permission denied" in done.stderr, done
