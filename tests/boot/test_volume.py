"""Boot volumes that nobody would make by hand: thousands of files, deep paths, odd names, too much data."""

import datetime
import hashlib
import os
import random

import pytest

import image
import qemu
import rawrepl

EFI = qemu.BUILD / "keelback.efi"
WALK = """import os
def walk(path):
    for name, kind, *_ in os.ilistdir(path):
        yield path + name
        if kind == 0x4000: yield from walk(path + name + '/')
found = list(walk('/'))
"""


@pytest.fixture
def volume(boot, tmp_path):
    """A function that boots a disk image with the files that fill(folder) makes."""
    def start(fill, **options):
        files = tmp_path / "files"
        files.mkdir()
        fill(files)
        image.make_image(tmp_path / "disk.img", EFI, [files])
        return boot(volume=tmp_path / "disk.img", **options)
    return start


def run(machine, code):
    printed, error = rawrepl.run(machine, code)
    assert error == ""
    return printed


def test_thousands(volume):
    """3000 files in one folder: all there, with their content."""
    def fill(folder):
        (folder / "many").mkdir()
        for i in range(3000):
            (folder / "many" / f"file number {i}.txt").write_text(f"content {i}\n")

    machine = volume(fill)
    assert "left out" not in machine.greeting
    code = "import os\nprint(len(os.listdir('/many')), open('/many/file number 2999.txt').read().strip())"
    assert run(machine, code) == "3000 content 2999\n"
    assert len(machine.command("ls /many", 60).splitlines()) == 3001


def test_too_many(volume):
    """Beyond the bound of 8192 entries the rest is left out, and the console says so."""
    def fill(folder):
        for i in range(10):
            (folder / f"d{i}").mkdir()
            for j in range(1000):
                (folder / f"d{i}" / f"{j}").touch()

    machine = volume(fill)
    assert "left out of the RAM file system: too many files" in machine.greeting
    count = int(run(machine, WALK + "print(len(found))"))
    assert 8000 <= count <= 8192


def test_deep(volume):
    """Folders to the bound of 32 are there; deeper ones are left out, and the console says so."""
    def fill(folder):
        for i in range(40):
            folder = folder / f"level{i}"
            folder.mkdir()
            (folder / "x").write_text(str(i))

    machine = volume(fill)
    assert "left out of the RAM file system: path too long or too deep" in machine.greeting
    depth = int(run(machine, WALK + "print(max(p.count('/') for p in found))"))
    assert 31 <= depth <= 33
    assert run(machine, WALK + "print(all(open(p).read() == str(p.count('/level') - 1) for p in found if p.endswith('/x')))") == "True\n"


NAMES = ["ünï cödé.txt", "日本語.py", "a" * 200, "trailing space .x", "'quotes'", "semi;colon", "-rf", "%s%n%x", "$(reboot)", "UPPER.TXT",
         "many.dots.in.it", "~tilde", "#hash", "[b]", "{c}", "x=y", "comma,", "emoji😀"]


def test_names(volume):
    """Names that FAT allows arrive as they are, and can be opened and listed."""
    def fill(folder):
        for name in NAMES:
            (folder / name).write_text(name)

    machine = volume(fill)
    code = f"import os\nprint([n for n in {NAMES!r} if n not in os.listdir('/')])\n"
    code += f"print([n for n in {NAMES!r} if n in os.listdir('/') and open('/' + n).read() != n])"
    assert run(machine, code) == "[]\n[]\n"
    listed = machine.command("ls")
    assert all(name in listed for name in NAMES)
    assert machine.command("cat '$(reboot)'").startswith("$(reboot)")


def test_times(volume):
    """Times of modification, which FAT keeps in steps of 2 s, around leap days and at both ends of its range."""
    dates = ["1980-01-01T00:00:00", "1999-12-31T23:59:58", "2000-02-29T12:00:00", "2000-03-01T00:00:00", "2024-02-29T23:59:58",
             "2024-12-31T00:00:02", "2026-01-01T00:00:00", "2100-02-28T23:59:58", "2100-03-01T00:00:00", "2107-12-31T23:59:58"]
    seconds = [int(datetime.datetime.fromisoformat(date + "+00:00").timestamp()) for date in dates]

    def fill(folder):
        for s in seconds:
            (folder / f"{s}").touch()
            os.utime(folder / f"{s}", (s, s))

    machine = volume(fill)
    assert run(machine, f"import os\nprint([os.stat('/%d' % s)[8] for s in {seconds}])") == f"{seconds}\n"
    assert "Modified .: 2100-03-01T00:00:00Z" in machine.command(f"stat {seconds[8]}")


def test_too_large(volume):
    """A file beyond the share of the memory that files may take is left out; smaller ones come all the same."""
    def fill(folder):
        with open(folder / "huge.bin", "wb") as f:
            f.truncate(100 << 20)
        (folder / "large.bin").write_bytes(random.Random(1).randbytes(8 << 20))
        (folder / "small.txt").write_text("small\n")

    machine = volume(fill, mem="256M")
    assert "left out of the RAM file system: too large: huge.bin" in machine.greeting
    assert machine.command("cat small.txt") == "small\n\n"
    expected = hashlib.sha256(random.Random(1).randbytes(8 << 20)).hexdigest()
    assert expected in machine.command("stat large.bin", 60)


def test_damaged(boot, tmp_path):
    """A file system with noise in its tables and folders: the firmware gives what it gives, and we boot."""
    for seed in range(2):
        files = tmp_path / f"files{seed}"
        (files / "d").mkdir(parents=True)
        for i in range(300):
            (files / "d" / f"f{i}").write_text("x" * 600)
        path = tmp_path / f"disk{seed}.img"
        image.make_image(path, EFI, [files])
        damage(path, seed)
        machine = boot(volume=path)
        assert "second" in machine.command("uptime")
        run(machine, WALK + "for p in found:\n  try: open(p, 'rb').read()\n  except OSError: pass\n")


def damage(path, seed):
    """Overwrite bytes in the entries of folder d, found by one of its long names (UTF-16)."""
    r = random.Random(seed)
    data = bytearray(path.read_bytes())
    start = data.index("f100\0".encode("utf-16-le"))
    for _ in range(400):
        data[start - 512 + r.randrange(8192)] = r.randrange(256)
    path.write_bytes(data)
