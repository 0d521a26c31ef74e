"""The C library of port/libc against Python's own idea of each function, at every offset, up to a page that is not mapped."""

import ctypes
import math
import mmap
import pathlib
import random
import subprocess

import pytest

LIBC = pathlib.Path(__file__).resolve().parents[2] / "port" / "libc"
PAGE = mmap.PAGESIZE
MEMORY = ["memmove", "memcpy", "memset", "memcmp", "memchr", "explicit_bzero"]
STRING = ["strncmp", "strcmp", "strlen", "strchr", "strrchr", "strstr", "strspn", "strcspn", "strpbrk", "strcpy", "strcat", "strncpy", "atoi"]
NUMBERS = ["exp", "sqrt"]
FLAGS = ["-O2", "-std=gnu11", "-fPIC", "-fvisibility=default", "-fno-builtin", "-fno-tree-loop-distribute-patterns", "-fno-math-errno"]


@pytest.fixture(scope="module")
def lib(tmp_path_factory):
    """The functions under names of their own, so that nothing else calls them."""
    folder = tmp_path_factory.mktemp("libc")
    renames = ["--redefine-sym=%s=k_%s" % (name, name) for name in MEMORY + STRING + NUMBERS]
    objects = []
    for name in ("memory", "string", "math"):
        objects.append(folder / (name + ".o"))
        subprocess.run(["gcc", *FLAGS, "-I", LIBC / "include", "-c", LIBC / (name + ".c"), "-o", objects[-1]], check=True)
        subprocess.run(["objcopy", *renames, objects[-1]], check=True)
    out = folder / "libk.so"
    subprocess.run(["gcc", "-shared", *objects, "-lm", "-o", out], check=True)
    lib = ctypes.CDLL(str(out))
    for name in ("memchr", "strchr", "strrchr", "strstr", "strpbrk"):
        getattr(lib, "k_" + name).restype = ctypes.c_void_p
    for name in ("strlen", "strspn", "strcspn"):
        getattr(lib, "k_" + name).restype = ctypes.c_size_t
    for name in NUMBERS:
        getattr(lib, "k_" + name).restype = ctypes.c_double
        getattr(lib, "k_" + name).argtypes = [ctypes.c_double]
    return lib


