"""Firmware mode (boot_services=keep): the same shell beside a firmware that lives, and both ways out of it."""

import pytest

import qemu
import rawrepl
import vm as console

KEEP = "boot_services=keep"


@pytest.fixture(params=["load options", "option file"])
def firmware(boot, tmp_path, request):
    """A machine in firmware mode."""
    if request.param == "load options":
        return boot(kernel=qemu.BUILD / "keelback.efi", append=KEEP)
    files = tmp_path / "files"
    files.mkdir()
    (files / "keelback.cfg").write_text(f"# an option\n{KEEP}\n")
    return boot(files=files)


def python(machine, line, pattern, limit=30):
    """Type a line at the prompt of `python`, wait for a pattern and the prompt."""
    machine.send(line + "\r")
    return machine.expect(pattern + rb"\r\n>>> \Z", limit)


def test_shell(firmware):
    """The greeting says so; commands, memory, time, sleep, files and Ctrl-C work."""
    assert "exiting EFI boot services" not in firmware.greeting and "keelback • micropython" in firmware.greeting
    assert "Mode ...............: firmware" in firmware.command("uefi")
    assert "command error, address 0x400000000000 is not mapped" in firmware.command("peek 400000000000 1")
    firmware.send("python\r")
    firmware.expect(rb">>> \Z", 30)
    python(firmware, "import efi, time, os; print(efi.boot_services(), len(os.urandom(8)))", rb"True 8")
    python(firmware, "t = time.ticks_ms(); time.sleep(0.5); t = time.ticks_diff(time.ticks_ms(), t); print(500 <= t < 900)", rb"True")
    python(firmware, "b = bytearray(50 << 20); print(len([str(i) for i in range(20000)]))", rb"20000")
    for loop in ("while True: pass", "import time; time.sleep(1000)"):
        firmware.send(f"exec({loop!r})\r")
        with pytest.raises(console.VMError):
            firmware.expect(rb"KeyboardInterrupt", 1)
        firmware.send("\x03")
        firmware.expect(rb"KeyboardInterrupt.*>>> \Z", 30)
    python(firmware, "import cpu; exec('try: cpu.wrmsr(0x6e1, 1 << 63)\\nexcept OSError as e: print(repr(e))')", rb"OSError\(5,\)")
    firmware.send("\x04")
    firmware.wait_prompt(30)
    assert rawrepl.run(firmware, "print(sum(range(100)))") == ("4950\n", "")


def test_firmware_calls(boot):
    """Boot services can be called: AllocatePool and FreePool, and a fault in the firmware is an error."""
    machine = boot(kernel=qemu.BUILD / "keelback.efi", append=KEEP)
    code = ("import efi, mem, struct\nbs = mem.r64(efi.system_table() + 96)\nprint(bytes(mem.view(bs, 8)))\nout = bytearray(8)\n"
            "print(efi.call(mem.r64(bs + 64), 4, 1000, out))\naddr = struct.unpack('<Q', out)[0]\nmem.w8(addr, 1)\n"
            "print(efi.call(mem.r64(bs + 72), addr))\n"
            "try:\n  efi.call(mem.r64(bs + 64), 4, 8, 1 << 46)\nexcept OSError as e: print(repr(e))\n")
    assert rawrepl.run(machine, code)[0].splitlines()[:3] == ["b'BOOTSERV'", "0", "0"]


def test_exit_boot_services(boot):
    """The machine goes over to bare mode on the spot, with everything that runs; once."""
    machine = boot(kernel=qemu.BUILD / "keelback.efi", append=KEEP)
    machine.send("python\r")
    machine.expect(rb">>> \Z", 30)
    python(machine, "import micropython; exec('@micropython.native\\ndef f(a): return a + 1'); kept = [1, 2, 3]; print(f(1))", rb"2")
    machine.send("\x04")
    machine.wait_prompt(30)
    assert "exited EFI boot services" in machine.command("exit-boot-services")
    shown = machine.command("uefi")
    assert "Mode ...............: bare" in shown and "Boot Services ......: exited" in shown
    assert "already" in machine.command("exit-boot-services")
    machine.send("python\r")
    machine.expect(rb">>> \Z", 30)
    python(machine, "import mem; print(kept, f(41), mem.attr(mem.text()[0]), mem.attr(0))", rb"\[1, 2, 3\] 42 r-x None")
    machine.send("exec('while True: pass')\r")
    machine.expect(rb"\)\r\n", 10)
    machine.send("\x03")
    machine.expect(rb"KeyboardInterrupt.*>>> \Z", 30)
    python(machine, "import time; time.sleep_ms(100); print(len(bytearray(60 << 20)))", rb"62914560")
    machine.send("\x04")
    machine.wait_prompt(30)
    machine.send("exit\r")
    assert machine.wait_exit(30) == 0


def test_exit(boot):
    """exit returns to the firmware, whose own next step appears on the console."""
    machine = boot(kernel=qemu.BUILD / "keelback.efi", append=KEEP, extra=("-boot", "menu=off"))
    machine.send("exit\r")
    machine.expect(rb"BdsDxe|Boot Manager|Shell>|UEFI Interactive Shell|Continue", 120)
    assert machine.process.poll() is None


def test_reset(boot):
    machine = boot(kernel=qemu.BUILD / "keelback.efi", append=KEEP)
    machine.send("reset cold\r")
    machine.expect(rb"initializing EFI services", 180)
    machine.wait_prompt()
