"""Debian's stock cloud kernel as a guest of the emulator, with an initial RAM disk of ours (guest/init.c).

The kernel is its own EFI executable, unmodified, and takes the RAM disk from the volume, as its load options say.
"""

import contextlib
import dataclasses
import pathlib
import re
import socket
import subprocess
import threading

import linuxguest
import qemu
import qemu_snpemu
from vm import Machine, plain

GUEST = pathlib.Path(__file__).parent / "guest"
KERNEL = qemu.BUILD / "tools/linux612"
MODULES = (*linuxguest.MODULES, "ghash-generic", "gcm", "sev-guest")  # the driver's cipher, gcm(aes), is looked up by name
# The clock's rate is given, and no timer is tried: both are measured against devices, and each look at those costs an exit.
OPTIONS = r"initrd=\initrd console=ttyS0 loglevel=4 panic=-1 tsc_early_khz=2000000 tsc=reliable no_timer_check"
LIMIT = 420  # s, for all of it with two processors on a busy host


@dataclasses.dataclass
class Answer:
    """What init.c printed of one request: 0 or errno, both halves of EXITINFO2, bytes."""

    result: int
    firmware: int
    hypervisor: int
    data: bytes


@dataclasses.dataclass
class Run:
    """What one boot left: the console, the emulator's log, the answers by name, the number of processors."""

    console: str
    log: list
    answers: dict
    processors: int


def initrd(folder, port):
    """Build the initial RAM disk in a folder. port: of the host's echo."""
    init = folder.parent / "init"
    subprocess.run(["cc", "-Os", "-static", "-s", "-Wall", "-Wextra", "-Werror", "-o", init, *GUEST.glob("*.c")], check=True)
    files = {"init": init.read_bytes(), "port": str(port).encode(), **linuxguest.modules(KERNEL.resolve(), MODULES)}
    packed = subprocess.run(["gzip", "-1n"], input=linuxguest.cpio(files), stdout=subprocess.PIPE, check=True)
    (folder / "initrd").write_bytes(packed.stdout)


@contextlib.contextmanager
def echo():
    """Listen on a port of the loopback and send back what comes; give the port."""
    def serve():
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                with listener.accept()[0] as peer:
                    while data := peer.recv(65536):
                        peer.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def run(folder, smp, *settings):
    """Boot it and wait until it has turned itself off; return a Run. settings: lines of snpemu.cfg. Raises VMError."""
    files, log = folder / "files", folder / "log"
    files.mkdir()
    with echo() as port:
        initrd(files, port)
        kernel = next(KERNEL.glob("boot/vmlinuz-*"))
        volume = qemu_snpemu.make_volume(folder / "volume", kernel, ["notes=yes", f"args={OPTIONS}", *settings], [files])
        with Machine(qemu_snpemu.EmulatorOptions(volume=volume, smp=str(smp), debugcon=log, reboot=False, net="user")) as machine:
            machine.wait_exit(LIMIT)
    return parse(plain(machine.console), log.read_text(errors="replace").splitlines())


def parse(console, log):
    """Take a console and a log apart."""
    answers = {}
    for name, result, firmware, hypervisor, data in re.findall(r"^@(\S+) (\d+) (\S+) (\S+) ([0-9a-f]*)$", console, re.M):
        answers[name] = Answer(int(result), int(firmware, 0), int(hypervisor, 0), bytes.fromhex(data))
    done = answers.pop("done", None)
    return Run(console, log, answers, done.result if done else 0)
