#!/usr/bin/env python3
"""Make the symbol table that is linked into the image, as an assembler file.

    tools/symbols.py OUT.S             an empty table, for the first link
    tools/symbols.py OUT.S IN.elf      the functions of the first link, for the second

The table lies behind all other read-only data (section .symtab_blob), so no function moves when it grows.
Format, see symbol_lookup() in boot.h: symtab_addr[], the functions' offsets from the image base in ascending
order, a function reaching to the next; symtab_name[], offsets into symtab_strings, where names end in NUL.
"""

import pathlib
import re
import subprocess
import sys


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.split("\n\n")[1])
    functions = read_functions(sys.argv[2]) if len(sys.argv) == 3 else []
    pathlib.Path(sys.argv[1]).write_text(assembler(functions))


def read_functions(elf):
    """Return [(offset, name)] of the functions in an ELF linked at 0, one name for each address, ascending."""
    out = subprocess.run(["nm", "--defined-only", elf], check=True, capture_output=True, text=True).stdout
    functions = {}
    for line in sorted(out.splitlines(), reverse=True):
        fields = line.split()
        if len(fields) != 3:
            continue  # link-time optimisation leaves symbols without a name
        addr, kind, name = fields
        if kind in "tT" and name != "text_start":
            functions[int(addr, 16)] = frozen(name.split(".")[0])  # without the compiler's .constprop.0, .isra.0 …
    functions.pop(0, None)
    return sorted(functions.items())


def frozen(name):
    """Return the name of a function; for frozen machine code, which mpy-tool.py names twice after its file, one to be read.

    fun_data_net_wire_net_slash_wire_dot_py2 becomes net_wire.machine_code2: the third such function of net/wire.py.
    """
    m = re.fullmatch(r"fun_data_(.+)_dot_py(\d*)", name)
    if m:
        depth = m[1].count("_slash_")
        end = (len(m[1]) - 1 + (1 - len("_slash_")) * depth) // 2
        if m[1][end + 1:].replace("_slash_", "_") == m[1][:end]:
            return f"{m[1][:end]}.machine_code{m[2]}"
    return name


def assembler(functions):
    """Return the assembler text of the table."""
    offsets, strings, end = {}, [], 0
    for _, name in functions:
        if name not in offsets:
            offsets[name] = end
            strings.append(name)
            end += len(name) + 1
    return "\n".join([
        "// Made by tools/symbols.py.",
        '.section .symtab_blob, "a"',
        *table("symtab_count", ".long", [len(functions)]),
        *table("symtab_addr", ".long", [hex(addr) for addr, _ in functions]),
        *table("symtab_name", ".long", [offsets[name] for _, name in functions]),
        *table("symtab_strings", ".asciz", [f'"{name}"' for name in strings]),
        '.section .note.GNU-stack, "", @progbits', ""])


def table(label, directive, values):
    """Return the lines of one labelled array."""
    return [".balign 4", f".globl {label}", f".hidden {label}", f"{label}:", *(f"{directive} {v}" for v in values)]


if __name__ == "__main__":
    main()
