"""The image boots on every machine that is promised: memory sizes, processors, chipsets, firmware, media."""

import re
import shutil

import pytest

import image
import qemu

BANNER = """initializing EFI services
exiting EFI boot services

keelback • micropython/x86_64 (v1.25.0) • UEFI x64

"""


def check(machine, ram=None, cores=1):
    """The text is exact, Python computes, time passes, memory and processors are all seen."""
    text = machine.greeting[machine.greeting.index("initializing EFI services"):]
    assert text.startswith(BANNER), text
    assert text.removeprefix(BANNER).rstrip("\n") == machine.command("help").rstrip("\n")
    info = machine.command("info")
    assert int(re.search(r"Cores \.*: (\d+)", info)[1]) == cores
    if ram:
        found = int(re.search(r"\((\d+) MiB\)", info)[1])
        assert 0.97 * ram <= found <= ram, info
    machine.send("python\r")
    machine.expect(rb">>> \Z", 30)
    machine.send("import time; time.sleep_ms(50); print(len([str(i) for i in range(10000)]), 'done')\r")
    machine.expect(rb"10000 done\r\n>>> \Z", 60)
    machine.send("\x04")
    machine.wait_prompt(30)


@pytest.mark.parametrize("options", [
    {"mem": "64M"},
    {"mem": "64M", "smp": "8", "machine": "pc"},
    {"mem": "1G", "smp": "8"},
    {"mem": "4G", "machine": "pc", "smp": "2"},
    {"ovmf": "ovmf2022", "mem": "128M"},
    {"ovmf": "ovmf2022", "machine": "pc", "mem": "2G"},
    {"cpu": "qemu64,+rdrand"},
    {"cpu": "EPYC-Milan,check=off,pdpe1gb=off", "mem": "5G"},
    {"cpu": "max"},
    {"cpu": "EPYC-Milan,check=off,+x2apic"},
], ids=lambda o: "-".join(o.values()))
def test_machine(boot, options):
    unit = {"M": 1, "G": 1024}
    mem = options.get("mem", "256M")
    check(boot(**options), int(mem[:-1]) * unit[mem[-1]], int(options.get("smp", "1")))


def test_64_gib(boot):
    """All of it is seen, can be used beyond 4 GiB, and costs neither boot time nor collection time."""
    machine = boot(mem="64G", cpu="EPYC-Milan,check=off,phys-bits=40")
    check(machine, 64 * 1024)
    machine.send("python\r")
    machine.expect(rb">>> \Z", 30)
    machine.send("import mem, gc, time; free = mem.info()[2]; print(free > 62 << 30)\r")
    machine.expect(rb"True\r\n>>> \Z", 60)
    machine.send("b = bytearray(3 << 30); b[-1] = 7; print(b[-1], hex(id(b)))\r")
    machine.expect(rb"7 0x\w+\r\n>>> \Z", 120)
    machine.send("del b; gc.collect(); t = time.ticks_us(); gc.collect(); print('took', time.ticks_diff(time.ticks_us(), t))\r")
    assert int(machine.expect(rb"took (\d+)\r\n>>> \Z", 60)[1]) < 100000
    assert machine.rss() < 6 << 30


@pytest.mark.parametrize("medium", ["image", "kernel", "kernel with a volume"])
def test_medium(boot, tmp_path, medium):
    """A disk image; fw_cfg, with load options; and the files beside an executable from fw_cfg."""
    files = tmp_path / "files"
    files.mkdir()
    (files / "hello.txt").write_text("hello from the volume\n")
    efi = qemu.BUILD / "keelback.efi"
    if medium == "image":
        image.make_image(tmp_path / "disk.img", efi, [files])
        machine = boot(volume=tmp_path / "disk.img")
        assert machine.command("cat hello.txt") == "hello from the volume\n\n"
    else:
        machine = boot(kernel=efi, append="user.key=a-value", **({"files": files} if "volume" in medium else {}))
        machine.send("python\r")
        machine.expect(rb">>> \Z", 30)
        machine.send("import efi; print(efi.option('user.key'), efi.option('other'))\r")
        machine.expect(rb"a-value None\r\n>>> \Z", 30)
        machine.send("\x04")
        machine.wait_prompt(30)
    check(machine)


def test_other_name(boot, tmp_path):
    """The executable under another name in another folder, started from a boot entry: the shell is the same."""
    volume = tmp_path / "volume"
    image.make_folder(volume, qemu.BUILD / "keelback.efi")
    shutil.copy(volume / "EFI/BOOT/BOOTX64.EFI", volume / "copy.efi")
    machine = boot(volume=volume)
    check(machine)
    assert "copy.efi" in machine.command("ls").lower()
