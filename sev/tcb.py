"""Products of AMD that have SEV-SNP, and their TCB versions: which firmware a processor runs, part by part.

A TCB is a dict of part -> security version (0 to 255). Parts are compared one by one, never as one number.
Source: SEV-SNP Firmware ABI 1.58, 2.2 (TCB_VERSION); CPUID Fn0000_0001 for the products.
"""

# SPDX-License-Identifier: BSD-3-Clause

PARTS = ("fmc", "boot_loader", "tee", "snp", "microcode")  # as they are shown; fmc only from Turin on

# Byte of the 8 -> part; the others are reserved.
CLASSIC = {0: "boot_loader", 1: "tee", 6: "snp", 7: "microcode"}  # Milan, Genoa
TURIN = {0: "fmc", 1: "boot_loader", 2: "tee", 3: "snp", 7: "microcode"}  # family 1Ah

_PRODUCTS = (  # family, first model, last model, name that AMD's certificates have
    (0x19, 0x00, 0x0F, "Milan"),
    (0x19, 0x10, 0x1F, "Genoa"),
    (0x19, 0xA0, 0xAF, "Genoa"),  # Bergamo, Siena
    (0x1A, 0x00, 0x11, "Turin"),
)


def product(family, model):
    """-> "Milan", "Genoa", "Turin", or None for a processor that is none of these. Both as CPUID has them, extended parts added."""
    for of_family, first, last, name in _PRODUCTS:
        if family == of_family and first <= model <= last:
            return name
    return None


def layout(name):
    """-> the layout of a product's TCB."""
    return TURIN if name == "Turin" else CLASSIC


def parse(data, parts):
    """-> the TCB in 8 bytes of that layout. ValueError: a reserved byte is not zero."""
    for i, value in enumerate(data):
        if value and i not in parts:
            raise ValueError("reserved byte %d of a TCB is not zero" % i)
    return {name: data[i] for i, name in parts.items()}


def text(tcb):
    """-> "boot_loader 4, tee 0, snp 24, microcode 219"."""
    return ", ".join(["%s %d" % (part, tcb[part]) for part in PARTS if part in tcb])


def below(tcb, floor):
    """-> the parts, in a text, in which tcb is below the floor, or lacks what the floor names; "" where it is in none."""
    return ", ".join(["%s %s below %d" % (part, tcb.get(part, "missing,"), floor[part])
                      for part in PARTS if part in floor and tcb.get(part, -1) < floor[part]])  # fmt: skip
