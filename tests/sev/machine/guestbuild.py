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


def fuzzer(out, guided=False):
    """Make the fuzzer of these with the sanitizers: a program by gcc, or a target of libFuzzer's by clang."""
    compiler = ["clang", "-DGUIDED", "-fsanitize=fuzzer"] if guided else ["gcc"]
    sources = [HERE / "fuzz.c", ROOT / "tests" / "fuzz" / "choices.c", *SOURCES]
    subprocess.run(list(map(str, [*compiler, *FLAGS, *SANITIZERS, "-o", out, *sources])), check=True)
