"""qemu_snp.py: the command line of an SEV-SNP guest, judged by a QEMU that knows such guests as far as it goes without the
hardware; and what is said where the host cannot run one."""

import pathlib
import subprocess
import sys

import pytest

import qemu
import qemu_snp
from test_qemu import after

QEMU10 = str(qemu.BUILD / "tools/qemu10")
AMDSEV = qemu.BUILD / "firmware/amdsev/OVMF.fd"
OVMF = qemu.BUILD / "firmware/ovmf2025/OVMF.fd"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in (*qemu_snp.SnpOptions.SETTINGS, "accel"):
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def kernel(tmp_path):
    """Something to boot that need not run."""
    (tmp_path / "a,b.efi").write_bytes(b"MZ" + bytes(9000))
    return tmp_path / "a,b.efi"


def test_direct_boot(kernel):
    line = qemu_snp.SnpOptions(kernel=kernel, append="a=1", net="user", forwards={22: 0}, root=pathlib.Path("/nowhere")).command()
    assert after(line, "-machine") == ["q35,confidential-guest-support=sev0,memory-backend=ram1,vmport=off"]
    assert after(line, "-object") == ["memory-backend-memfd,id=ram1,size=256M,share=on,prealloc=off,reserve=off",
                                      "sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,policy=0x30000,kernel-hashes=on"]
    assert after(line, "-accel") == ["kvm"] and after(line, "-cpu") == ["EPYC-v4"] and after(line, "-bios") == [str(AMDSEV)]
    assert after(line, "-kernel") == [str(kernel)] and after(line, "-append") == ["a=1"]
    assert after(line, "-device") == ["virtio-net-pci,netdev=net,romfile=,disable-legacy=on,iommu_platform=on"]
    assert "-drive" not in line, "pflash is no place for a firmware that is measured"


def test_disk(tmp_path):
    line = qemu_snp.SnpOptions(volume=tmp_path).command()
    assert "kernel-hashes" not in " ".join(line) and after(line, "-bios") == [str(OVMF)]
    assert after(line, "-device") == ["virtio-blk-pci,drive=boot,disable-legacy=on,iommu_platform=on,bootindex=0"]


def test_settings(kernel, monkeypatch):
    for name, value in {"CPU": "host", "SMP": "8", "MEM": "2G", "POLICY": "0xb0000", "NIC": "e1000", "NET": "user", "ACCEL": "tcg",
                        "OVMF": str(AMDSEV)}.items():
        monkeypatch.setenv(name, value)
    line = qemu_snp.SnpOptions.from_environment(kernel=kernel).command()
    assert after(line, "-cpu") == ["host"] and after(line, "-smp") == ["8"] and "size=2G," in after(line, "-object")[0]
    assert ",policy=0xb0000," in after(line, "-object")[1] and after(line, "-device") == ["e1000,netdev=net"]
    assert after(line, "-accel") == ["kvm"], "make qemu's ACCEL is not for this"


@pytest.mark.parametrize("ovmf, words", [("/no/such.fd", "no firmware /no/such.fd"), ("ovmf1999", "no firmware .*ovmf1999/OVMF.fd"),
                                         ("ovmf2025", "direct boot needs OVMF's AmdSev build"), ("/dev/null", "no table of GUIDs")])
def test_firmware_that_will_not_do(kernel, ovmf, words):
    with pytest.raises(qemu.QemuError, match=words):
        qemu_snp.SnpOptions(kernel=kernel, ovmf=ovmf).command()


# ---- QEMU's own judgment ------------------------------------------------------------------------------------------------

