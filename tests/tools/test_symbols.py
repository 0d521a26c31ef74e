"""symbols.py: the table that is linked into the image."""

import struct
import subprocess

import symbols

SOURCE = """
    .text
    .globl text_start
    text_start:
    alpha: ret
    .balign 16
    beta.constprop.0: ret
    .balign 16
    .globl gamma
    gamma: ret
    .section .rodata
    data: .long 1
"""


def section(folder, text):
    """Assemble text and return the bytes of its .symtab_blob."""
    (folder / "t.S").write_text(text)
    subprocess.run(["gcc", "-c", "-o", folder / "t.o", folder / "t.S"], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".symtab_blob", folder / "t.o", folder / "t.bin"], check=True)
    return (folder / "t.bin").read_bytes()


def test_functions_in_order_of_address(tmp_path):
    (tmp_path / "p.S").write_text(SOURCE)
    subprocess.run(["gcc", "-static-pie", "-nostdlib", "-Wl,-Ttext=0x1000", "-Wl,-e,gamma", "-o", tmp_path / "p.elf", tmp_path / "p.S"],
                   check=True)
    functions = symbols.read_functions(tmp_path / "p.elf")
    assert [(addr, name) for addr, name in functions if addr <= 0x1020] == [(0x1000, "alpha"), (0x1010, "beta"), (0x1020, "gamma")]


def test_frozen_machine_code():
    for name, shown in (
        ("fun_data_drivers_virtqueue_drivers_slash_virtqueue_dot_py2", "drivers_virtqueue.machine_code2"),
        ("fun_data_main_main_dot_py", "main.machine_code"),
        ("fun_data_a_b_c_a_slash_b_slash_c_dot_py10", "a_b_c.machine_code10"),
        ("fun_data_drivers_x_dot_py", "fun_data_drivers_x_dot_py"),
        ("fun_data_shell_main_run", "fun_data_shell_main_run"),
        ("mp_obj_new_int", "mp_obj_new_int"),
    ):
        assert symbols.frozen(name) == shown


def test_table(tmp_path):
    blob = section(tmp_path, symbols.assembler([(0x1000, "f"), (0x1010, "long_name"), (0x2000, "f")]))
    assert struct.unpack_from("<7I", blob) == (3, 0x1000, 0x1010, 0x2000, 0, 2, 0)
    assert blob[28:] == b"f\0long_name\0"


def test_empty_table(tmp_path):
    assert struct.unpack("<I", section(tmp_path, symbols.assembler([])))[0] == 0
