"""Attach GDB to make qemu-gdb, with symbols where the image was loaded:  gdb -x tools/debug.py

Connects to QEMU, which waits before the first instruction, and stops at the image's entry with its symbols there, so
that "b FUNCTION" and "continue" work. How the load address is found:

1. The firmware tries the image's preferred base first, so a hardware breakpoint is set on the entry at that base.
2. If another base was taken, that breakpoint is never hit. Therefore the machine is stopped twice a second to look for
   the image in the table of loaded images that UEFI keeps for debuggers. Once it is found the machine is reset: the
   firmware takes the same base again, where the breakpoint now is.

From the environment: BUILD, the build folder, and KEELBACK_GDB, where QEMU waits. Needs nothing of the image itself.
Source: UEFI 2.10, 18.4 (EFI_SYSTEM_TABLE_POINTER, EFI_DEBUG_IMAGE_INFO_TABLE), 4.3 (system table), 9.1 (loaded image).
"""

import os
import pathlib
import struct
import threading
import uuid

import gdb

BUILD = pathlib.Path(os.environ.get("BUILD") or "build")
TARGET = os.environ.get("KEELBACK_GDB") or "127.0.0.1:1234"
POLL = 0.5                     # s
LIMIT = 120                    # s of waiting for the image to be loaded
TABLE_SIGNATURE = b"IBI SYST"  # of EFI_SYSTEM_TABLE_POINTER, which lies on a multiple of TABLE_ALIGN
TABLE_ALIGN = 4 << 20
DEBUG_IMAGE_INFO = uuid.UUID("49152e77-1ada-4764-b7a2-7afefed95e8b").bytes_le


def attach():
    """Do all of the above. Raises gdb.GdbError."""
    image = (BUILD / "keelback.efi").read_bytes()
    pe = struct.unpack_from("<I", image, 60)[0]
    entry, base = struct.unpack_from("<I", image, pe + 40)[0], struct.unpack_from("<Q", image, pe + 48)[0]
    for setting in ("pagination off", "confirm off", "suppress-cli-notifications on"):
        gdb.execute(f"set {setting}")  # the stops at each poll are of no interest
    gdb.execute(f"target remote {TARGET}", to_string=True)
    if not run_to(base + entry, lambda: load_address(image, entry) not in (None, base)):
        base = load_address(image, entry)
        gdb.execute("monitor system_reset", to_string=True)
        if not run_to(base + entry, lambda: False):
            raise gdb.GdbError(f"the image was at {base:#x}, but after a reset it did not come back there")
    gdb.execute(f"symbol-file {BUILD}/keelback.elf -o {base:#x}", to_string=True)
    print(f"Image at {base:#x}, stopped at its entry. Set breakpoints (b FUNCTION), then: continue")


def run_to(addr, moved):
    """Run until addr is reached (True), or moved(), asked at each poll, says so (False). Raises gdb.GdbError."""
    stop = gdb.Breakpoint(f"*{addr:#x}", type=gdb.BP_HARDWARE_BREAKPOINT, internal=True)
    try:
        for _ in range(int(LIMIT / POLL)):
            timer = threading.Timer(POLL, lambda: gdb.post_event(lambda: gdb.execute("interrupt")))
            timer.start()
            gdb.execute("continue", to_string=True)
            timer.cancel()
            if not gdb.selected_thread():
                raise gdb.GdbError("QEMU has ended")
            if gdb.selected_frame().pc() == addr:
                return True
            if moved():
                return False
    finally:
        stop.delete()
    raise gdb.GdbError(f"the firmware has not loaded the image within {LIMIT} s")


def load_address(image, entry):
    """Return the base at which the firmware has loaded the image, or None."""
    code = image_code(image)
    for base in loaded_images():
        if read(base + entry // 4096 * 4096, 64) == code[entry // 4096 * 4096][:64]:
            return base
    return None


def image_code(image):
    """Return {rva: bytes} of the pages of the first section, which is code and is not relocated."""
    pe = struct.unpack_from("<I", image, 60)[0]
    section = pe + 24 + struct.unpack_from("<H", image, pe + 20)[0]
    rva, size, offset = struct.unpack_from("<III", image, section + 12)
    return {rva + i: image[offset + i:offset + i + 4096] for i in range(0, size, 4096)}


def loaded_images():
    """Yield the base of every image in the firmware's table for debuggers, the newest first."""
    table = debug_table()
    if not table:
        return
    count, entries = unpack("<4xIQ", table)
    for i in reversed(range(count)):
        info = unpack("<Q", entries + 8 * i)[0]
        if info:
            yield unpack("<Q", unpack("<8xQ", info)[0] + 64)[0]


def debug_table():
    """Return the address of the EFI_DEBUG_IMAGE_INFO_TABLE_HEADER, or None as long as there is none."""
    ram = int(gdb.execute("monitor info memory_size_summary", to_string=True).split()[2])
    for addr in range(TABLE_ALIGN, min(ram, 1 << 32), TABLE_ALIGN):
        if read(addr, 8) == TABLE_SIGNATURE:
            system_table = unpack("<8xQ", addr)[0]
            count, tables = unpack("<104xQQ", system_table)
            for i in range(count):
                guid, table = unpack("<16sQ", tables + 24 * i)
                if guid == DEBUG_IMAGE_INFO:
                    return table
    return None


def unpack(layout, addr):
    """Read a structure of the guest."""
    return struct.unpack(layout, read(addr, struct.calcsize(layout)))


def read(addr, size):
    """Read the guest's memory; what is not there reads as zero."""
    try:
        return bytes(gdb.selected_inferior().read_memory(addr, size))
    except gdb.MemoryError:
        return bytes(size)


try:
    attach()
finally:
    gdb.execute("set suppress-cli-notifications off")
