#!/usr/bin/env python3
"""Spell QEMU's command line: the only place that does, with qemu_snp.py for what an SEV-SNP guest needs.

As a command (make qemu, make qemu-gdb) it runs QEMU on the terminal; Ctrl-C goes to the guest, Ctrl-] then x ends
QEMU. As a module it gives Options, whose command() the tests and benchmarks start through vm.Machine.
Settings come from the environment, where they are set: QEMU, OVMF (a file, or ovmf2025, ovmf2022), MACHINE, ACCEL,
CPU, MEM, SMP, NET, NIC (a network card, as -device takes it) and SERIAL (stdio, tcp:PORT on 127.0.0.1, or a path for a unix socket).
Source: qemu(1); OVMF's README; measured with -icount: virtio-blk is the disk that OVMF boots from in the fewest
instructions (OVMF 2025.02, 1.1 MB file, million instructions: virtio-blk 786, virtio-scsi 853, NVMe 857, AHCI 865),
and OVMF 2025.02 needs 787 where 2022.11 needs 2630.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shlex
import socket
import sys

BUILD = pathlib.Path(os.environ.get("BUILD") or pathlib.Path(__file__).parent.parent / "build").resolve()
GUEST, GATEWAY, SUBNET = "10.0.0.1", "10.0.0.2", "10.0.0.0/24"  # the addresses that the documentation uses
FORWARDS = {22: 2222, 80: 8080}  # guest port: preferred port on 127.0.0.1
TCG_CPU = "EPYC-Milan,check=off"  # has RDRAND and RDSEED; check=off: no line for each feature that TCG lacks
ESCAPE = 0x1d  # Ctrl-]; QEMU's own choice, Ctrl-A, is a key of the shell


class QemuError(Exception):
    """QEMU cannot be run as asked; the text is one line for the user."""


@dataclasses.dataclass
class Options:
    """What to run. Fields that are None take the default that fits the machine.

    volume: a folder or a disk image, the boot volume. kernel: an EFI executable started through fw_cfg, with append as
    its load options; a volume is then only attached. serial, qmp: "stdio", a path for a unix socket, "tcp:PORT", or "tcp"
    for a port of the system's choice; None: none. forwards: {guest port: host port}, 0 for any; icount: the shift; sleep: an
    idle guest waits for real time under icount. net: "user", "tap", "tap:NAME", "stream:PATH" (frames over a unix socket on
    which somebody listens, see wire.py) or "none"; card: more properties of the network card. prefix: words before QEMU's.
    """

    volume: pathlib.Path = None
    kernel: pathlib.Path = None
    append: str = ""
    qemu: str = "qemu-system-x86_64"
    ovmf: str = "ovmf2025"
    machine: str = "q35"
    accel: str = None
    cpu: str = None
    mem: str = "256M"
    smp: str = "1"
    net: str = "none"
    nic: str = "virtio-net-pci"
    card: str = ""
    forwards: dict = dataclasses.field(default_factory=dict)
    serial: str = "stdio"
    qmp: str = None
    debugcon: pathlib.Path = None
    gdb: str = None
    paused: bool = False
    reboot: bool = True
    icount: int = None
    sleep: bool = False
    prefix: tuple = ()
    extra: tuple = ()

    SETTINGS = ("qemu", "ovmf", "machine", "accel", "cpu", "mem", "smp", "net", "nic", "serial")
    VIRTIO = ""  # more properties of every virtio device

    @classmethod
    def from_environment(cls, **given):
        """Make options from the environment; what is given wins."""
        found = {n: os.environ[n.upper()] for n in cls.SETTINGS if os.environ.get(n.upper())}
        return cls(**{**found, **given})

    def command(self):
        """Return the command line as a list. Raises QemuError."""
        line = [*self.prefix, self.qemu, "-nodefaults", "-no-user-config", "-display", "none", *self._machine()]
        line += self._boot() + self._net() + self._channels() + self._random()
        if self.icount is not None:
            line += ["-icount", f"shift={self.icount},sleep={'on' if self.sleep else 'off'}"]
        line += ["-S"] * self.paused + ["-no-reboot"] * (not self.reboot)
        return line + list(self.extra)

    def _machine(self):
        """Return the arguments for processors, memory and firmware."""
        accel = self.accel or default_accel()
        # reserve=off: a guest may be given more memory than the host has, as long as it does not use it.
        return ["-machine", self.machine + ",memory-backend=ram", "-accel", accel, "-cpu", self.cpu or ("host" if accel == "kvm" else TCG_CPU),
                "-m", str(self.mem), "-object", f"memory-backend-ram,id=ram,size={self._bytes()},reserve=off", "-smp", str(self.smp),
                *firmware(self.ovmf)]

    def _bytes(self):
        """Return the size of memory with its unit."""
        return f"{self.mem}M" if str(self.mem).isdigit() else self.mem  # MiB, as -m takes it

    def _boot(self):
        """Return the arguments for what is started."""
        line = []
        if self.kernel:
            line += ["-kernel", str(self.kernel)] + (["-append", self.append] if self.append else [])
        elif not self.volume:
            raise QemuError("nothing to boot: give a volume or an executable")
        if self.volume:
            volume = pathlib.Path(self.volume)
            if not volume.exists():
                raise QemuError(f"{volume} does not exist; make efi builds it")
            file = f"fat:{volume}" if volume.is_dir() else str(volume)
            # The image stays as it is: one may serve many machines at once.
            mode = "readonly=on" if volume.is_dir() else "snapshot=on"
            line += ["-drive", f"if=none,id=boot,format=raw,{mode},file={escape(file)}"]
            line += ["-device", "virtio-blk-pci,drive=boot" + self.VIRTIO + ("" if self.kernel else ",bootindex=0")]
        return line

    def _net(self):
        """Return the arguments for the network card."""
        if self.net == "none":
            return []
        if self.net == "user":
            forwards = "".join(f",hostfwd=tcp:127.0.0.1:{host}-{GUEST}:{guest}" for guest, host in self.forwards.items())
            backend = f"user,id=net,net={SUBNET},host={GATEWAY}{forwards}"
        elif self.net == "tap" or self.net.startswith("tap:"):
            backend = f"tap,id=net,ifname={self.net[4:] or 'tap0'},script=no,downscript=no"
        elif self.net.startswith("stream:"):
            backend = f"stream,id=net,server=off,addr.type=unix,addr.path={escape(self.net[7:])}"
        else:
            raise QemuError(f"NET={self.net} is none of user, tap, tap:NAME, stream:PATH and none")
        # OVMF has a driver for virtio; the others bring theirs in a ROM.
        rom = ",romfile=" + self.VIRTIO if self.nic.startswith("virtio") else ""
        return ["-netdev", backend, "-device", f"{self.nic},netdev=net{rom}{self.card}"]

    def _channels(self):
        """Return the arguments for serial line, QMP, firmware log and debugger."""
        line = []
        if self.serial == "stdio":
            line += ["-chardev", "stdio,id=serial,mux=on,signal=off", "-mon", "chardev=serial,mode=readline",
                     "-echr", str(ESCAPE), "-serial", "chardev:serial"]
        elif self.serial:
            line += ["-chardev", f"socket,id=serial,server=on,wait=off,{address(self.serial)}", "-serial", "chardev:serial"]
        if self.qmp:
            line += ["-chardev", f"socket,id=qmp,server=on,wait=off,{address(self.qmp)}", "-mon", "chardev=qmp,mode=control"]
        if self.debugcon:
            line += ["-debugcon", f"file:{self.debugcon}", "-global", "isa-debugcon.iobase=0x402"]
        if self.gdb:
            line += ["-gdb", f"tcp:{self.gdb}"]
        return line

    def _random(self):
        """Return the arguments for random numbers out of the host."""
        return ["-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]


def default_accel():
    """Return kvm where it can boot a firmware, else tcg.

    There are hosts whose /dev/kvm opens but runs no real-mode code; their processors show neither svm nor vmx.
    """
    try:
        flags = re.search(r"^flags\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        flags = None
    has_virtualization = bool(flags and {"svm", "vmx"} & set(flags[1].split()))
    return "kvm" if has_virtualization and os.access("/dev/kvm", os.R_OK | os.W_OK) else "tcg"


def firmware(ovmf):
    """Return the flash arguments for a firmware: a name that fetch.py links, a CODE file beside its VARS, or one file.

    Variables are written to a temporary copy, gone when QEMU ends.
    """
    code = pathlib.Path(ovmf)
    if "/" not in ovmf and not code.exists():
        code = BUILD / "firmware" / ovmf / "CODE.fd"
    if not code.exists():
        raise QemuError(f"no firmware {code}; tools/fetch.py ovmf2025 fetches one, OVMF=FILE gives another")
    variables = code.with_name(re.sub(r"CODE(_4M)?.*", r"VARS\1.fd", code.name))
    if variables == code:
        return ["-drive", f"if=pflash,unit=0,format=raw,snapshot=on,file={escape(code)}"]
    return ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={escape(code)}",
            "-drive", f"if=pflash,unit=1,format=raw,snapshot=on,file={escape(variables)}"]


def address(where):
    """Return the chardev properties of a socket: "tcp", "tcp:PORT", or the path of a unix socket.

    QEMU writes what a serial line sends byte by byte: without nodelay an answer waits 40 ms behind its first byte.
    """
    tcp = re.fullmatch(r"tcp(?::(\d+))?", str(where))
    return f"host=127.0.0.1,port={tcp[1] or 0},nodelay=on" if tcp else f"path={escape(where)}"


def escape(path):
    """Write a path so that QEMU's option parser takes it as one value."""
    return str(path).replace(",", ",,")


