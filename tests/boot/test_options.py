"""Options from outside: whatever the load options and the option file hold, the machine boots, and takes what is right."""

import json
import random

import pytest

import rawrepl


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
    found = options(boot(append=append))
    if append.startswith("\t"):
        assert found[0] == ["a", "1"]
    else:
        assert found == expected


BOOT_ENTRY = """
import efi, mem, struct
GET, SET = (mem.r64(efi.runtime_services() + offset) for offset in (72, 88))
GLOBAL = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")
def name(s): return b"".join(bytes([ord(c), 0]) for c in s + "\\0")
def get(s):
    size, data = bytearray(struct.pack("<Q", 4096)), bytearray(4096)
    assert efi.call(GET, name(s), GLOBAL, None, size, data) == 0
    return bytes(data[:struct.unpack("<Q", size)[0]])
def put(s, data): assert efi.call(SET, name(s), GLOBAL, 7, len(data), data) == 0
entry = get("Boot%04X" % struct.unpack("<H", get("BootCurrent")))
end = 6
while entry[end:end + 2] != b"\\0\\0": end += 2
put("Boot00AA", entry[:end + 2 + struct.unpack("<H", entry[4:6])[0]] + OPTIONS)
put("BootNext", b"\\xaa\\0")
"""
HIGH, LOW = b"\x3d\xd8", b"\x00\xde"  # U+1F600 in UTF-16 is d83d de00


def test_utf16(boot):
    """Load options of a boot entry are UTF-16: pairs of surrogates are one character, lone ones U+FFFD, a NUL ends them."""
    machine = boot()
    for data, expected in (
        ("file.efi k=grün日 l=1".encode("utf-16-le"), [["k", "grün日"], ["l", "1"]]),
        ("k=".encode("utf-16-le") + HIGH + LOW + LOW + HIGH + HIGH + LOW, [["k", "😀\ufffd\ufffd😀"]]),
        ("k=".encode("utf-16-le") + LOW + b"x\0" + HIGH, [["k", "\ufffdx\ufffd"]]),
        ("k=1 ".encode("utf-16-le") + HIGH + "=2 l=3\0m=4".encode("utf-16-le") + b"x", [["k", "1"], ["l", "3"]]),
        ("k=".encode("utf-16-le") + (HIGH + LOW) * 1000, [["k", "😀" * 1000]]),
    ):
        assert rawrepl.run(machine, f"OPTIONS = {data!r}" + BOOT_ENTRY) == ("", "")
        machine.send("reset\r")
        machine.wait_reset()
        assert options(machine) == expected


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
def test_option_file(boot, content, expected):
    found = options(boot(files={"keelback.cfg": content}))
    if expected is not None:
        assert found == expected
    assert len(found) <= 64


def test_order(boot):
    """Load options win over the file; the file beside the executable is read."""
    machine = boot(files={"EFI/BOOT/keelback.cfg": "user.where=beside\n", "keelback.cfg": "user.where=root\n"})
    assert options(machine)[-1] in (["user.where", "beside"], ["user.where", "root"])


def test_unknown_values(boot):
    """Values that are none of those documented mean the default."""
    machine = boot(append="boot_services=maybe fault=explode")
    assert "exiting EFI boot services" in machine.greeting
