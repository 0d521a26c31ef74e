#!/usr/bin/env python3
"""Convert a static-pie ELF into a UEFI application (PE32+).

    tools/elf2efi.py [--image-base HEX] IN.elf OUT.efi

Each PT_LOAD segment becomes one PE section with the segment's protection, at the RVA that is its ELF address
(link at 0, first segment at 0x1000 or above: the PE headers take the page at 0). Bytes from the dynamic section
to the end of its segment serve only this conversion and are left out, so the linker script puts the dynamic section
and the relocations after everything else in their segment. R_X86_64_RELATIVE relocations become base relocations;
any other relocation is an error. The output depends on the segments alone: no time stamp, no symbols.
Source: System V ABI, AMD64 supplement 1.0, 4.4; PE Format specification, revision 11; UEFI 2.10, 2.1.1.
"""

import argparse
import pathlib
import struct
import sys

PAGE = 0x1000
FILE_ALIGN = 0x200
DEFAULT_BASE = 0x200000  # free in the memory map of every OVMF; a loader that has it in use relocates

ET_PIE, EM_X86_64 = (2, 3), 62  # ld calls a PIE whose first segment is not at 0 an EXEC
PT_LOAD, PT_DYNAMIC = 1, 2
PF_X, PF_W, PF_R = 1, 2, 4
DT_NULL, DT_RELA, DT_RELASZ, DT_JMPREL, DT_RELR = 0, 7, 8, 23, 36
R_X86_64_RELATIVE = 8

MACHINE_AMD64 = 0x8664
CHARACTERISTICS = 0x0002 | 0x0004 | 0x0020 | 0x0200  # executable, no line numbers, large addresses, no debug
SUBSYSTEM_EFI_APPLICATION = 10
DLL_CHARACTERISTICS = 0x0020 | 0x0040 | 0x0100       # high-entropy address, dynamic base, NX compatible
SCN_CODE, SCN_DATA, SCN_DISCARDABLE = 0x20, 0x40, 0x02000000
SCN_EXECUTE, SCN_READ, SCN_WRITE = 0x20000000, 0x40000000, 0x80000000
REL_ABSOLUTE, REL_DIR64 = 0, 10
DIRECTORY_COUNT, DIRECTORY_RELOC = 16, 5