def free_forwards(preferred):
    """Return {guest port: host port} with every host port that is taken replaced by a free one."""
    chosen = {}
    for guest, host in preferred.items():
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", host))
            except OSError:
                s.bind(("127.0.0.1", 0))
            chosen[guest] = s.getsockname()[1]
    return chosen


def main():
    parser = argument_parser(__doc__)
    args = parser.parse_args()
    os.environ.setdefault("NET", "user")
    options = Options.from_environment(volume=args.volume, kernel=args.kernel, append=args.append,
                                       forwards=free_forwards(FORWARDS), paused=args.gdb,
                                       gdb="127.0.0.1:1234" if args.gdb else None)
    run(options, args.print)


def argument_parser(purpose, volume=True):
    """Return the parser of the arguments that say what is started; volume: with those for a volume or an executable."""
    parser = argparse.ArgumentParser(description=purpose.splitlines()[0])
    if volume:
        parser.add_argument("--volume", type=pathlib.Path, help="boot volume: a folder or a disk image")
        parser.add_argument("--kernel", type=pathlib.Path, help="executable to start through fw_cfg")
        parser.add_argument("--append", default="", help="its load options")
    parser.add_argument("--gdb", action="store_true", help="wait for GDB on 127.0.0.1:1234")
    parser.add_argument("--print", action="store_true", help="print the command line, do not run it")
    return parser


def run(options, only_print):
    """Become QEMU on this terminal, or print its command line; does not return, or exits with one line."""
    try:
        line = options.command()
    except QemuError as e:
        sys.exit(f"qemu: {e}")
    if only_print:
        print(shlex.join(line))
        return
    introduce(options)
    try:
        os.execvp(line[0], line)
    except OSError as e:
        sys.exit(f"qemu: cannot run {line[0]}: {e.strerror}")


def introduce(options):
    """Say on the terminal how to leave, and where the guest can be reached."""
    if options.net == "user":
        for guest, host in options.forwards.items():
            print(f"127.0.0.1:{host} is forwarded to {GUEST}:{guest}")
    if options.gdb:
        print(f"waiting for GDB on {options.gdb}: gdb -x tools/debug.py")
    if options.serial == "stdio":
        print("Ctrl-] then x ends QEMU", flush=True)
    else:
        print(f"the serial line is at {options.serial}; Ctrl-C ends QEMU", flush=True)


if __name__ == "__main__":
    main()
