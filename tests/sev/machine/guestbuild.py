"""Compile boot/'s guest side of SEV-SNP for this host, with the made-up machine in place of the real one."""

import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SOURCES = [HERE / "machine.c", HERE / "memory.c", HERE / "host.c", HERE / "vc_here.c",
           *(ROOT / "boot" / f"{name}.c" for name in ("vc_port", "vc_mmio", "vc_insn", "io", "ghcb", "ghcb_page", "psc", "sev", "cpuid_page"))]
FLAGS = ["-std=gnu11", "-g", "-fPIC", "-Wall", "-Wno-unused-parameter", "-DGNU_EFI_USE_MS_ABI", "-fshort-wchar", "-fno-strict-aliasing",
         "-include", HERE / "cpu.h", "-I", ROOT, "-I", ROOT / "boot", "-I", "/usr/include/efi", "-I", "/usr/include/efi/x86_64"]
SANITIZERS = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize=alignment", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]


def library(out):
    """Make a shared library. Raises subprocess.CalledProcessError."""
    subprocess.run(list(map(str, ["gcc", *FLAGS, "-O2", "-shared", "-o", out, *SOURCES])), check=True)


def program(out, main):
    """Make a program of these and another source, with the sanitizers."""
    subprocess.run(list(map(str, ["gcc", *FLAGS, *SANITIZERS, "-o", out, main, *SOURCES])), check=True)