class ElfError(Exception):
    """The input cannot be converted; the text says why."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image-base", type=lambda s: int(s, 16), default=DEFAULT_BASE, metavar="HEX",
                        help=f"preferred load address, a multiple of 64 KiB (default {DEFAULT_BASE:x})")
    parser.add_argument("elf", type=pathlib.Path)
    parser.add_argument("efi", type=pathlib.Path)
    args = parser.parse_args()
    try:
        args.efi.write_bytes(convert(args.elf.read_bytes(), args.image_base))
    except (ElfError, OSError) as e:
        sys.exit(f"elf2efi: {args.elf}: {e}")


def convert(elf, base):
    """Return the bytes of the PE32+ image for the bytes of an ELF, preferring to be loaded at base."""
    if base % 0x10000 or not 0 <= base < 1 << 47:
        raise ElfError(f"image base {base:#x} is not a multiple of 64 KiB below 2^47")
    entry, segments, dynamic = read_elf(elf)
    sections, rela = split_sections(segments, dynamic)
    relocs = apply_relocations(sections, rela, base)
    end = max(rva + size for rva, size, _, _ in sections)
    sections.append((align(end, PAGE), *base_relocations(relocs), SCN_DATA | SCN_DISCARDABLE | SCN_READ))
    return write_pe(entry, base, sections)


def read_elf(elf):
    """Return (entry, [(vaddr, memory size, flags, bytes)], vaddr of the dynamic section)."""
    if len(elf) < 64:
        raise ElfError("not an ELF executable for x86-64")
    ident, kind, machine, _, entry, phoff = struct.unpack_from("<16sHHIQQ", elf)
    phentsize, phnum = struct.unpack_from("<HH", elf, 54)
    if ident[:6] != b"\x7fELF\x02\x01" or kind not in ET_PIE or machine != EM_X86_64:
        raise ElfError("not an ELF executable for x86-64")
    segments, dynamic = [], None
    for i in range(phnum):
        ptype, flags, offset, vaddr, _, filesz, memsz, _ = struct.unpack_from("<IIQQQQQQ", elf, phoff + i * phentsize)
        if ptype == PT_LOAD and memsz:
            segments.append((vaddr, memsz, flags, bytearray(elf[offset:offset + filesz])))
        elif ptype == PT_DYNAMIC:
            dynamic = vaddr
    if dynamic is None:
        raise ElfError("no dynamic section: link with -static-pie")
    return entry, sorted(segments, key=lambda s: s[0]), dynamic


def split_sections(segments, dynamic):
    """Return (PE sections [(rva, memory size, bytes, flags)], relocations [(offset, type, addend)])."""
    tags = {}
    for tag, value in struct.iter_unpack("<QQ", at(segments, dynamic, None)):
        if tag == DT_NULL:
            break
        tags[tag] = value
    if DT_RELR in tags or DT_JMPREL in tags:
        raise ElfError("packed or procedure-linkage relocations: link with -z nopack-relative-relocs -z now")
    table = at(segments, tags[DT_RELA], tags[DT_RELASZ]) if DT_RELA in tags else b""
    rela = list(struct.iter_unpack("<QQq", table))
    sections = []
    for vaddr, memsz, flags, data in segments:
        if vaddr <= dynamic < vaddr + memsz:
            memsz = dynamic - vaddr
            del data[memsz:]
        if memsz:
            sections.append((vaddr, memsz, data, section_flags(vaddr, flags)))
    return sections, rela


def at(segments, vaddr, size):
    """Return size bytes at an address; without size, the rest of the segment in whole 16-byte entries."""
    for start, _, _, data in segments:
        if start <= vaddr < start + len(data):
            found = data[vaddr - start:]
            return found[:len(found) // 16 * 16] if size is None else found[:size]
    raise ElfError(f"no file bytes at address {vaddr:#x}")


def section_flags(vaddr, flags):
    """Translate a segment's flags into a section's."""
    if vaddr % PAGE or not vaddr:
        raise ElfError(f"segment at {vaddr:#x} is not on a page of its own")
    if flags & PF_X and flags & PF_W:
        raise ElfError(f"segment at {vaddr:#x} is writable and executable")
    return (SCN_CODE | SCN_EXECUTE if flags & PF_X else SCN_DATA) | SCN_READ | (SCN_WRITE if flags & PF_W else 0)


def apply_relocations(sections, rela, base):
    """Write base + addend at every relocation and return their addresses, sorted."""
    done = []
    for offset, info, addend in rela:
        if info != R_X86_64_RELATIVE:
            raise ElfError(f"relocation of type {info & 0xffffffff} at {offset:#x}, only RELATIVE can be converted")
        for rva, _, data, flags in sections:
            if rva <= offset and offset + 8 <= rva + len(data):
                if flags & SCN_EXECUTE:
                    raise ElfError(f"relocation in code at {offset:#x}")
                struct.pack_into("<Q", data, offset - rva, base + addend)
                done.append(offset)
                break
        else:
            raise ElfError(f"relocation outside every section at {offset:#x}")
    return sorted(done)


def base_relocations(offsets):
    """Return (size, bytes) of a .reloc section for 64-bit relocations at the sorted offsets."""
    blocks, pages = bytearray(), {}
    for offset in offsets:
        pages.setdefault(offset // PAGE * PAGE, []).append(REL_DIR64 << 12 | offset % PAGE)
    for page, entries in (pages or {0: [REL_ABSOLUTE, REL_ABSOLUTE]}).items():
        entries += [REL_ABSOLUTE] * (len(entries) % 2)  # blocks are 4-byte aligned
        blocks += struct.pack(f"<II{len(entries)}H", page, 8 + 2 * len(entries), *entries)
    return len(blocks), blocks


def write_pe(entry, base, sections):
    """Lay out headers and sections. The last section is .reloc."""
    header_size = align(64 + 24 + 112 + 8 * DIRECTORY_COUNT + 40 * len(sections), FILE_ALIGN)
    table, body = b"", b""
    for rva, memsz, data, flags in sections:
        raw = bytes(data).ljust(align(len(data), FILE_ALIGN), b"\0")
        name = section_name(flags)
        table += struct.pack("<8sIIIIIIHHI", name, memsz, rva, len(raw), header_size + len(body) if raw else 0,
                             0, 0, 0, 0, flags)
        body += raw
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", MACHINE_AMD64, len(sections), 0, 0, 0,
                       112 + 8 * DIRECTORY_COUNT, CHARACTERISTICS)
    headers = dos + coff + optional_header(entry, base, sections, header_size) + table
    return headers.ljust(header_size, b"\0") + body


def optional_header(entry, base, sections, header_size):
    """Return the PE32+ optional header with its data directories."""
    code = sum(align(len(d), FILE_ALIGN) for _, _, d, f in sections if f & SCN_CODE)
    data = sum(align(len(d), FILE_ALIGN) for _, _, d, f in sections if not f & SCN_CODE)
    image_size = align(sections[-1][0] + sections[-1][1], PAGE)
    head = struct.pack("<HBBIIIII", 0x20b, 0, 0, code, data, 0, entry, sections[0][0])
    windows = struct.pack("<QIIHHHHHHIIIIHHQQQQII", base, PAGE, FILE_ALIGN, 0, 0, 0, 0, 0, 0, 0, image_size, header_size,
                          0, SUBSYSTEM_EFI_APPLICATION, DLL_CHARACTERISTICS, 0, 0, 0, 0, 0, DIRECTORY_COUNT)
    directories = [(0, 0)] * DIRECTORY_COUNT
    directories[DIRECTORY_RELOC] = sections[-1][:2]
    return head + windows + b"".join(struct.pack("<II", *d) for d in directories)


def section_name(flags):
    """Name a section after what it may do."""
    if flags & SCN_DISCARDABLE:
        return b".reloc"
    return b".text" if flags & SCN_EXECUTE else b".data" if flags & SCN_WRITE else b".rodata"


def align(n, unit):
    """Round n up to a multiple of unit."""
    return -(-n // unit) * unit


if __name__ == "__main__":
    main()
