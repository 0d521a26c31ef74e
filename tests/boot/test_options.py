"""Options from outside: whatever the load options and the option file hold, the machine boots, and takes what is right."""

import json
import random

import pytest

import qemu
import rawrepl

EFI = qemu.BUILD / "keelback.efi"


def options(machine):
    """Return the options as the guest sees them: [[key, value]]."""
    printed, error = rawrepl.run(machine, "import efi, json\nprint(json.dumps([list(o) for o in efi.options()]))")
    assert error == ""
    return json.loads(printed)


@pytest.mark.parametrize("append, expected", [
    ("a=1 b=2 a=3", [["a", "1"], ["b", "2"], ["a", "3"]]),
    ("word another =x = == a= x=y=z", [["a", ""], ["x", "y=z"]]),
    ("\t a=1\t\tb=\x01\x7f c=é", [["a", "1"]]),
    ("é=1 ключ=2 k=grün", [["k", "grün".encode().decode("latin-1")]]),  # the firmware makes a character of each byte
    ("k=" + "v" * 3000 + " l=1", [["k", "v" * 3000], ["l", "1"]]),
    (" ".join(f"k{i}={i}" for i in range(300)), [[f"k{i}", str(i)] for i in range(64)]),
    ("x" * 20000, []),
    ("a\\=1 \"q=1 '", []),
], ids=["pairs", "odd", "control", "utf8", "long", "many", "huge", "quotes"])
def test_load_options(boot, append, expected):
    found = options(boot(kernel=EFI, append=append))
    if append.startswith("\t"):
        assert found[0] == ["a", "1"]
    else:
        assert found == expected


@pytest.mark.parametrize("content, expected", [
    (b"\xef\xbb\xbf# comment\r\nuser.a = one two \r\n; other\r\n\r\nb=2\r\nno pair\r\n", [["user.a", "one two"], ["b", "2"]]),
    (b"a=1\x00b=2\nc=3", None),
    (b"\x00" * 1000 + b"\na=1\n", [["a", "1"]]),
    (b"".join(b"key%d=%d\n" % (i, i) for i in range(10000)), [[f"key{i}", str(i)] for i in range(64)]),
    (random.Random(5).randbytes(1 << 20), None),
    (b"k=" + b"v" * 200000 + b"\nl=1\n", [["l", "1"]]),
    (b"=\n" * 1000 + b"a=1", [["a", "1"]]),
    (b"", []),
], ids=["text", "nul", "zeros", "lines", "binary", "long", "empty keys", "empty"])
def test_option_file(boot, tmp_path, content, expected):
    files = tmp_path / "files"
    files.mkdir()
    (files / "keelback.cfg").write_bytes(content)
    found = options(boot(files=files))
    if expected is not None:
        assert found == expected
    assert len(found) <= 64


def test_order(boot, tmp_path):
    """Load options win over the file; the file beside the executable is read."""
    files = tmp_path / "files"
    (files / "EFI" / "BOOT").mkdir(parents=True)
    (files / "EFI" / "BOOT" / "keelback.cfg").write_text("user.where=beside\n")
    (files / "keelback.cfg").write_text("user.where=root\n")
    machine = boot(files=files)
    assert options(machine)[-1] in (["user.where", "beside"], ["user.where", "root"])


def test_unknown_values(boot):
    """Values that are none of those documented mean the default."""
    machine = boot(kernel=EFI, append="boot_services=maybe fault=explode")
    assert "exiting EFI boot services" in machine.greeting
