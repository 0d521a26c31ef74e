"""elf2efi.py: what it writes, what it refuses, and that firmware runs the result."""

import pathlib
import shutil
import struct
import subprocess

import pytest

import elf2efi
import image
import qemu
from vm import Machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = """
    .section .text.start, "ax"
    .globl efi_main
    efi_main:
        lea words(%rip), %rbx
        mov $2, %ecx
    1:  mov (%rbx), %rsi        # a relocated pointer
        add $8, %rbx
    2:  lodsb
        test %al, %al
        jz 3f
        mov $0x3f8, %dx
        out %al, %dx
        jmp 2b
    3:  loop 1b
        cmpq $0, zero(%rip)
        jne 4f
        mov $0x604, %dx         # q35's ACPI power-off
        mov $0x2000, %ax
        out %ax, %dx
    4:  hlt
        jmp 4b
    .section .rodata.text, "a"
    first: .asciz "relocated"
    second: .asciz " and running\\n"
    .section .data.words, "aw"
    .balign 8
    words: .quad first, second
    .section .bss.zero, "aw", @nobits
    zero: .zero 100000
"""


def link(folder, source=PROGRAM, *flags):
    """Assemble and link a program as the image is; return the ELF's path."""
    (folder / "program.S").write_text(source)
    elf = folder / "program.elf"
    subprocess.run(["gcc", "-static-pie", "-nostdlib", "-Wl,-T," + str(ROOT / "boot" / "keelback.lds"), "-Wl,--build-id=none",
                    "-Wl,-z,norelro", *flags, "-o", elf, folder / "program.S"], check=True)
    return elf


def sections(efi):
    """Return {name: (memory size, rva, file size, file offset, flags)} of a PE image."""
    pe = struct.unpack_from("<I", efi, 60)[0]
    count, table = struct.unpack_from("<H", efi, pe + 6)[0], pe + 24 + struct.unpack_from("<H", efi, pe + 20)[0]
    rows = [struct.unpack_from("<8sIIII12xI", efi, table + 40 * i) for i in range(count)]
    return {name.rstrip(b"\0").decode(): rest for name, *rest in rows}


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return link(tmp_path_factory.mktemp("elf")).read_bytes()


def test_header_fields(elf):
    efi = elf2efi.convert(elf, 0x400000)
    pe = struct.unpack_from("<I", efi, 60)[0]
    assert efi[:2] == b"MZ" and efi[pe:pe + 4] == b"PE\0\0"
    machine, _, stamp = struct.unpack_from("<HHI", efi, pe + 4)
    assert (machine, stamp) == (0x8664, 0)
    optional = pe + 24
    assert struct.unpack_from("<H", efi, optional)[0] == 0x20b
    assert struct.unpack_from("<QII", efi, optional + 24) == (0x400000, 4096, 512)
    assert struct.unpack_from("<HH", efi, optional + 68) == (10, 0x160)  # EFI application; NX compatible, dynamic base


def test_sections_do_not_mix_writing_and_executing(elf):
    for name, (memory, rva, size, offset, flags) in sections(elf2efi.convert(elf, 0)).items():
        assert not (flags & elf2efi.SCN_WRITE and flags & elf2efi.SCN_EXECUTE), name
        assert rva % 4096 == 0 and offset % 512 == 0 and size % 512 == 0, name


def test_sections_follow_one_another(elf):
    end = 0
    for memory, rva, *_ in sections(elf2efi.convert(elf, 0)).values():
        assert rva >= end
        end = rva + memory


def test_bss_takes_no_file_space(elf):
    memory, _, size, _, _ = sections(elf2efi.convert(elf, 0))[".data"]
    assert memory > 100000 and size == 512


def test_relocations_hold_base_plus_addend(elf):
    efi = elf2efi.convert(elf, 0x10000)
    table = sections(efi)
    _, rva, _, offset, _ = table[".data"]
    first, second = struct.unpack_from("<QQ", efi, offset)
    assert second - first == len("relocated") + 1
    text_rva, text_offset = table[".rodata"][1], table[".rodata"][3]
    assert efi[first - 0x10000 - text_rva + text_offset:].startswith(b"relocated\0")
    page, size, *entries = struct.unpack_from("<IIHH", efi, table[".reloc"][3])
    assert (page, size, entries) == (rva, 12, [0xa000, 0xa008])


def test_output_depends_on_the_input_alone(elf):
    assert elf2efi.convert(elf, 0) == elf2efi.convert(bytes(elf), 0)


def test_debug_information_changes_nothing(tmp_path, elf):
    assert elf2efi.convert(link(tmp_path, PROGRAM, "-g").read_bytes(), 0) == elf2efi.convert(elf, 0)


@pytest.mark.parametrize("base", [0x1234, -0x10000, 1 << 47])
def test_bad_image_base(elf, base):
    with pytest.raises(elf2efi.ElfError, match="image base"):
        elf2efi.convert(elf, base)


@pytest.mark.parametrize("data", [b"", b"\x7fELF\x02\x01", b"MZ" + bytes(100), bytes(1000)])
def test_not_an_elf(data):
    with pytest.raises(elf2efi.ElfError):
        elf2efi.convert(data, 0)


def test_object_file_is_refused(tmp_path):
    subprocess.run(["gcc", "-x", "assembler", "-c", "-o", tmp_path / "x.o", "/dev/null"], check=True)
    with pytest.raises(elf2efi.ElfError, match="not an ELF executable"):
        elf2efi.convert((tmp_path / "x.o").read_bytes(), 0)


def test_relocation_in_code_is_refused(tmp_path):
    with pytest.raises(elf2efi.ElfError, match="code"):
        elf2efi.convert(link(tmp_path, PROGRAM + '.section .text.bad, "ax"\n .quad first\n', "-Wl,-z,notext").read_bytes(), 0)


def test_writable_code_is_refused(elf):
    bad = bytearray(elf)
    phoff = struct.unpack_from("<Q", bad, 32)[0]
    struct.pack_into("<I", bad, phoff + 4, 7)
    with pytest.raises(elf2efi.ElfError, match="writable and executable"):
        elf2efi.convert(bytes(bad), 0)


@pytest.mark.parametrize("base, ovmf", [("200000", "ovmf2025"), ("200000", "ovmf2022"), ("ffff0000", "ovmf2025")])
def test_firmware_runs_it(tmp_path, base, ovmf):
    """The last base holds the flash chip, so the loader has to relocate."""
    elf = link(tmp_path)
    subprocess.run([ROOT / "tools" / "elf2efi.py", "--image-base", base, elf, tmp_path / "program.efi"], check=True)
    image.make_folder(tmp_path / "volume", tmp_path / "program.efi")
    with Machine(qemu.Options(volume=tmp_path / "volume", ovmf=ovmf, mem="64M")) as machine:
        machine.expect(b"relocated and running\n", 60)
        assert machine.wait_exit(10) == 0


def test_image_boots_from_a_disk_image(tmp_path):
    elf = link(tmp_path)
    (tmp_path / "program.efi").write_bytes(elf2efi.convert(elf.read_bytes(), 0x200000))
    image.make_image(tmp_path / "disk.img", tmp_path / "program.efi")
    with Machine(qemu.Options(volume=tmp_path / "disk.img", mem="64M")) as machine:
        machine.expect(b"relocated and running\n", 60)
    shutil.rmtree(tmp_path)
