"""shell/commands/mem.py: hex dumps at exact width, one line for what is not mapped."""

import mem
from check import run, same
from talk import command


def fresh():
    mem.reset()
    mem.add(0x1000, b"0123456789abcdef" + bytes(0xFF0))
    mem.add(0x5000, bytes(0x1000), "r--")
    del mem.accesses[:]


def test_peek_aligned_is_32_bits_wide():
    fresh()
    same(
        command("peek 1000 20"),
        "00001000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
        "00001010  00 00 00 00                                       |....|\n\n",
    )
    same({kind for kind, _ in mem.accesses}, {"r32"})


def test_peek_odd_is_bytewise():
    fresh()
    same(command("peek 0x1001 3"), "00001001  31 32 33                                          |123|\n\n")
    same({kind for kind, _ in mem.accesses}, {"r8"})


def test_peek_errors_are_one_line():
    fresh()
    for line, text in (
        ("peek 3000 16", "address 0x3000 is not mapped"),
        ("peek 1ff0 32", "address 0x2000 is not mapped"),
        ("peek 1000 1048577", "size must be at most 1048576"),
        ("peek ffffffffffffffff 2", "beyond the last address"),
        ("peek 1000 0", "invalid <size> `0`, must be at least 1, usage: peek <hex addr> <size>"),
    ):
        same(command(line), "command error, %s\n" % text)
    same(mem.accesses, [])


def test_poke_widths():
    for digits, access, data in (
        ("41", "w8", b"\x41\x00"),
        ("4142", "w16", b"\x42\x41\x00"),
        ("41424344", "w32", b"\x44\x43\x42\x41\x00"),
        ("0000000000000001", "w64", b"\x01\x00\x00\x00\x00\x00\x00\x00\x00"),
    ):
        fresh()
        same(command("poke 1800 " + digits), "")
        same(mem.accesses, [(access, 0x1800)])
        same(bytes(mem.view(0x1800, len(data))), data)


def test_poke_errors():
    fresh()
    for line, text in (
        ("poke 9000 1", "address 0x9000 is not mapped or not writable"),
        ("poke 5000 1", "address 0x5000 is not mapped or not writable"),
        ("poke 1001 1234", "2 bytes need an address that is a multiple of 2"),
        ("poke ffffffffffffffff 12345678", "beyond the last address"),
    ):
        same(command(line), "command error, %s\n" % text)


run(globals())