class Fence:
    """Two pages of memory with an unmapped page on either side."""

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
        base = libc.mmap(None, 4 * PAGE, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        self.start, self.end = base + PAGE, base + 3 * PAGE
        libc.mprotect(ctypes.c_void_p(self.start), ctypes.c_size_t(2 * PAGE), mmap.PROT_READ | mmap.PROT_WRITE)

    def at_end(self, data):
        """Put data right before the end -> its address."""
        ctypes.memmove(self.end - len(data), bytes(data), len(data))
        return self.end - len(data)


@pytest.fixture(scope="module")
def fences():
    return Fence(), Fence()


def pattern(n, seed=0):
    return random.Random(seed).randbytes(n)


SIZES = [*range(0, 140), 191, 192, 193, 255, 256, 257, 319, 320, 511, 1000, 4096]


def p(address):
    return ctypes.c_void_p(address)


def n(count):
    return ctypes.c_size_t(count)


def test_copies_end_at_the_last_byte(lib, fences):
    a, b = fences
    for size in SIZES:
        data = pattern(size, size)
        source = a.at_end(data)
        for slack in (0, 1, 7):
            to = b.end - size - slack
            ctypes.memset(b.start, 0x55, 2 * PAGE)
            lib.k_memcpy(p(to), p(source), n(size))
            assert ctypes.string_at(to, size) == data
            assert ctypes.string_at(to - 8, 8) == b"\x55" * 8 and ctypes.string_at(to + size, slack) == b"\x55" * slack


def test_copies_start_at_the_first_byte(lib, fences):
    a, b = fences
    for size in SIZES:
        data = pattern(size, size)
        ctypes.memmove(a.start, data, size)
        lib.k_memmove(p(b.start), p(a.start), n(size))
        assert ctypes.string_at(b.start, size) == data


def test_moves_overlap(lib, fences):
    area = fences[0]
    for size in SIZES:
        for distance in (-300, -129, -64, -63, -17, -16, -3, -1, 0, 1, 2, 15, 16, 31, 64, 65, 128, 300):
            data = pattern(size, size)
            source = area.start + 1024
            ctypes.memmove(source, data, size)
            lib.k_memmove(p(source + distance), p(source), n(size))
            assert ctypes.string_at(source + distance, size) == data, (size, distance)


def test_fills(lib, fences):
    area = fences[0]
    for size in SIZES:
        for address in (area.start, area.end - size):
            ctypes.memset(area.start, 0x55, 2 * PAGE)
            lib.k_memset(p(address), 0x1A7, n(size))
            assert ctypes.string_at(address, size) == b"\xa7" * size
            assert ctypes.string_at(area.start, 2 * PAGE).count(b"\x55") == 2 * PAGE - size


def sign(x):
    return (x > 0) - (x < 0)


def test_comparisons_of_memory(lib, fences):
    a, b = fences
    for size in SIZES:
        data = pattern(size, size)
        left, right = a.at_end(data), b.at_end(data)
        assert lib.k_memcmp(p(left), p(right), n(size)) == 0
        for at in {0, 1, 7, 8, 15, 16, 17, size // 2, size - 2, size - 1}:
            if 0 <= at < size:
                other = bytearray(data)
                other[at] ^= 0x81
                assert sign(lib.k_memcmp(p(left), p(b.at_end(other)), n(size))) == sign(data[at] - other[at]), (size, at)
                b.at_end(data)


def test_scans_of_memory(lib, fences):
    area = fences[0]
    for size in range(0, 70):
        for at in range(size + 2):
            data = bytearray(b"." * size)
            if at < size:
                data[at] = ord("x")
            address = area.at_end(data)
            assert lib.k_memchr(p(address), ord("x"), n(size)) == (address + at if at < size else None)
    address = area.at_end(b"..x")
    assert lib.k_memchr(p(address), ord("x"), n(2**64 - 1)) == address + 2
    assert lib.k_memchr(p(address), ord("x"), n(2)) is None


def test_strings_at_the_end_of_a_page(lib, fences):
    area = fences[0]
    for size in range(0, 70):
        address = area.at_end(b"a" * size + b"\0")
        assert lib.k_strlen(p(address)) == size
        assert lib.k_strchr(p(address), ord("b")) is None
        assert lib.k_strchr(p(address), 0) == address + size
        for at in range(0, size):
            text = bytearray(b"a" * size + b"\0")
            text[at] = ord("b")
            address = area.at_end(text)
            assert lib.k_strchr(p(address), ord("b")) == address + at
            assert lib.k_strrchr(p(address), ord("b")) == address + at


def test_comparisons_of_strings(lib, fences):
    a, b = fences
    for size in range(0, 50):
        base = b"k" * size
        for other in (base, base + b"x", base[:-1], base[: size // 2] + b"\xff" + base[size // 2 + 1:]):
            left, right = a.at_end(base + b"\0"), b.at_end(other + b"\0")
            expected = sign((base > other) - (base < other))
            assert sign(lib.k_strcmp(p(left), p(right))) == expected, (base, other)
            for limit in (0, 1, size // 2, size, size + 1, size + 5):
                x, y = base[:limit], other[:limit]
                assert sign(lib.k_strncmp(p(left), p(right), n(limit))) == (x > y) - (x < y), (base, other, limit)


def test_other_string_functions(lib, fences):
    a, b = fences
    text = a.at_end(b"one two three two\0")
    for what, at in ((b"two", 4), (b"three", 8), (b"", 0), (b"o", 0), (b"twx", None), (b"e two", 2)):
        assert lib.k_strstr(p(text), what) == (None if at is None else text + at)
    assert lib.k_strspn(p(text), b"oen") == 3 and lib.k_strcspn(p(text), b"t") == 4 and lib.k_strcspn(p(text), b"") == 17
    assert lib.k_strpbrk(p(text), b"wt") == text + 4 and lib.k_strpbrk(p(text), b"XYZ") is None
    to = b.end - 8
    lib.k_strncpy(p(to), b"abc", n(8))
    assert ctypes.string_at(to, 8) == b"abc\0\0\0\0\0"
    lib.k_strcpy(p(to), b"abc")
    lib.k_strcat(p(to), b"defg")
    assert ctypes.string_at(to, 8) == b"abcdefg\0"
    assert [lib.k_atoi(s) for s in (b"0", b"12x", b"-7", b"+3", b"")] == [0, 12, -7, 3, 0]


def test_exp_is_right_to_the_last_bit_nearly_always(lib):
    rng = random.Random(1)
    assert lib.k_exp(1.0) == math.e
    assert lib.k_exp(0.0) == 1.0 and lib.k_exp(-math.inf) == 0 and lib.k_exp(math.inf) == math.inf and math.isnan(lib.k_exp(math.nan))
    assert lib.k_exp(709.9) == math.inf and lib.k_exp(-745.9) == 0
    for _ in range(20000):
        x = rng.uniform(-700, 700)
        y = lib.k_exp(x)
        assert abs(y - math.exp(x)) <= math.ulp(y)
    assert lib.k_sqrt(2.0) == math.sqrt(2.0)
