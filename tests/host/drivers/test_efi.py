"""drivers/efi.py: system table, configuration tables, variables; and what a lying firmware can do."""

import struct

import efi as door
import mem
import tables
from check import raises, run, same
from drivers import efi
from drivers.efi import EFIError

GUID = b"\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c"
GUID_TEXT = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


def fresh(**fields):
    mem.reset()
    door.functions.clear()
    del tables.variables[:]
    tables.system_table(**fields)


def test_guid_text():
    same(efi.guid_text(GUID), GUID_TEXT)


def test_system_table():
    fresh(vendor="EDK II", tables=((GUID, 0x1234),))
    system = efi.SystemTable(tables.SYSTEM)
    same((system.revision_text, system.vendor, system.vendor_revision), ("2.70", "EDK II", 0x10000))
    same((system.runtime_services, system.boot_services), (tables.RUNTIME, 0x24000))
    same(list(system.tables()), [(GUID, 0x1234)])


def test_no_system_table():
    mem.reset()
    raises(EFIError, efi.SystemTable, 0)
    mem.add(tables.SYSTEM, 120)
    raises(EFIError, efi.SystemTable, tables.SYSTEM)


def test_vendor_text_is_bounded_and_clean():
    fresh(vendor="x" * 5000)
    same(len(efi.SystemTable(tables.SYSTEM).vendor), 256)
    fresh(vendor="a\x1b[31m\x9b\ud800z")
    same(efi.SystemTable(tables.SYSTEM).vendor, "a\ufffd[31m\ufffd\ufffdz")


def test_vendor_text_that_leaves_memory():
    fresh()
    for region in mem.regions:
        if region[0] == tables.VENDOR:
            region[1][:] = b"ab" * (len(region[1]) // 2)
    raises(EFIError, efi.SystemTable, tables.SYSTEM)


def test_table_count_is_bounded():
    fresh()
    mem.add(0x900000, 24 * 300)
    struct.pack_into("<QQ", mem.regions[0][1], 104, 1 << 60, 0x900000)
    same(len(list(efi.SystemTable(tables.SYSTEM).tables())), 256)


def test_variables():
    fresh()
    content = bytes(range(256)) * 3
    tables.variables.extend([(GUID, "BootOrder", 7, b"\x00\x00"), (GUID, "Größe", 3, content)])
    variables = efi.Variables(tables.RUNTIME)
    names = list(variables.names())
    same([(efi.guid_text(g), efi.text16(n)) for g, n in names], [(GUID_TEXT, "BootOrder"), (GUID_TEXT, "Größe")])
    same(variables.get(*names[0]), (7, b"\x00\x00"))
    same(variables.get(*names[1]), (3, content))
    error = raises(EFIError, variables.get, GUID, tables.text16("Missing"))
    same(str(error), "GetVariable: EFI error not found")


def test_names_without_end():
    fresh()
    door.functions[tables.GET_NEXT] = lambda size, name, guid: 0
    raises(EFIError, list, efi.Variables(tables.RUNTIME).names())

    def full(size, name, guid):
        name[:] = b"A" * len(name)
        return 0

    door.functions[tables.GET_NEXT] = full
    raises(EFIError, list, efi.Variables(tables.RUNTIME).names())


def test_name_status():
    fresh()
    for status in (1 << 63 | 3, 1 << 63 | 7, 1 << 63 | 12345):
        door.functions[tables.GET_NEXT] = lambda size, name, guid: status
        raises(EFIError, list, efi.Variables(tables.RUNTIME).names())


def test_sizes_that_lie():
    fresh()
    variables = efi.Variables(tables.RUNTIME)
    answers = []

    def get(name, guid, attributes, size, data):
        status, length = answers.pop(0)
        struct.pack_into("<Q", size, 0, length)
        return status

    door.functions[tables.GET_VARIABLE] = get
    for script in (
        [(0, 257)],  # success, but more than the buffer
        [(1 << 63 | 5, 1 << 40)],  # asks for a tebibyte
        [(1 << 63 | 5, 10)],  # too small, for less than there is
        [(1 << 63 | 5, 300), (1 << 63 | 5, 400)],  # never satisfied
        [(1 << 63 | 5, 300), (0, 301)],
    ):
        answers[:] = script
        raises(EFIError, variables.get, GUID, b"\x00\x00")


def test_is_ram():
    same([kind for kind in range(17) if efi.is_ram(kind)], [1, 2, 3, 4, 5, 6, 7, 9, 10, 14, 15])


run(globals())
