"""The emulator's options (sev/emulator/options.c), compiled for this host: what is taken, and what is refused with which line."""

import ctypes
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
NAME, FORM = ": no such option; docs/emulator.md lists them", "an option is NAME=VALUE"


class Options(ctypes.Structure):
    """options_t of emu.h."""

    _fields_ = [("target", ctypes.c_char * 256), ("args", ctypes.c_char * 1024), ("unaccepted", ctypes.c_uint64), ("split", ctypes.c_uint64),
                ("psc_chunk", ctypes.c_uint64), ("rdtsc", ctypes.c_bool), ("log_serial", ctypes.c_bool), ("notes", ctypes.c_bool), ("end", ctypes.c_char * 8),
                ("fault", ctypes.c_char * 64), ("product", ctypes.c_char * 8), ("certs", ctypes.c_char * 16), ("measurement", ctypes.c_char * 97),
                ("host_data", ctypes.c_char * 65), ("report", ctypes.c_uint64), ("policy", ctypes.c_uint64), ("guest_svn", ctypes.c_uint64),
                ("used", ctypes.c_uint64), ("vlek", ctypes.c_bool), ("mask_chip", ctypes.c_bool)]


@pytest.fixture(scope="module")
def parse(tmp_path_factory):
    """parse(text, words) -> (what is wrong, or None; the options)."""
    out = tmp_path_factory.mktemp("options") / "options.so"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-I", ROOT, "-o", out, ROOT / "sev" / "emulator" / "options.c"], check=True)
    lib = ctypes.CDLL(str(out))
    lib.options_parse.restype = ctypes.c_char_p

    def call(text, words=False):
        options = Options()
        lib.options_default(ctypes.byref(options))
        wrong = lib.options_parse(ctypes.byref(options), text.encode(), ctypes.c_size_t(len(text)), ctypes.c_bool(words))
        return wrong and wrong.decode(), options

    return call


@pytest.mark.parametrize("text, value", [("0", 0), ("12", 12), ("0x1f", 31), ("2K", 2048), ("0x10M", 16 << 20), ("3G", 3 << 30), ("18446744073709551615", 2**64 - 1),
                                         ("0xffffffffffffffff", 2**64 - 1), ("17179869183G", 17179869183 << 30)])
def test_numbers(parse, text, value):
    wrong, options = parse(f"split={text}")
    assert (wrong, options.split) == (None, value)


@pytest.mark.parametrize("text", ["", "x", "K", "0x", "0xK", "0xg", "1KK", "1 2", "-1", "1.5", "12q", "18446744073709551616", "0x10000000000000000", "17179869184G"])
def test_no_numbers(parse, text):
    wrong, options = parse(f"split={text}")
    assert (wrong, options.split) == ("split wants a number", 0)


@pytest.mark.parametrize("text, on", [("yes", True), ("on", True), ("no", False), ("off", False)])
def test_switches(parse, text, on):
    wrong, options = parse(f"vlek={'no' if on else 'yes'}\nvlek={text}")
    assert (wrong, options.vlek) == (None, on)


@pytest.mark.parametrize("text", ["", "y", "1", "yep", "in", "of", "nay", "yesyes", "Yes", "true"])
def test_no_switches(parse, text):
    assert parse(f"vlek={text}")[0] == "vlek wants yes or no"


def test_lines(parse):
    wrong, options = parse("# a comment\r\n\r\nargs = console=ttyS0 quiet\r\nend=halt  \n")
    assert wrong is None
    assert (options.args, options.end, options.target, options.product) == (b"console=ttyS0 quiet", b"halt", b"\\target.efi", b"genoa")


def test_words(parse):
    wrong, options = parse("linux.efi fault=busy:2 split=1M", words=True)
    assert (wrong, options.target, options.fault, options.split) == (None, b"linux.efi", b"busy:2", 1 << 20)


@pytest.mark.parametrize("text, wrong", [("colour=blue", "colour" + NAME), ("=1", NAME), ("splits=1", "splits" + NAME), ("spli=1", "spli" + NAME), ("split", FORM),
                                         ("end=" + "x" * 8, "end is too long"), ("args=" + "x" * 1024, "args is too long"),
                                         ("n\n" * 9, FORM), ("x" * 40 + "=1", "x" * 32 + NAME), ("a\tb\x7f=1", "a?b?" + NAME)])
def test_refused(parse, text, wrong):
    assert parse(text)[0] == wrong
    assert parse("rdtsc=on\n" + text)[0] == wrong
