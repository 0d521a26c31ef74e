"""drivers/efi_names.py: well-known tables and the unknown."""

from check import run, same
from drivers.efi_names import table_name


def test_names():
    same(table_name("8868e871-e4f1-11d3-bc22-0080c73c8881"), "ACPI 2.0")
    same(table_name("00000000-0000-0000-0000-000000000000"), "")


run(globals())
