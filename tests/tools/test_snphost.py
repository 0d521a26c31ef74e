"""snphost.py: what a host lacks for SEV-SNP, read from made-up /proc, /sys and /dev."""

import os
import struct

import pytest

import snphost

CPU = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7313\nstepping\t: 1\nflags\t\t: fpu svm sev{}\n"


@pytest.fixture
def root(tmp_path):
    """A host that can."""
    for path, text in {"proc/cpuinfo": CPU.format(" sev_es sev_snp") + "\nprocessor\t: 1\nstepping\t: 9\n", snphost.PARAMETER: "Y\n",
                       "dev/kvm": "", "dev/sev": ""}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_nothing_is_missing(root):
    assert snphost.missing(root) == []
    (root / snphost.PARAMETER).write_text("1\n")
    assert snphost.missing(root) == []


@pytest.mark.parametrize("path, text, words", [
    ("proc/cpuinfo", CPU.format(" sev_es"), "no flag sev_snp in /proc/cpuinfo (processor: AMD EPYC 7313; "),
    ("proc/cpuinfo", CPU.format(" sev_snp_not"), "no flag sev_snp "), ("proc/cpuinfo", None, "no flag sev_snp in /proc/cpuinfo (processor: unknown"),
    (snphost.PARAMETER, "N\n", "/sys/module/kvm_amd/parameters/sev_snp is N, not Y"),
    (snphost.PARAMETER, None, "no /sys/module/kvm_amd/parameters/sev_snp (module kvm_amd of Linux 6.11"),
    ("dev/kvm", None, "no /dev/kvm"), ("dev/sev", None, "no /dev/sev")])
def test_one_is_missing(root, path, text, words):
    (root / path).unlink()
    if text is not None:
        (root / path).write_text(text)
    found = snphost.missing(root)
    assert len(found) == 1 and found[0].startswith(words)


def test_all_are_missing(tmp_path):
    assert len(snphost.missing(tmp_path)) == 4


def test_device_of_somebody_else(root, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "sev")
    assert snphost.missing(root) == ["/dev/sev is not writable by this user"]


def test_first_processor_counts(root):
    info = snphost.cpu_info(root)
    assert (info["cpu family"], info["model"], info["stepping"], info["vendor_id"]) == ("25", "1", "1", "AuthenticAMD")


@pytest.mark.parametrize("eax, ebx, position", [(0x1A, 0x16F, 47), (0x1A, 0x173, 51), (0x1D, 0x16F, 51)])
def test_c_bit(root, eax, ebx, position):
    """From the leaf, where that says SEV; like cpuid(4), the file is read at the leaf's number."""
    assert snphost.c_bit(root) == 51
    (root / "dev/cpu/0").mkdir(parents=True)
    with open(root / "dev/cpu/0/cpuid", "wb") as f:
        f.seek(0x8000001F)
        f.write(struct.pack("<4I", eax, ebx, 509, 100))
    assert snphost.c_bit(root) == position
    (root / "dev/cpu/0/cpuid").write_bytes(b"short")
    assert snphost.c_bit(root) == 51
