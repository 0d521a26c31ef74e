"""mpremote drives the machine over QEMU's serial line: exec, run, eval, fs, mount, mip; the shell is back afterwards."""

import pathlib
import socket
import subprocess
import sys

import pytest

import vm as console

LIMIT = 60  # s, for one mpremote


@pytest.fixture
def remote(boot, tmp_path):
    """A function that runs mpremote with arguments, in a folder of its own, and returns what it prints."""
    machine = boot(serial="tcp")
    port = machine.release_serial()

    def mpremote(*arguments, status=0):
        done = subprocess.run([pathlib.Path(sys.executable).with_name("mpremote"), "connect", f"socket://127.0.0.1:{port}", *arguments],
                              cwd=tmp_path, timeout=LIMIT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        printed = done.stdout.decode().replace("\r\n", "\n")
        assert done.returncode == status, printed
        return printed
    mpremote.machine = machine
    mpremote.port = port
    return mpremote


def test_mpremote(remote, tmp_path):
    """One boot for all of them, in the order of a working day."""
    assert remote("eval", "6 * 7").strip() == "42"
    assert remote("exec", "import sys; print(sys.platform)").strip() == "keelback"
    assert "ZeroDivisionError" in remote("exec", "1 // 0", status=1)
    (tmp_path / "script.py").write_text("for i in range(3):\n    print('line', i)\n")
    assert remote("run", "script.py") == "line 0\nline 1\nline 2\n"
    files(remote, tmp_path)
    mount(remote, tmp_path)
    mip(remote, tmp_path)
    shell_again(remote)


def files(remote, tmp_path):
    data = bytes(range(256)) * 16
    (tmp_path / "data.bin").write_bytes(data)
    remote("fs", "mkdir", ":folder")
    remote("fs", "cp", "data.bin", ":folder/data.bin")
    remote("fs", "cp", "script.py", ":")
    assert "script.py" in remote("fs", "ls") and "4096 data.bin" in remote("fs", "ls", ":folder")
    assert "print('line', i)" in remote("fs", "cat", ":script.py")
    remote("fs", "cp", ":folder/data.bin", "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == data
    assert remote("exec", "import script") == "line 0\nline 1\nline 2\n"
    remote("fs", "rm", ":folder/data.bin")
    remote("fs", "rmdir", ":folder")
    assert "folder" not in remote("fs", "ls")
    assert "No such file" in remote("fs", "cat", ":nosuch", status=1)


def mount(remote, tmp_path):
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "hosted.py").write_text("value = 'from the host'\n")
    code = "import hosted; print(hosted.value); open('written.txt', 'w').write('by the guest')"
    assert "from the host" in remote("mount", "host", "exec", code)
    assert (tmp_path / "host" / "written.txt").read_text() == "by the guest"


def mip(remote, tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "module.py").write_text("answer = 42\n")
    (tmp_path / "pack" / "package.json").write_text('{"urls": [["pack/module.py", "module.py"]], "version": "1"}')
    remote("mip", "install", "pack/package.json")
    assert remote("exec", "import pack.module; print(pack.module.answer)").strip() == "42"


def shell_again(remote):
    """Another client finds the shell's prompt."""
    with socket.create_connection(("127.0.0.1", remote.port)) as s:
        s.settimeout(20)
        s.sendall(b"\ruptime\r")
        received = b""
        while b"second" not in received or not received.endswith(b"\n> "):
            received += s.recv(4096)
    assert b"raw REPL" not in received and console.plain(received).rstrip().endswith(">")
