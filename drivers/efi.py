"""UEFI structures: the system table, configuration tables, variables, GUIDs, memory types, status.

Source: UEFI 2.10, 4.3 (system table), 4.6 (configuration tables), 8.2 (variables), 7.2
(memory types), appendix A (GUID), appendix D (status codes).
The firmware is the host's: text and tables are bounded, and copied before they are looked at.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct

import efi
import mem
from micropython import const

# EFI_TABLE_HEADER: signature, revision, size, CRC32, reserved
_HEADER = "<8sIIII"
_SYSTEM_TABLE = b"IBI SYST"
_RUNTIME_SERVICES = b"RUNTSERV"

# Offsets in EFI_SYSTEM_TABLE.
_VENDOR = const(24)  # u64, CHAR16 *
_VENDOR_REVISION = const(32)  # u32
_RUNTIME = const(88)  # u64
_BOOT = const(96)  # u64
_TABLE_COUNT = const(104)  # u64
_TABLES = const(112)  # u64, entries of GUID and address
_SYSTEM_LEN = const(120)
_ENTRY_LEN = const(24)

# Offsets in EFI_RUNTIME_SERVICES.
_GET_VARIABLE = const(72)  # u64, the function's address
_GET_NEXT_VARIABLE_NAME = const(80)
_RUNTIME_LEN = const(136)

_TEXT_MAX = const(256)  # characters
_TABLES_MAX = const(256)
_VARIABLES_MAX = const(4096)
_NAME_MAX = const(2048)  # bytes of a variable's name
_DATA_MAX = const(1 << 20)  # bytes of a variable's content

_ERROR = const(1 << 63)
_BUFFER_TOO_SMALL = const(5)
_NOT_FOUND = const(14)

_STATUS = {
    1: "load error",
    2: "invalid parameter",
    3: "unsupported",
    5: "buffer too small",
    7: "device error",
    8: "write protected",
    9: "out of resources",
    14: "not found",
    15: "access denied",
    21: "aborted",
    26: "security violation",
}

# EFI_MEMORY_TYPE: those that are RAM, whoever owns it.
_RAM_TYPES = (1, 2, 3, 4, 5, 6, 7, 9, 10, 14, 15)


class EFIError(OSError):
    """A firmware call that failed, or a table of the firmware that cannot be right; one text says which."""


def check(status, what):
    """Raise EFIError unless the status of a call is a success or a warning."""
    if status & _ERROR:
        code = status & ~_ERROR
        raise EFIError("%s: EFI error %s" % (what, _STATUS.get(code, "%d" % code)))


def is_ram(kind):
    """Is an EFI_MEMORY_TYPE main memory?"""
    return kind in _RAM_TYPES


def guid_text(guid):
    """-> 16 bytes in the registry form, such as 8be4df61-93ca-11d2-aa0d-00e098032b8c."""
    parts = struct.unpack("<IHH", guid[:8])
    return "%08x-%04x-%04x-" % parts + guid[8:10].hex() + "-" + guid[10:16].hex()


def read(addr, n, what):
    """-> a copy of n bytes of the firmware's memory."""
    try:
        return bytes(mem.view(addr, n))
    except OSError:
        raise EFIError("%s at %#x is not mapped" % (what, addr))


def text16(data):
    """-> text of CHAR16 (UCS-2, little-endian) up to its NUL; controls and surrogates become U+FFFD."""
    out = []
    for i in range(0, len(data) - 1, 2):
        code = data[i] | data[i + 1] << 8
        if not code:
            break
        bad = code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000
        out.append("\ufffd" if bad else chr(code))
    return "".join(out)


def string(addr):
    """-> the CHAR16 text at an address, read character by character, at most 256 of them."""
    data = bytearray()
    for i in range(_TEXT_MAX):
        data.extend(read(addr + 2 * i, 2, "text"))
        if data[-2:] == b"\x00\x00":
            break
    return text16(data)


def _table(addr, signature, n, what):
    data = read(addr, n, what)
    if data[:8] != signature:
        raise EFIError("no %s at %#x" % (what, addr))
    return data


class SystemTable:
    """EFI_SYSTEM_TABLE, copied when it is made."""

    def __init__(self, addr):
        self.addr = addr
        data = _table(addr, _SYSTEM_TABLE, _SYSTEM_LEN, "system table")
        self.revision = struct.unpack_from(_HEADER, data)[1]
        self.vendor = string(struct.unpack_from("<Q", data, _VENDOR)[0])
        self.vendor_revision = struct.unpack_from("<I", data, _VENDOR_REVISION)[0]
        self.runtime_services = struct.unpack_from("<Q", data, _RUNTIME)[0]
        self.boot_services = struct.unpack_from("<Q", data, _BOOT)[0]
        self.table_count = struct.unpack_from("<Q", data, _TABLE_COUNT)[0]
        self.tables_addr = struct.unpack_from("<Q", data, _TABLES)[0]

    @property
    def revision_text(self):
        """Such as "2.70": the minor part in tenths, as the specification's own name."""
        return "%d.%02d" % (self.revision >> 16, self.revision & 0xFFFF)

    def tables(self):
        """Yield (GUID bytes, address) of the configuration tables."""
        for i in range(min(self.table_count, _TABLES_MAX)):
            entry = read(self.tables_addr + i * _ENTRY_LEN, _ENTRY_LEN, "configuration table")
            yield entry[:16], struct.unpack_from("<Q", entry, 16)[0]


class Variables:
    """The firmware's variables, through the runtime services at an address."""

    def __init__(self, runtime_services):
        data = _table(runtime_services, _RUNTIME_SERVICES, _RUNTIME_LEN, "runtime services")
        self._get = struct.unpack_from("<Q", data, _GET_VARIABLE)[0]
        self._next = struct.unpack_from("<Q", data, _GET_NEXT_VARIABLE_NAME)[0]

    def names(self):
        """Yield (vendor GUID bytes, name as CHAR16 bytes with its NUL) of every variable."""
        guid = bytearray(16)
        size = bytearray(8)
        name = bytearray(_NAME_MAX)
        for _ in range(_VARIABLES_MAX):
            struct.pack_into("<Q", size, 0, len(name))
            status = efi.call(self._next, size, name, guid)
            if status == _ERROR | _NOT_FOUND:
                return
            check(status, "GetNextVariableName")
            yield bytes(guid), _terminated(name)
        raise EFIError("more than %d variables" % _VARIABLES_MAX)

    def get(self, guid, name):
        """-> (attributes, content) of a variable; guid and name as from names()."""
        attributes = bytearray(4)
        size = bytearray(8)
        data = bytearray(256)
        for _ in range(2):
            struct.pack_into("<Q", size, 0, len(data))
            status = efi.call(self._get, name, guid, attributes, size, data)
            length = struct.unpack("<Q", size)[0]
            if status != _ERROR | _BUFFER_TOO_SMALL or not len(data) < length <= _DATA_MAX:
                break
            data = bytearray(length)
        check(status, "GetVariable")
        if length > len(data):
            raise EFIError("GetVariable: %d bytes in a buffer of %d" % (length, len(data)))
        return struct.unpack("<I", attributes)[0], bytes(data[:length])


def _terminated(name):
    """-> CHAR16 bytes up to and with the NUL. Raises EFIError where there is none."""
    for i in range(0, len(name), 2):
        if name[i] == 0 and name[i + 1] == 0:
            return bytes(name[: i + 2])
    raise EFIError("variable name without end")
