"""Firmware mode (boot_services=keep): the same shell beside a firmware that lives, and both ways out of it."""

import pytest

import pyprompt
import rawrepl
import vm as console
from pyprompt import evaluate

KEEP = "boot_services=keep"
MACHINE_CODE = "import micropython\n@micropython.viper\ndef f():\n  while True: pass\nf()"


@pytest.fixture(params=["load options", "option file"])
def firmware(boot, request):
    """A machine in firmware mode."""
    if request.param == "load options":
        return boot(append=KEEP)
    return boot(files={"keelback.cfg": f"# an option\n{KEEP}\n"})


def test_shell(firmware):
    """The greeting says so; commands, memory, time, sleep, files and Ctrl-C work."""
    assert "exiting EFI boot services" not in firmware.greeting and "keelback • micropython" in firmware.greeting
    assert "Mode ...............: firmware" in firmware.command("uefi")
    assert "command error, address 0x400000000000 is not mapped" in firmware.command("peek 400000000000 1")
    pyprompt.enter(firmware)
    assert evaluate(firmware, "import efi, time, os; print(efi.boot_services(), len(os.urandom(8)))") == "True 8\n"
    assert 500 <= int(evaluate(firmware, "t = time.ticks_ms(); time.sleep(0.5); print(time.ticks_diff(time.ticks_ms(), t))")) < 900
    assert evaluate(firmware, "b = bytearray(50 << 20); print(len([str(i) for i in range(20000)]))") == "20000\n"
    for loop in ("while True: pass", "import time; time.sleep(1000)", "sum(range(1 << 60))", MACHINE_CODE):
        firmware.send(f"exec({loop!r})\r")
        with pytest.raises(console.VMError):
            firmware.expect(rb"KeyboardInterrupt", 1)
        firmware.send("\x03")
        firmware.expect(rb"KeyboardInterrupt.*>>> \Z", 30)
    assert "[Errno 5] EIO" in evaluate(firmware, "import cpu; cpu.wrmsr(0x6e1, 1 << 63)")
    pyprompt.leave(firmware)
    assert rawrepl.run(firmware, "print(sum(range(100)))") == ("4950\n", "")


def test_firmware_calls(boot):
    """Boot services can be called: AllocatePool and FreePool, and a fault in the firmware is an error."""
    machine = boot(append=KEEP)
    code = ("import efi, mem, struct\nbs = mem.r64(efi.system_table() + 96)\nprint(bytes(mem.view(bs, 8)))\nout = bytearray(8)\n"
            "print(efi.call(mem.r64(bs + 64), 4, 1000, out))\naddr = struct.unpack('<Q', out)[0]\nmem.w8(addr, 1)\n"
            "print(efi.call(mem.r64(bs + 72), addr))\n"
            "try:\n  efi.call(mem.r64(bs + 64), 4, 8, 1 << 46)\nexcept OSError as e: print(repr(e))\n")
    assert rawrepl.run(machine, code)[0].splitlines()[:3] == ["b'BOOTSERV'", "0", "0"]


def test_profile(boot):
    """The profiler works on the firmware's tick, sees C functions there too, and goes on in bare mode."""
    machine = boot(append=KEEP)
    code = ("import _prof, efi, time\ndata = bytes(100000)\ndef busy():\n  end = time.ticks_add(time.ticks_ms(), 600)\n"
            "  while time.ticks_diff(end, time.ticks_ms()) > 0:\n    data.find(b'x')\n"
            "_prof.start(100)\nbusy()\ntime.sleep(0.3)\nprint(_prof.counts()[0] > 10, _prof.counts()[1] > 5)\n"
            "efi.exit_boot_services()\nbusy()\ntime.sleep(0.3)\n_prof.stop()\n"
            "print(_prof.counts()[0] > 40, _prof.counts()[1] > 20)\ntop = max(_prof.samples())\nprint(top[1], top[2][0][2])\n")
    assert rawrepl.run(machine, code) == ("True True\nTrue True\nfind_subbytes busy\n", "")


def test_exit_boot_services(boot):
    """The machine goes over to bare mode on the spot, with everything that runs; once."""
    machine = boot(append=KEEP)
    pyprompt.enter(machine)
    line = "import micropython; exec('@micropython.native\\ndef f(a): return a + 1'); kept = [1, 2, 3]; print(f(1))"
    assert evaluate(machine, line) == "2\n"
    pyprompt.leave(machine)
    assert "exited EFI boot services" in machine.command("exit-boot-services")
    shown = machine.command("uefi")
    assert "Mode ...............: bare" in shown and "Boot Services ......: exited" in shown
    assert "already" in machine.command("exit-boot-services")
    pyprompt.enter(machine)
    line = "import mem; print(kept, f(41), mem.attr(mem.text()[0]), mem.attr(0))"
    assert evaluate(machine, line) == "[1, 2, 3] 42 r-x None\n"
    machine.send("exec('while True: pass')\r")
    machine.expect(rb"\)\r\n", 10)
    machine.send("\x03")
    machine.expect(rb"KeyboardInterrupt.*>>> \Z", 30)
    assert evaluate(machine, "import time; time.sleep_ms(100); print(len(bytearray(60 << 20)))") == "62914560\n"
    pyprompt.leave(machine)
    machine.send("exit\r")
    assert machine.wait_exit(30) == 0


def test_exit(boot):
    """exit returns to the firmware, whose own next step appears on the console."""
    machine = boot(append=KEEP, extra=("-boot", "menu=off"))
    machine.send("exit\r")
    machine.expect(rb"BdsDxe|Boot Manager|Shell>|UEFI Interactive Shell|Continue", 120)
    assert machine.process.poll() is None


def test_reset(boot):
    machine = boot(append=KEEP)
    machine.send("reset cold\r")
    machine.wait_reset(180)
