"""image.py and fat.py: boot volumes as a folder and as a disk image, which mtools and the firmware must read."""

import os
import subprocess
import time

import pytest

import fat
import image


def content(tmp_path):
    """Make an executable and a folder of files; return both paths."""
    (tmp_path / "x.efi").write_bytes(b"MZ" * 1000)
    files = tmp_path / "files"
    (files / "deep" / "er").mkdir(parents=True)
    (files / "main.py").write_text("print(1)\n")
    (files / "deep" / "er" / "a long name with ünïcödé ☃.txt").write_text("snow")
    os.utime(files / "main.py", (1_000_000_000, 1_000_000_000))
    return tmp_path / "x.efi", files


def test_folder(tmp_path):
    efi, files = content(tmp_path)
    out = tmp_path / "volume"
    out.mkdir()
    (out / "old").touch()
    image.make_folder(out, efi, [files])
    assert sorted(p.name for p in out.iterdir()) == ["EFI", "deep", "main.py"]
    assert (out / image.BOOT_PATH).read_bytes() == efi.read_bytes()


def test_image_holds_the_files(tmp_path):
    efi, files = content(tmp_path)
    image.make_image(tmp_path / "d.img", efi, [files])
    back = tmp_path / "back"
    back.mkdir()
    subprocess.run(["mcopy", "-s", "-m", "-i", tmp_path / "d.img", "::*", back], check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert (back / image.BOOT_PATH).read_bytes() == efi.read_bytes()
    assert (back / "deep" / "er" / "a long name with ünïcödé ☃.txt").read_text() == "snow"
    assert os.stat(back / "main.py").st_mtime == 1_000_000_000


def test_image_is_reproducible(tmp_path):
    efi, files = content(tmp_path)
    image.make_image(tmp_path / "a.img", efi, [files])
    time.sleep(2.1)  # FAT counts time in steps of 2 s
    image.make_image(tmp_path / "b.img", efi, [files])
    assert (tmp_path / "a.img").read_bytes() == (tmp_path / "b.img").read_bytes()


def test_image_grows_with_its_content(tmp_path):
    (tmp_path / "x.efi").write_bytes(bytes(100))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "big").write_bytes(os.urandom(50 << 20))
    (tmp_path / "files" / "many").mkdir()
    for i in range(2000):
        (tmp_path / "files" / "many" / f"a file with a long name and the number {i}").write_text(str(i))
    image.make_image(tmp_path / "d.img", tmp_path / "x.efi", [tmp_path / "files"])
    listing = subprocess.run(["mdir", "-b", "-i", tmp_path / "d.img", "::many"], check=True, capture_output=True, text=True).stdout
    assert len(listing.splitlines()) == 2000
    assert os.stat(tmp_path / "d.img").st_size > 50 << 20


def test_short_names_are_unique():
    names = ["~0000001", "lower", "UPPER.TXT", "two.dots.txt", "x" * 255, "~0000002.X", "ümlaut"]
    entries = list(fat.name_entries(names))
    short = [s for _, s in entries]
    assert len(set(short)) == len(names) and all(len(s) == 11 for s in short)
    assert short[0] == b"~0000001   " and short[2] == b"UPPER   TXT" and not entries[2][0]
    assert len(entries[4][0]) == 32 * 20


def test_name_too_long():
    with pytest.raises(ValueError, match="longer than 255"):
        fat.long_entries("x" * 256, b" " * 11)
