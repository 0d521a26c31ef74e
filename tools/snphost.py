"""What a host needs to run SEV-SNP guests, read from its /proc, /sys and /dev.

root: a folder in place of /, for tests. Leaves out: QEMU and the firmware, see qemu_snp.py.
Source: Linux, Documentation/arch/x86/amd-memory-encryption.rst, Documentation/virt/kvm/x86/amd-memory-encryption.rst and
arch/x86/kvm/svm/sev.c (the parameter exists from 6.11 on); cpuid(4); AMD64 APM volume 3, CPUID Fn8000_001F.
"""

import os
import re
import struct

FLAG = "sev_snp"
PARAMETER = "sys/module/kvm_amd/parameters/sev_snp"
DEVICES = ("dev/kvm", "dev/sev")
C_BIT = 51  # of every processor that has SEV-SNP so far


def missing(root):
    """Return what is missing, a few words each."""
    return [*_processor(root), *_parameter(root), *(word for name in DEVICES for word in _device(root, name))]


def cpu_info(root):
    """Return /proc/cpuinfo's first processor as a dict; {} if it cannot be read."""
    try:
        text = (root / "proc/cpuinfo").read_text()
    except OSError:
        return {}
    return {m[1]: m[2] for m in re.finditer(r"^([^\t:\n]+?)\s*: *(.*)$", text.split("\n\n")[0], re.M)}


def c_bit(root):
    """Return the C-bit's position: CPUID 8000_001F EBX[5:0] where the kernel's module cpuid shows it, else C_BIT."""
    try:
        with open(root / "dev/cpu/0/cpuid", "rb") as f:
            f.seek(0x8000001F)
            eax, ebx, _, _ = struct.unpack("<4I", f.read(16))
    except (OSError, struct.error):
        return C_BIT
    return ebx & 63 if eax & 1 << 1 else C_BIT


def _processor(root):
    info = cpu_info(root)
    if FLAG in info.get("flags", "").split():
        return []
    name = info.get("model name", "unknown")
    return [f"no flag {FLAG} in /proc/cpuinfo (processor: {name}; an AMD EPYC from 7003 on has it, if its setup turns it on)"]


def _parameter(root):
    try:
        value = (root / PARAMETER).read_text().strip()
    except OSError:
        return [f"no /{PARAMETER} (module kvm_amd of Linux 6.11 or later)"]
    return [] if value in ("Y", "1") else [f"/{PARAMETER} is {value or 'empty'}, not Y"]


def _device(root, name):
    path = root / name
    if not path.exists():
        return [f"no /{name}"]
    return [] if os.access(path, os.R_OK | os.W_OK) else [f"/{name} is not writable by this user"]
