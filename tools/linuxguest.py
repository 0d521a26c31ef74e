#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The Linux guest that `make bench` compares with, built from distribution packages.

A Debian cloud kernel, MicroPython's own unix port (standard variant, `-Os`, static) and nothing else:

* `job_initrd`: process 1 is tests/bench/guest/init.c, which runs a list of commands and powers off;
  started with QEMU's `-kernel`, where only the interpreter is measured; with an address, also the network;
* `boot_image`: process 1 is MicroPython at its prompt, and all is one unified kernel image for the
  firmware to start, as it starts keelback.efi.

Everything is made under BUILD/linux and kept; nothing is installed. Run as a program, it builds both.
Errors: subprocess.CalledProcessError where apt, dpkg, make, cc or objcopy fail; their output is shown.
"""
import argparse
import lzma
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
INIT_C = ROOT / "tests/bench/guest/init.c"
KERNEL_PACKAGE = "linux-image-cloud-amd64"      # a meta package: depends on the current kernel
STUB_PACKAGE = "systemd-boot-efi"
STUB = "usr/lib/systemd/boot/efi/linuxx64.efi.stub"
CMDLINE = "console=ttyS0 quiet"
MODULES = ("virtio_pci", "virtio_net")  # what drives a virtio network card, with all that they depend on
# Section addresses of a unified kernel image, as systemd-stub(7) of version 252 gives them.
SECTIONS = {".cmdline": 0x30000, ".linux": 0x2000000, ".initrd": 0x3000000}

# What Debian's source package leaves out (submodules) cannot be built in; none of it is measured.
UNIX_PORT = {"MICROPY_PY_BTREE": 0, "MICROPY_PY_SSL": 0, "MICROPY_SSL_MBEDTLS": 0, "MICROPY_PY_FFI": 0,
             "LDFLAGS_EXTRA": "-static"}


class LinuxGuest:
    """Paths of the parts, each made when first asked for.

    build: the build folder; micropython: MicroPython's source tree, not written to.
    """

    def __init__(self, build, micropython):
        self.dir = pathlib.Path(build).resolve() / "linux"
        self.source = pathlib.Path(micropython).resolve()
        self.dir.mkdir(parents=True, exist_ok=True)

    def kernel(self):
        """vmlinuz of the distribution's cloud kernel."""
        path = self.dir / "vmlinuz"
        if not path.exists():
            tree = self._unpack(_dependency(KERNEL_PACKAGE))
            shutil.copyfile(next((tree / "boot").glob("vmlinuz-*")), path)
        return path

    def interpreter(self):
        """The static unix port, stripped, built with make's own idea of what is stale."""
        out = self.dir / "unix"
        cross = self.dir / "mpy-cross"
        manifest = self.dir / "manifest.py"
        manifest.write_text('include("$(MPY_DIR)/extmod/asyncio")\n')
        self._make("mpy-cross", BUILD=cross)
        # MPY_LIB_DIR: any folder with a README.md passes the port's check for a library we do not freeze.
        self._make("ports/unix", BUILD=out, FROZEN_MANIFEST=manifest, MPY_LIB_DIR=self.source,
                   MICROPY_MPYCROSS=cross / "mpy-cross", **UNIX_PORT)
        return out / "micropython"

    def job_initrd(self, jobs, files, interpreter=None, address=None):
        """Write an initramfs that runs `jobs` (command lines; the interpreter is /micropython).

        files: guest path -> bytes; address: "ADDRESS MASK GATEWAY" (IPv4) of a virtio network card.
        Returns the path of the archive, which the next call overwrites.
        """
        if address:
            files = {**files, **self._modules(), "address": address.encode()}
        tree = {"init": self._init().read_bytes(), "jobs": ("\n".join(jobs) + "\n").encode(),
                "micropython": pathlib.Path(interpreter or self.interpreter()).read_bytes(), **files}
        path = self.dir / "jobs.cpio"
        path.write_bytes(cpio(tree))
        return path

    def boot_image(self):
        """The unified kernel image whose process 1 is the interpreter: a path, for EFI/BOOT/BOOTX64.EFI."""
        path = self.dir / "linux.efi"
        initrd = self.dir / "boot.cpio.gz"
        interpreter = self.interpreter()
        if path.exists() and path.stat().st_mtime > interpreter.stat().st_mtime:
            return path
        packed = subprocess.run(["gzip", "-9n"], input=cpio({"init": interpreter.read_bytes()}),
                                stdout=subprocess.PIPE, check=True)
        initrd.write_bytes(packed.stdout)
        cmdline = self.dir / "cmdline"
        cmdline.write_text(CMDLINE)
        parts = {".cmdline": cmdline, ".linux": self.kernel(), ".initrd": initrd}
        command = ["objcopy"]
        for name, part in parts.items():
            command += ["--add-section", f"{name}={part}", "--change-section-vma", f"{name}={SECTIONS[name]:#x}"]
        subprocess.run([*command, self._unpack(STUB_PACKAGE) / STUB, path], check=True)
        return path

    def _modules(self):
        """The kernel's modules for the network, and their list."""
        return modules(self._unpack(_dependency(KERNEL_PACKAGE)), MODULES)

    def _init(self):
        path = self.dir / "init"
        if not path.exists() or path.stat().st_mtime < INIT_C.stat().st_mtime:
            subprocess.run(["cc", "-Os", "-static", "-s", "-Wall", "-o", path, INIT_C], check=True)
        return path

    def _make(self, folder, **variables):
        jobs = f"-j{os.cpu_count() or 1}"
        words = [f"{name}={value}" for name, value in variables.items()]
        with open(self.dir / "make.log", "ab") as log:
            subprocess.run(["make", jobs, "-C", self.source / folder, *words], check=True, stdout=log)

    def _unpack(self, package):
        tree = self.dir / package
        if not tree.exists():
            subprocess.run(["apt-get", "download", "-qq", package], cwd=self.dir, check=True)
            archive = next(self.dir.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive, tree], check=True)
        return tree


