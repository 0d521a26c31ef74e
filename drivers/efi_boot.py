"""UEFI boot services, in firmware mode: handles, the protocols on them, and which driver has which device.

Source: UEFI 2.10, 4.4 (table of functions), 7.3 (protocol handler services). Not here: memory, events, images.
What the firmware hands over is bounded, copied and looked up in the page tables before it is used.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct

import efi
from drivers.efi import EFIError, check, read
from micropython import const

_BOOT_SERVICES = b"BOOTSERV"
# Offsets in EFI_BOOT_SERVICES, each a function's address.
_FREE_POOL = const(72)
_CONNECT_CONTROLLER = const(264)
_OPEN_PROTOCOL = const(280)
_CLOSE_PROTOCOL = const(288)
_LOCATE_HANDLE_BUFFER = const(312)
_TABLE_LEN = const(376)

_BY_PROTOCOL = const(2)
_GET_PROTOCOL = const(2)
_EXCLUSIVE = const(0x20)
_HANDLES_MAX = const(1024)
_NOT_FOUND = const(0x800000000000000E)


class BootServices:
    """EFI_BOOT_SERVICES at an address, copied when it is made. EFIError: boot services were exited, or it is no such table."""

    def __init__(self, addr):
        if not efi.boot_services():
            raise EFIError("boot services were exited")
        self._table = read(addr, _TABLE_LEN, "boot services")
        if self._table[:8] != _BOOT_SERVICES:
            raise EFIError("no boot services at %#x" % addr)

    def _call(self, offset, *args):
        return efi.call(struct.unpack_from("<Q", self._table, offset)[0], *args)

    def handles(self, guid):
        """-> list of the handles that have a protocol (its GUID in 16 bytes)."""
        count, buffer = bytearray(8), bytearray(8)
        status = self._call(_LOCATE_HANDLE_BUFFER, _BY_PROTOCOL, guid, None, count, buffer)
        if status == _NOT_FOUND:
            return []
        check(status, "LocateHandleBuffer")
        addr, n = struct.unpack("<Q", buffer)[0], min(struct.unpack("<Q", count)[0], _HANDLES_MAX)
        handles = struct.unpack("<%dQ" % n, read(addr, 8 * n, "handles")) if n else ()
        check(self._call(_FREE_POOL, addr), "FreePool")
        return list(handles)

    def protocol(self, handle, guid):
        """-> the address of a handle's protocol; who has it keeps it."""
        return self._open(handle, guid, _GET_PROTOCOL)

    def take(self, handle, guid):
        """-> the address of a handle's protocol, for us alone: drivers that stand on it are disconnected."""
        return self._open(handle, guid, _EXCLUSIVE)

    def _open(self, handle, guid, attributes):
        out = bytearray(8)
        check(self._call(_OPEN_PROTOCOL, handle, guid, out, efi.image_handle(), None, attributes), "OpenProtocol")
        return struct.unpack("<Q", out)[0]

    def give_back(self, handle, guid):
        """Let go of what take() gave; the firmware's drivers stand on it again."""
        check(self._call(_CLOSE_PROTOCOL, handle, guid, efi.image_handle(), None), "CloseProtocol")
        self.connect(handle)

    def connect(self, handle):
        """Let the firmware's drivers take a device and what they find on it. -> False: none wants it."""
        return self._call(_CONNECT_CONTROLLER, handle, None, None, 1) == 0
