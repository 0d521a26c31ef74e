"""Builds ACPI tables and UEFI structures into the fake memory. Layouts: ACPI 6.5 5.2; UEFI 2.10 4.3, 8.2."""

import struct

import efi
import mem

RSDP, XSDT, RSDT, TABLE = 0x10000, 0x11000, 0x12000, 0x13000
SYSTEM, RUNTIME, VENDOR, CONFIG = 0x20000, 0x21000, 0x22000, 0x23000
GET_VARIABLE, GET_NEXT = 0x30000, 0x30010

_ERROR = 1 << 63
TOO_SMALL, NOT_FOUND = _ERROR | 5, _ERROR | 14


def seal(data, at):
    """Make the bytes sum up to 0 by the byte at `at`."""
    data = bytearray(data)
    data[at] = 0
    data[at] = -sum(data) & 0xFF
    return data


def acpi_table(signature, body):
    head = struct.pack("<4sIBB6s8sIII", signature, 36 + len(body), 1, 0, b"KEELBK", b"TEST", 1, 0, 1)
    return seal(head + body, 9)


def rsdp(revision=2, xsdt=XSDT, rsdt=RSDT):
    data = seal(struct.pack("<8sB6sBI", b"RSD PTR ", 0, b"KEELBK", revision, rsdt), 8)
    if revision >= 2:
        data = seal(data + struct.pack("<IQB3s", 36, xsdt, 0, b""), 32)
    return data


def mcfg(*entries):
    """entries: (base, segment, first bus, last bus)."""
    return acpi_table(b"MCFG", bytes(8) + b"".join([struct.pack("<QHBBI", *e, 0) for e in entries]))


def install(*tables, revision=2):
    """Map a root pointer, XSDT, RSDT and these tables. -> address of the root pointer."""
    addresses = [TABLE + i * 0x1000 for i in range(len(tables))]
    for addr, data in zip(addresses, tables):
        mem.add(addr, data)
    mem.add(RSDP, rsdp(revision))
    mem.add(XSDT, acpi_table(b"XSDT", b"".join([struct.pack("<Q", a) for a in addresses])))
    mem.add(RSDT, acpi_table(b"RSDT", b"".join([struct.pack("<I", a) for a in addresses])))
    return RSDP


def text16(text):
    return b"".join([struct.pack("<H", ord(c)) for c in text]) + b"\x00\x00"


def system_table(vendor="EDK II", tables=()):
    """Map a system table. tables: (16 GUID bytes, address)."""
    head = struct.pack("<8sIIII", b"IBI SYST", 0x00020046, 120, 0, 0)
    data = head + struct.pack("<QI4x", VENDOR, 0x10000) + bytes(48)
    data += struct.pack("<QQQQ", RUNTIME, 0x24000, len(tables), CONFIG)
    assert len(data) == 120
    mem.add(SYSTEM, data)
    mem.add(VENDOR, text16(vendor))
    mem.add(CONFIG, b"".join([guid + struct.pack("<Q", addr) for guid, addr in tables]) + bytes(8))
    runtime = bytearray(136)
    struct.pack_into("<8sI", runtime, 0, b"RUNTSERV", 0x00020046)
    struct.pack_into("<QQ", runtime, 72, GET_VARIABLE, GET_NEXT)
    mem.add(RUNTIME, runtime)
    efi.state.update({"system_table": SYSTEM, "runtime_services": RUNTIME})
    efi.functions.update({GET_VARIABLE: get_variable, GET_NEXT: get_next})


variables = []  # (16 GUID bytes, name, attributes, content)


def _name(buffer):
    out = ""
    for i in range(0, len(buffer), 2):
        code = buffer[i] | buffer[i + 1] << 8
        if not code:
            break
        out += chr(code)
    return out


def get_next(size, name, guid):
    keys = [(bytes(v[0]), v[1]) for v in variables]
    current = _name(name)
    at = keys.index((bytes(guid), current)) + 1 if current else 0
    if at == len(variables):
        return NOT_FOUND
    data = text16(variables[at][1])
    if len(data) > struct.unpack("<Q", size)[0]:
        return TOO_SMALL
    name[: len(data)] = data
    guid[:] = variables[at][0]
    return 0


def get_variable(name, guid, attributes, size, data):
    for vendor, text, bits, content in variables:
        if bytes(vendor) == bytes(guid) and text == _name(name):
            room = struct.unpack("<Q", size)[0]
            struct.pack_into("<Q", size, 0, len(content))
            if len(content) > room:
                return TOO_SMALL
            struct.pack_into("<I", attributes, 0, bits)
            data[: len(content)] = content
            return 0
    return NOT_FOUND
