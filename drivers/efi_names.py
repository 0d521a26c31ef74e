"""Names of the configuration tables' GUIDs. Source: UEFI 2.10, 4.6; PI 1.8; edk2's GUID headers."""

# SPDX-License-Identifier: BSD-3-Clause

_TABLES = {
    "8868e871-e4f1-11d3-bc22-0080c73c8881": "ACPI 2.0",
    "eb9d2d30-2d88-11d3-9a16-0090273fc14d": "ACPI 1.0",
    "eb9d2d31-2d88-11d3-9a16-0090273fc14d": "SMBIOS",
    "f2fd1544-9794-4a2c-992e-e5bbcf20e394": "SMBIOS 3",
    "05ad34ba-6f02-4214-952e-4da0398e2bb9": "DXE services",
    "7739f24c-93d7-11d4-9a3a-0090273fc14d": "HOB list",
    "4c19049f-4137-4dd3-9c10-8b97a83ffdfa": "memory type information",
    "49152e77-1ada-4764-b7a2-7afefed95e8b": "debug image information",
    "060cc026-4c0d-4dda-8f41-595fef00a502": "memory status code record",
    "dcfa911d-26eb-469f-a220-38b7dc461220": "memory attributes",
    "eb66918a-7eef-402a-842e-931d21c38ae9": "runtime properties",
    "ee4e5898-3914-4259-9d6e-dc7bd79403cf": "LZMA decompression",
    "b122a263-3661-4f68-9929-78f8b0d62180": "system resources (ESRT)",
    "067b1f5f-cf26-44c5-8554-93d777912d42": "confidential computing blob",
    "1e2ed096-30e2-4254-bd89-863bbef82325": "TCG2 final events",
    "36122546-f7e7-4c8f-bd9b-eb8525b50c0b": "conformance profiles",
    "d719b2cb-3d3a-4596-a3bc-dad00e67656f": "image security database",
}


def table_name(guid):
    """-> what the configuration table of a GUID (text) is, or "" where it is not known."""
    return _TABLES.get(guid, "")
