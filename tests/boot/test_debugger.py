"""make qemu-gdb and tools/debug.py: symbols come by themselves, breakpoints hit, the machine goes on."""

import os
import pathlib
import subprocess

import pytest

import elf2efi
import image
import qemu

ROOT = pathlib.Path(__file__).resolve().parents[2]
GDB_LIMIT = 240  # s


def debug(port, build, *commands):
    """Run GDB with our script and commands; return what it prints."""
    arguments = [word for command in commands for word in ("-ex", command)]
    done = subprocess.run(["gdb", "-nx", "-q", "-batch", "-x", ROOT / "tools" / "debug.py", *arguments], stdin=subprocess.DEVNULL,
                          env={**os.environ, "KEELBACK_GDB": f"127.0.0.1:{port}", "BUILD": str(build)},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=GDB_LIMIT)
    return done.stdout


@pytest.mark.parametrize("base, mem", [(0x200000, "256M"), (0x40000000, "128M")])
def test_breakpoint(boot, tmp_path, base, mem):
    """The second base is beyond the memory, so the firmware has to load the image elsewhere."""
    (tmp_path / "keelback.elf").symlink_to(qemu.BUILD / "keelback.elf")
    efi = tmp_path / "keelback.efi"
    efi.write_bytes(elf2efi.convert((qemu.BUILD / "keelback.elf").read_bytes(), base))
    image.make_folder(tmp_path / "volume", efi)
    port = qemu.free_forwards({1: 0})[1]
    machine = boot(volume=tmp_path / "volume", mem=mem, gdb=f"127.0.0.1:{port}", wait=False)
    printed = debug(port, tmp_path, "b keelback_main", "continue", "bt", "info symbol $pc", "delete", "detach")
    assert (f"Image at {base:#x}" in printed) == (base == 0x200000), printed
    assert "Breakpoint 1, keelback_main" in printed and "keelback_main in section .text" in printed, printed
    assert "efi_main" in printed.split("#1", 1)[1], printed
    machine.wait_prompt()
