"""qemu.py: the command line follows from the options and the environment."""

import pathlib
import socket
import subprocess
import sys

import pytest

import qemu

NAMES = ("QEMU", "OVMF", "MACHINE", "ACCEL", "CPU", "MEM", "SMP", "NET")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def after(line, flag):
    """Return the arguments that follow each occurrence of a flag."""
    return [line[i + 1] for i, word in enumerate(line) if word == flag]


def test_defaults(tmp_path):
    line = qemu.Options(volume=tmp_path).command()
    assert after(line, "-machine") == ["q35,memory-backend=ram"] and after(line, "-m") == ["256M"]
    assert "virtio-blk-pci,drive=boot,bootindex=0" in after(line, "-device")
    assert not after(line, "-netdev")


def test_environment_overrides(tmp_path, monkeypatch):
    for name, value in zip(NAMES, ("my-qemu", "ovmf2022", "pc", "tcg", "max", "64M", "4", "tap")):
        monkeypatch.setenv(name, value)
    line = qemu.Options.from_environment(volume=tmp_path, mem="1G").command()
    assert line[0] == "my-qemu" and after(line, "-machine") == ["pc,memory-backend=ram"] and after(line, "-m") == ["1G"]
    assert after(line, "-cpu") == ["max"] and after(line, "-smp") == ["4"]
    assert "ifname=tap0" in after(line, "-netdev")[0]


@pytest.mark.parametrize("flags, writable, accel", [
    ("fpu svm sse", True, "kvm"), ("fpu vmx", True, "kvm"), ("fpu svm", False, "tcg"), ("fpu svm_lock", True, "tcg"), ("fpu", True, "tcg")])
def test_kvm_only_where_it_can_boot(monkeypatch, flags, writable, accel):
    monkeypatch.setattr(pathlib.Path, "read_text", lambda self: f"processor: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(qemu.os, "access", lambda path, mode: writable)
    assert qemu.default_accel() == accel


def test_cards_and_places(tmp_path):
    line = qemu.Options(volume=tmp_path, net="stream:/a,b", card=",csum=off", prefix=("nsenter", "--"), icount=0, sleep=True).command()
    assert line[:3] == ["nsenter", "--", "qemu-system-x86_64"]
    assert after(line, "-netdev") == ["stream,id=net,server=off,addr.type=unix,addr.path=/a,,b"]
    assert "virtio-net-pci,netdev=net,romfile=,csum=off" in after(line, "-device") and after(line, "-icount") == ["shift=0,sleep=on"]


def test_kernel_with_load_options(tmp_path):
    line = qemu.Options(kernel="x.efi", append="a=1 b=2", volume=tmp_path).command()
    assert after(line, "-kernel") == ["x.efi"] and after(line, "-append") == ["a=1 b=2"]
    assert "virtio-blk-pci,drive=boot" in after(line, "-device")


def test_commas_in_paths_are_escaped(tmp_path):
    (tmp_path / "a,b.img").touch()
    assert after(qemu.Options(volume=tmp_path / "a,b.img").command(), "-drive")[-1].endswith("/a,,b.img")


@pytest.mark.parametrize("options, words", [
    ({}, "nothing to boot"), ({"volume": "/nowhere"}, "/nowhere does not exist"), ({"volume": "/", "net": "x"}, "NET=x"),
    ({"volume": "/", "ovmf": "/no/OVMF.fd"}, "no firmware /no/OVMF.fd"), ({"volume": "/", "ovmf": "ovmf1999"}, "ovmf1999")])
def test_errors(options, words):
    with pytest.raises(qemu.QemuError, match=words):
        qemu.Options(**options).command()


def test_firmware_variables_are_found(tmp_path):
    for name in ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", "OVMF.fd"):
        (tmp_path / name).touch()
    assert qemu.firmware(str(tmp_path / "OVMF_CODE_4M.secboot.fd"))[-1].endswith("OVMF_VARS_4M.fd")
    assert len(qemu.firmware(str(tmp_path / "OVMF.fd"))) == 2


def test_taken_port_is_replaced():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        taken = s.getsockname()[1]
        assert qemu.free_forwards({22: taken})[22] != taken


def test_command_reports_errors_in_one_line():
    done = subprocess.run([sys.executable, qemu.__file__, "--volume", "/nowhere"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr == "qemu: /nowhere does not exist; make efi builds it\n"
