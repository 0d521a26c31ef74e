"""The confidential-computing blob: where the firmware tells the addresses of the secrets page and the CPUID page.

A table of the EFI configuration table, there only when SEV-SNP is active. Source: edk2,
ConfidentialComputingSevSnpBlob.h; Linux, struct cc_blob_sev_info. Left out: the other ways to these pages (setup data,
fixed addresses), which need no firmware.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct
from collections import namedtuple

import mem
from micropython import const

from sev.error import SevError

GUID = b"\x5f\x1f\x7b\x06\x26\xcf\xc5\x44\x85\x54\x93\xd7\x77\x91\x2d\x42"  # 067b1f5f-cf26-44c5-8554-93d777912d42
LEN = const(0x28)
PAGE_LEN = const(4096)
_MAGIC = const(0x45444D41)  # "AMDE"
_VERSION = const(1)
_ADDR_BITS = const(47)  # the C-bit is at 47 or above; it is no part of an address

# magic, version, reserved, secrets address, length, reserved, CPUID address, length, reserved
_FORMAT = "<IHHQIIQII"

Blob = namedtuple("Blob", ("version", "secrets_addr", "secrets_len", "cpuid_addr", "cpuid_len"))


def find(tables):
    """-> the Blob, or None where the firmware has none. tables: (GUID bytes, address) of each configuration table.

    Raises SevError: there are two, or it is not well-formed.
    """
    found = [addr for guid, addr in tables if bytes(guid) == GUID]
    if len(found) > 1:
        raise SevError("the firmware has %d confidential-computing blobs" % len(found))
    if not found:
        return None
    try:
        data = bytes(mem.view(found[0], LEN))
    except OSError:
        raise SevError("the confidential-computing blob is not in memory")
    return parse(data)


def parse(data):
    """-> the Blob in LEN bytes. Raises SevError."""
    if len(data) != LEN:
        raise SevError("confidential-computing blob of %d bytes" % len(data))
    magic, version, _, secrets_addr, secrets_len, _, cpuid_addr, cpuid_len, _ = struct.unpack(_FORMAT, data)
    if magic != _MAGIC or version != _VERSION:
        raise SevError("confidential-computing blob with magic %#x, version %d" % (magic, version))
    if secrets_len != PAGE_LEN or cpuid_len < PAGE_LEN:
        raise SevError("confidential-computing blob with pages of %d and %d bytes" % (secrets_len, cpuid_len))
    for addr in (secrets_addr, cpuid_addr):
        if not addr or addr % PAGE_LEN or addr >> _ADDR_BITS:
            raise SevError("confidential-computing blob with a page at %#x" % addr)
    if secrets_addr == cpuid_addr:
        raise SevError("confidential-computing blob with one page for two")
    return Blob(version, secrets_addr, secrets_len, cpuid_addr, cpuid_len)
