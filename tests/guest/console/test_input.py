"""Input as programs read it: poll wakes up, bytes arrive in order and complete, streams of asyncio work."""

import binascii
import hashlib

import pytest

import rawrepl
import vm as console


@pytest.fixture
def raw(vm):
    rawrepl.enter(vm)
    yield vm
    rawrepl.leave(vm)


def talk(vm, code, data, limit=30):
    """Run code that prints "go" and then reads; send data; return what else it printed."""
    vm.send(code.encode() + rawrepl.END)
    vm.expect(rb"go\r\n", 20)
    vm.send(data)
    m = vm.expect(rb"(.*?)\x04(.*?)\x04>", limit)
    assert console.plain(m[2]) == ""
    return console.plain(m[1])


def test_poll_wakes(raw):
    code = ("import select, sys, time\np = select.poll(); p.register(sys.stdin.buffer, select.POLLIN)\nprint('go')\n"
            "t = time.ticks_ms(); r = p.poll(20000); print(time.ticks_diff(time.ticks_ms(), t) < 5000, r[0][1] == select.POLLIN)\n"
            "print(sys.stdin.buffer.read(3))")
    assert talk(raw, code, b"abc") == "True True\nb'abc'\n"


def test_every_byte(raw):
    """All bytes but the interrupt's arrive as they are."""
    data = bytes(b for b in range(256) if b != 3) * 40
    code = f"import sys\nprint('go')\nb = sys.stdin.buffer.read({len(data)})\nimport hashlib\nprint(hashlib.sha256(b).digest().hex())"
    assert talk(raw, code, data) == hashlib.sha256(data).hexdigest() + "\n"


def test_flow(raw):
    """A megabyte sent at once to a program that reads slowly: nothing is lost."""
    data = bytes(i * 7 % 256 for i in range(1 << 20)).replace(b"\x03", b"\x04")
    code = (f"import sys, time, binascii\nprint('go')\nleft = {len(data)}; crc = 0; b = bytearray(4096)\nwhile left:\n"
            "  n = sys.stdin.buffer.readinto(b); crc = binascii.crc32(memoryview(b)[:n], crc); left -= n\n"
            "  if left % 50 == 0: time.sleep_ms(1)\nprint(crc)")
    assert talk(raw, code, data, 120) == f"{binascii.crc32(data)}\n"


def test_text(raw):
    """sys.stdin gives text: lines that end in LF, UTF-8."""
    code = "import sys\nprint('go')\nprint(repr(sys.stdin.readline()), repr(sys.stdin.readline()), repr(sys.stdin.read(2)))"
    assert talk(raw, code, "one\rhé\n日x".encode()) == "'one\\n' 'h\\xe9\\n' '\\u65e5x'\n"


def test_asyncio_stream(raw):
    code = ("import asyncio, sys\nasync def main():\n  r = asyncio.StreamReader(sys.stdin.buffer)\n  n = 0\n"
            "  async def tick():\n    nonlocal n\n    while True:\n      n += 1\n      await asyncio.sleep_ms(5)\n"
            "  t = asyncio.create_task(tick())\n  await asyncio.sleep_ms(50)\n  print('go')\n"
            "  print(await r.readline(), await r.readexactly(4), n > 1)\nsys.stdin.buffer.setblocking(False)\nasyncio.run(main())\n"
            "sys.stdin.buffer.setblocking(True)")
    assert talk(raw, code, b"a line\nfour") == "b'a line\\n' b'four' True\n"


def test_output(raw):
    """A megabyte of output arrives complete and in order."""
    start = raw.position
    raw.send(b"for i in range(40000): print('%08d %s' % (i, 'x' * 16))" + rawrepl.END)
    raw.expect(rb"\x04\x04>\Z", 120)
    printed = bytes(raw.console[start:raw.position]).removeprefix(b"OK").removesuffix(b"\x04\x04>")
    assert printed.decode() == "".join(f"{i:08d} {'x' * 16}\r\n" for i in range(40000))
