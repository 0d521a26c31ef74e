"""The image boots on every machine that is promised: memory sizes, processors, chipsets, firmware, media."""

import re
import shutil

import pytest

import image
import pyprompt
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
    pyprompt.enter(machine)
    assert pyprompt.evaluate(machine, "import time; time.sleep_ms(50); print(len([str(i) for i in range(10000)]))", 60) == "10000\n"
    pyprompt.leave(machine)


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
    pyprompt.enter(machine)
    assert pyprompt.evaluate(machine, "import mem, gc, time; print(mem.info()[2] > 62 << 30)") == "True\n"
    assert pyprompt.evaluate(machine, "b = bytearray(3 << 30); b[-1] = 7; print(b[-1])", 120) == "7\n"
    line = "del b; gc.collect(); t = time.ticks_us(); gc.collect(); print(time.ticks_diff(time.ticks_us(), t))"
    assert int(pyprompt.evaluate(machine, line, 60).split()[-1]) < 100000  # behind what the collections found
    assert machine.rss() < 6 << 30


@pytest.mark.parametrize("medium", ["image", "kernel", "kernel with a volume"])
def test_medium(boot, tmp_path, medium):
    """A disk image; fw_cfg, with load options; and the files beside an executable from fw_cfg."""
    files = tmp_path / "files"
    files.mkdir()
    (files / "hello.txt").write_text("hello from the volume\n")
    if medium == "image":
        image.make_image(tmp_path / "disk.img", qemu.BUILD / "keelback.efi", [files])
        machine = boot(volume=tmp_path / "disk.img")
        assert machine.command("cat hello.txt") == "hello from the volume\n\n"
    else:
        machine = boot(append="user.key=a-value", files=files if "volume" in medium else None)
        pyprompt.enter(machine)
        assert pyprompt.evaluate(machine, "import efi; print(efi.option('user.key'), efi.option('other'))") == "a-value None\n"
        pyprompt.leave(machine)
    check(machine)


def test_copy_of_the_executable(boot, tmp_path):
    """A second copy of the executable is a file like any other; the running one is not among the files."""
    volume = tmp_path / "volume"
    image.make_folder(volume, qemu.BUILD / "keelback.efi")
    shutil.copy(volume / "EFI/BOOT/BOOTX64.EFI", volume / "copy.efi")
    machine = boot(volume=volume)
    check(machine)
    size = (volume / "copy.efi").stat().st_size
    assert re.search(rf"^f +{size} copy\.efi$", machine.command("ls").lower(), re.M)
    assert machine.command("ls EFI/BOOT").strip() == ""