def start(line, **replaced):
    """Run a command line with parts of its words replaced, under TCG, and return what QEMU says; it has to end at once."""
    words = " ".join(line).replace("-accel kvm", "-accel tcg").replace("EPYC-v4", "EPYC-v4,check=off")
    for old, new in replaced.items():
        assert old in words
        words = words.replace(old, new)
    done = subprocess.run(words.split(" "), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("disk", [False, True])
def test_only_the_hardware_is_missing(tmp_path, kernel, disk):
    """Every option, object and property is known and has a value that QEMU takes: it goes on to the memory of the guest."""
    boot = {"volume": tmp_path} if disk else {"kernel": kernel, "append": "a=1"}
    options = qemu_snp.SnpOptions(qemu=QEMU10, serial=None, net="user", **boot)
    assert "cannot set up private guest memory for sev-snp-guest: KVM required" in start(options.command())


@pytest.mark.parametrize("old, new, words", [
    ("cbitpos=51", "cbitpos=x", "expects"), ("policy=0x30000", "policy=y", "expects"), ("kernel-hashes=on", "kernel-hashes=maybe", "expects"),
    ("reduced-phys-bits", "lost-phys-bits", "lost-phys-bits"), ("sev-snp-guest", "sev-snp-host", "sev-snp-host"),
    ("support=sev0", "support=sev1", "sev1"), ("prealloc=off", "prealloc=some", "expects")])
def test_qemu_sees_mistakes(kernel, old, new, words):
    """The judge can say no."""
    said = start(qemu_snp.SnpOptions(qemu=QEMU10, serial=None, kernel=kernel).command(), **{old: new})
    assert words in said and "KVM required" not in said


# ---- hosts that cannot --------------------------------------------------------------------------------------------------

def program(folder, version="QEMU emulator version 10.0.13", objects="sev-guest\n  sev-snp-guest\n"):
    """Write a program that says what a QEMU says, and return its path."""
    path = folder / "qemu"
    path.write_text(f"#!/bin/sh\ncase $1 in --version) echo '{version}';; -object) echo '{objects}';; esac\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("given, words", [
    ({}, None), ({"version": "QEMU emulator version 9.1.0 (Debian)"}, None),
    ({"version": "QEMU emulator version 9.0.2"}, "is version 9.0, 9.1 or later is needed"),
    ({"version": "QEMU emulator version 7.2.22"}, "is version 7.2, 9.1"), ({"version": "what?"}, "is version unknown"),
    ({"objects": "sev-guest\n  sev-snp-guestling"}, "was built without sev-snp-guest")])
def test_qemu_version(tmp_path, given, words):
    found = qemu_snp.qemu_missing(program(tmp_path, **given))
    assert found is None if words is None else words in found


def test_qemu_is_not_there():
    assert qemu_snp.qemu_missing("/no/qemu") == "/no/qemu cannot be run (No such file or directory)"
    assert qemu_snp.qemu_missing(QEMU10) is None


def command(*arguments):
    return subprocess.run([sys.executable, qemu_snp.__file__, *arguments], capture_output=True, text=True, timeout=60)


def test_one_line_says_all_that_is_missing(tmp_path, kernel, monkeypatch):
    monkeypatch.setenv("QEMU", program(tmp_path, version="QEMU emulator version 8.2.0"))
    monkeypatch.setenv("OVMF", "/no/such.fd")
    done = command("--kernel", str(kernel), "--root", "/nowhere")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    for words in ("qemu-snp: this host cannot run an SEV-SNP guest: no flag sev_snp in /proc/cpuinfo", "; no /sys/module/kvm_amd/parameters/sev_snp",
                  "; no /dev/kvm; no /dev/sev; ", " is version 8.2, 9.1 or later is needed; no firmware /no/such.fd",
                  "; make qemu-snp-emu needs none of it\n"):
        assert words in done.stderr


def test_host_that_can(tmp_path, monkeypatch):
    """Nothing is said, and QEMU gets its turn, with the command line that --print shows."""
    for path, text in {"proc/cpuinfo": "flags : sev_snp\n", "sys/module/kvm_amd/parameters/sev_snp": "Y\n", "dev/kvm": "", "dev/sev": ""}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setenv("QEMU", program(tmp_path))
    assert command("--check", "--root", str(tmp_path)).stdout == ""
    shown = command("--volume", str(tmp_path), "--root", str(tmp_path), "--print").stdout
    assert shown.startswith(f"{tmp_path}/qemu -nodefaults ") and "sev-snp-guest" in shown
    done = command("--volume", str(tmp_path), "--root", str(tmp_path))
    assert done.returncode == 0 and done.stdout.endswith("Ctrl-] then x ends QEMU\n")


@pytest.mark.parametrize("target", ["qemu-snp", "qemu-snp-disk"])
def test_make_says_so_before_it_builds(tmp_path, target):
    root = pathlib.Path(__file__).resolve().parents[2]
    if qemu_snp.missing(qemu_snp.SnpOptions(), True) == []:
        pytest.skip("this host can run SEV-SNP guests")
    done = subprocess.run(["make", target, f"BUILD={tmp_path / 'none'}"], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "this host cannot run an SEV-SNP guest" in done.stderr and "make qemu-snp-emu" in done.stderr
    assert not (tmp_path / "none").exists()