def _dependency(package):
    """The first package that a meta package depends on."""
    text = subprocess.run(["apt-cache", "depends", "--important", package], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return re.search(r"Depends: (\S+)", text).group(1)


def modules(tree, names):
    """The files of some modules of an unpacked kernel with all that they depend on, and a list "modules" of their paths.

    Each comes behind those that it needs. Modules that are built in are left out. Returns guest path -> bytes.
    """
    files = {}

    def add(name):
        path = next(tree.glob(f"**/{name}.ko*"), None)
        if not path or f"{name}.ko" in files:
            return  # it is built in, or there
        data = path.read_bytes()
        data = lzma.decompress(data) if path.suffix == ".xz" else data
        for other in re.search(rb"\0depends=([^\0]*)\0", data)[1].decode().split(","):
            add(other)
        files[f"{name}.ko"] = data

    for name in names:
        add(name)
    return {**files, "modules": "".join(f"/{name}\n" for name in files).encode()}


def cpio(files):
    """A "newc" cpio archive (Linux's Documentation/driver-api/early-userspace/buffer-format) as bytes.

    files: path without a leading slash -> content. Every file is executable; /dev/console (5, 1) is added,
    because the kernel opens it for process 1 before anything can be mounted.
    """
    entries = [("dev", 0o40755, b"", (0, 0)), ("dev/console", 0o20600, b"", (5, 1))]
    entries += [(name, 0o100755, data, (0, 0)) for name, data in files.items()]
    entries.append(("TRAILER!!!", 0, b"", (0, 0)))
    return b"".join(_cpio_entry(inode, *entry) for inode, entry in enumerate(entries, 1))


def _cpio_entry(inode, name, mode, data, device):
    # ino, mode, uid, gid, nlink, mtime, filesize, dev (2), rdev (2), namesize, check
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return _pad4(head) + _pad4(data)


def _pad4(data):
    return data + bytes(-len(data) % 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=ROOT / "build")
    parser.add_argument("--micropython", default=os.environ.get("MICROPYTHON_DIR"))
    args = parser.parse_args()
    guest = LinuxGuest(args.build, args.micropython or pathlib.Path(args.build) / "src/micropython")
    for path in (guest.kernel(), guest.interpreter(), guest.boot_image()):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
