"""ACPI tables by signature, found through the root pointer that the firmware gave.

Source: ACPI 6.5, 5.2.5 (RSDP), 5.2.6 (header), 5.2.7 (RSDT), 5.2.8 (XSDT). Not here: AML.
The host writes these tables: every address is looked up page by page, every length bounded and
every checksum proved before a byte is used; one bad table is left out, not the others.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct

import mem

_RSDP_LEN = 20  # bytes that the first checksum covers (revision 0)
_RSDP2_LEN = 36  # and the extended one (revision 2)
_HEADER_LEN = 36
_TABLE_MAX = 1 << 20  # bytes; the largest real table, a DSDT, stays far below
_ENTRIES_MAX = 256


class ACPIError(Exception):
    """A table that is not there or not well-formed."""


def find(rsdp, signature):
    """-> the bytes of the first good table with this signature, header included.

    rsdp: address of the root pointer, 0 where there is none. Raises ACPIError.
    """
    for addr in _entries(rsdp):
        try:
            if bytes(mem.view(addr, 4)) == signature:
                return table(addr)
        except (OSError, ACPIError):
            continue
    raise ACPIError("no ACPI table " + str(signature, "ascii"))


def table(addr):
    """-> a copy of the table at addr, its length and checksum proved."""
    length = struct.unpack_from("<I", _read(addr, _HEADER_LEN), 4)[0]
    if not _HEADER_LEN <= length <= _TABLE_MAX:
        raise ACPIError("ACPI table at %#x has length %d" % (addr, length))
    data = _read(addr, length)
    if struct.unpack_from("<I", data, 4)[0] != length or sum(data) & 0xFF:
        raise ACPIError("ACPI table at %#x has a bad checksum" % addr)
    return data


def _entries(rsdp):
    """-> addresses of the tables that the XSDT, or else the RSDT, lists."""
    root, size = _root(rsdp)
    data = table(root)
    if data[:4] != (b"XSDT" if size == 8 else b"RSDT"):
        raise ACPIError("no XSDT or RSDT at %#x" % root)
    count = min((len(data) - _HEADER_LEN) // size, _ENTRIES_MAX)
    return struct.unpack_from("<%d%s" % (count, "Q" if size == 8 else "I"), data, _HEADER_LEN)


def _root(rsdp):
    """-> (address of the root table, bytes of one of its entries)."""
    if not rsdp:
        raise ACPIError("no ACPI root pointer")
    data = _read(rsdp, _RSDP_LEN)
    if data[:8] != b"RSD PTR " or sum(data) & 0xFF:
        raise ACPIError("bad ACPI root pointer")
    if data[15] >= 2:
        data = _read(rsdp, _RSDP2_LEN)
        xsdt = struct.unpack_from("<Q", data, 24)[0]
        if xsdt and not sum(data) & 0xFF:
            return xsdt, 8
    return struct.unpack_from("<I", data, 16)[0], 4


def _read(addr, n):
    """-> a copy of n bytes, so that nobody changes them after they were checked."""
    try:
        return bytes(mem.view(addr, n))
    except OSError:
        raise ACPIError("ACPI address %#x is not mapped" % addr)
