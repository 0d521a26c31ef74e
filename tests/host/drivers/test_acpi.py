"""drivers/acpi.py: the walk to a table, and tables made by a hostile host."""

import random
import struct

import mem
import tables
from check import raises, run, same
from drivers import acpi
from drivers.acpi import ACPIError

ROOT = tables.RSDP


def test_xsdt_and_rsdt():
    for revision in (0, 2):
        mem.reset()
        wanted = tables.acpi_table(b"WANT", b"body")
        tables.install(tables.acpi_table(b"ELSE", b""), wanted, revision=revision)
        same(acpi.find(ROOT, b"WANT"), bytes(wanted))
        raises(ACPIError, acpi.find, ROOT, b"NONE")


def test_no_root_pointer():
    mem.reset()
    raises(ACPIError, acpi.find, 0, b"WANT")
    raises(ACPIError, acpi.find, 0xDEAD0000, b"WANT")


def test_bad_root_pointers():
    for at in range(20):
        mem.reset()
        tables.install(tables.acpi_table(b"WANT", b""))
        mem.regions[1][1][at] ^= 0x10
        raises(ACPIError, acpi.find, ROOT, b"WANT")


def test_bad_extended_checksum_falls_back_to_the_rsdt():
    mem.reset()
    tables.install(tables.acpi_table(b"WANT", b""))
    mem.regions[1][1][24] ^= 0xFF
    same(acpi.find(ROOT, b"WANT")[:4], b"WANT")


def test_one_bad_table_hides_no_other():
    for spoil in (("length", 0), ("length", 35), ("length", 0xFFFFFFFF), ("sum", 0)):
        mem.reset()
        bad = tables.acpi_table(b"WANT", b"bad")
        if spoil[0] == "length":
            struct.pack_into("<I", bad, 4, spoil[1])
        else:
            bad[36] ^= 1
        tables.install(bad, tables.acpi_table(b"WANT", b"good"))
        same((spoil, acpi.find(ROOT, b"WANT")[36:]), (spoil, b"good"))


def test_entry_that_is_not_mapped():
    mem.reset()
    tables.install(tables.acpi_table(b"WANT", b"good"))
    del mem.regions[2:3]
    mem.add(tables.XSDT, tables.acpi_table(b"XSDT", struct.pack("<QQ", 0xDEAD0000, tables.TABLE)))
    same(acpi.find(ROOT, b"WANT")[36:], b"good")


def test_a_root_of_many_entries_is_bounded():
    mem.reset()
    tables.install(tables.acpi_table(b"WANT", b""))
    del mem.regions[2:3]
    many = struct.pack("<Q", tables.RSDP) * 10000
    mem.add(tables.XSDT, tables.acpi_table(b"XSDT", many))
    raises(ACPIError, acpi.find, ROOT, b"WANT")


def test_random_corruption():
    random.seed(11)
    for _ in range(400):
        mem.reset()
        tables.install(tables.mcfg((0xE0000000, 0, 0, 255)), tables.acpi_table(b"WANT", b"x" * 20))
        for _ in range(random.randrange(1, 6)):
            data = random.choice(mem.regions)[1]
            data[random.randrange(len(data))] = random.getrandbits(8)
        try:
            found = acpi.find(ROOT, b"WANT")
            assert sum(found) & 0xFF == 0
        except ACPIError:
            pass


run(globals())
