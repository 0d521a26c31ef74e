"""shell/commands/uefi.py: efivar, exit-boot-services, uefi."""

import efi
import mem
import tables
from check import run, same
from talk import command

GUID = b"\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c"
ACPI = b"\x71\xe8\x68\x88\xf1\xe4\xd3\x11\xbc\x22\x00\x80\xc7\x3c\x88\x81"


def fresh():
    mem.reset()
    del tables.variables[:]
    tables.system_table(tables=((ACPI, 0x7F000), (GUID, 0x7E000)))


def test_uefi():
    fresh()
    efi.state["alive"] = False
    same(
        command("uefi"),
        "UEFI Revision ......: 2.70\n"
        "Firmware Vendor ....: EDK II\n"
        "Firmware Revision ..: 0x10000\n"
        "Runtime Services ...: 0x21000\n"
        "Boot Services ......: exited\n"
        "Mode ...............: bare\n"
        "Configuration Tables: 0x23000\n"
        "  8868e871-e4f1-11d3-bc22-0080c73c8881 (0x7f000) ACPI 2.0\n"
        "  8be4df61-93ca-11d2-aa0d-00e098032b8c (0x7e000)\n\n",
    )


def test_exit_boot_services():
    fresh()
    efi.state["alive"] = True
    assert "Boot Services ......: 0x24000\nMode ...............: firmware\n" in command("uefi")
    same(command("exit-boot-services"), "exited EFI boot services\n\n")
    same(command("exit-boot-services"), "command error, boot services have been exited already\n")


def test_efivar():
    fresh()
    same(command("efivar"), "")
    tables.variables.append((GUID, "Timeout", 7, b"\x05\x00"))
    same(command("efivar"), "8be4df61-93ca-11d2-aa0d-00e098032b8c Timeout\n\n")
    same(
        command("efivar verbose"),
        "8be4df61-93ca-11d2-aa0d-00e098032b8c Timeout\n"
        "  attributes 0x7 (non-volatile boot-service runtime), 2 bytes\n"
        "  00000000  05 00                                             |..|\n\n",
    )


def test_broken_firmware_is_one_line():
    fresh()
    mem.reset()
    same(command("uefi"), "command error, system table at 0x20000 is not mapped\n")
    same(command("efivar"), "command error, runtime services at 0x21000 is not mapped\n")
    fresh()
    tables.variables.append((GUID, "x", 7, b""))
    efi.functions[tables.GET_VARIABLE] = lambda *args: 1 << 63 | 7
    assert "  GetVariable: EFI error device error\n" in command("efivar verbose")


run(globals())
