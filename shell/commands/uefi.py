"""Commands about the firmware: efivar, exit-boot-services, uefi."""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import CommandError, command

# Source: UEFI 2.10, 8.2.1.
_ATTRIBUTES = (
    (0x01, "non-volatile"),
    (0x02, "boot-service"),
    (0x04, "runtime"),
    (0x08, "hardware-error"),
    (0x10, "authenticated"),
    (0x20, "time-authenticated"),
    (0x40, "append"),
    (0x80, "enhanced-authenticated"),
)


@command("efivar", "(verbose)?", "list UEFI variables")
def efivar(ctx, verbose):
    import efi
    from drivers.efi import EFIError, Variables, guid_text, text16

    try:
        variables = Variables(efi.runtime_services())
        for guid, name in variables.names():
            yield "%s %s" % (guid_text(guid), text16(name))
            if verbose:
                yield from _content(variables, guid, name)
    except EFIError as e:
        raise CommandError(str(e))


@command("exit-boot-services", "", "leave firmware mode")
def exit_boot_services(ctx):
    import efi
    import sys

    if not efi.boot_services():
        raise CommandError("boot services have been exited already")
    network = sys.modules.get("shell.network")
    if network:
        network.stop()  # what it stands on goes
    try:
        efi.exit_boot_services()
    except OSError:
        raise CommandError("the firmware refuses to exit boot services")
    return "exited EFI boot services\n"


@command("uefi", "", "UEFI information")
def uefi(ctx):
    import efi
    from drivers.efi import EFIError, SystemTable
    from shell.table import table

    try:
        system = SystemTable(efi.system_table())
        tables = list(_tables(system))
    except EFIError as e:
        raise CommandError(str(e))
    alive = efi.boot_services()
    rows = (
        ("UEFI Revision", system.revision_text),
        ("Firmware Vendor", system.vendor),
        ("Firmware Revision", "%#x" % system.vendor_revision),
        ("Runtime Services", "%#x" % system.runtime_services),
        ("Boot Services", "%#x" % system.boot_services if alive else "exited"),
        ("Mode", "firmware" if alive else "bare"),
        ("Configuration Tables", "%#x" % system.tables_addr),
    )
    return table(rows, 20) + "".join(tables)


def _tables(system):
    from drivers.efi import guid_text
    from drivers.efi_names import table_name

    for guid, addr in system.tables():
        text = guid_text(guid)
        yield ("  %s (%#x) %s" % (text, addr, table_name(text))).rstrip() + "\n"


def _content(variables, guid, name):
    from drivers.efi import EFIError
    from shell.table import hexdump

    try:
        attributes, data = variables.get(guid, name)
    except EFIError as e:
        yield "  " + str(e)
        return
    words = [text for bit, text in _ATTRIBUTES if attributes & bit]
    yield "  attributes %#x (%s), %d bytes" % (attributes, " ".join(words), len(data))
    for line in hexdump(data):
        yield "  " + line
