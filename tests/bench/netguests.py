"""The two machines that the network is measured with: the same card, the same wire, the same Python programs.

    with Keelback(efi, folder).boot(net="user", forwards={80: port}, icount=0, sleep=True) as guest:
        with guest.serving("httpd_asyncio"):
            ...

A program is a file of tests/bench/guest that serves until it is ended, and prints a line with "up" once it does. In
Keelback it is imported at the REPL of the console's session, so that the shell goes on beside it; in the Linux guest
MicroPython's unix port runs it. Addresses are those of the documentation: guest 10.0.0.1/24, gateway 10.0.0.2.
"""
import contextlib
import pathlib
import re
import time

import boot
import image
import linuxguest
import qemu
import rawrepl
from vm import Machine

PROGRAMS = pathlib.Path(__file__).resolve().parent / "guest"
NAMES = ("httpd_asyncio", "httpd_sync", "bulk", "udpecho")
GUEST, MASK, GATEWAY = "10.0.0.1", "255.255.255.0", "10.0.0.2"
REST = 0.3              # s, until a guest has nothing left to do
IDLE_SAMPLE = 1.0       # s
PROMPT3 = rb">>> \Z"


class Guest:
    """A booted machine with its network up. vm: the Machine."""

    def __init__(self, vm):
        self.vm = vm

    @contextlib.contextmanager
    def serving(self, program):
        """Run a program while the with statement does."""
        self._start(program)
        self.vm.expect(rb"up[^\n]*\n", 60)
        time.sleep(REST)
        try:
            yield self
        finally:
            self._stop()

    def instructions(self, work):
        """Count the guest's instructions while work() runs and shortly after, less what it uses when idle for as long."""
        first, started = boot.icount(self.vm), time.monotonic()
        time.sleep(IDLE_SAMPLE)
        before, begun = boot.icount(self.vm), time.monotonic()
        rate = (before - first) / (begun - started)
        work()
        time.sleep(REST)
        return boot.icount(self.vm) - before - rate * (time.monotonic() - begun)


class KeelbackGuest(Guest):
    """Keelback at its prompt. text: where its code is."""

    def __init__(self, vm):
        super().__init__(vm)
        self.text = int(re.search(r"Text \.+: 0x([0-9a-f]+)", vm.command("info"))[1], 16)

    def network(self, more=""):
        """(Re)start the network, after a soft reset: no program of before is left. more: "debug" starts the debug servers."""
        rawrepl.run(self.vm, "pass")
        answer = self.vm.command(f"net-virtio {GUEST} {MASK} {GATEWAY} {more}".rstrip())
        if "network initialized" not in answer:
            raise ValueError(f"net-virtio said: {answer}")

    def _start(self, program):
        self.network()
        self.vm.send("python\r")
        self.vm.expect(PROMPT3, 30)
        self.vm.send(f"import {program}\r")

    def _stop(self):
        self.vm.send("\x03")
        self.vm.expect(PROMPT3, 30)
        self.vm.send("\x04")
        self.vm.wait_prompt(30)


class LinuxNetGuest(Guest):
    """The Linux guest, whose process 1 takes commands on its console."""

    def _start(self, program):
        self.vm.send(f"/micropython /{program}.py\n")

    def _stop(self):
        self.vm.send("\n")
        self.vm.expect(rb"@ended\r\n", 30)


class Keelback:
    name = "keelback"

    def __init__(self, efi, folder):
        self.volume = pathlib.Path(folder) / "esp-keelback-net"
        files = pathlib.Path(folder) / "net-files"
        files.mkdir(exist_ok=True)
        for name in NAMES:
            (files / f"{name}.py").write_bytes((PROGRAMS / f"{name}.py").read_bytes())
        image.make_folder(self.volume, pathlib.Path(efi), [files])

    @contextlib.contextmanager
    def boot(self, **options):
        """A KeelbackGuest at its prompt; the network is not started."""
        with Machine(qemu.Options.from_environment(volume=self.volume, **{"mem": boot.MEM, **options})) as vm:
            vm.wait_prompt()
            yield KeelbackGuest(vm)


class Linux:
    name = "linux"

    def __init__(self, guest):
        self.guest = guest  # linuxguest.LinuxGuest

    @contextlib.contextmanager
    def boot(self, **options):
        """A LinuxNetGuest with its network up."""
        files = {f"{name}.py": (PROGRAMS / f"{name}.py").read_bytes() for name in NAMES}
        initrd = self.guest.job_initrd(["@console"], files, address=f"{GUEST} {MASK} {GATEWAY}")
        given = {"kernel": self.guest.kernel(), "append": f"{linuxguest.CMDLINE} rdinit=/init", "mem": boot.MEM,
                 "extra": ("-initrd", str(initrd)), "reboot": False, **options}
        with Machine(qemu.Options.from_environment(**given)) as vm:
            vm.expect(rb"@ready\r\n", boot.BOOT_LIMIT)
            yield LinuxNetGuest(vm)
