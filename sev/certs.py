"""Where the certificates of a report's key come from: the host's table, AMD's key server; and the roots they must lead to.

Source: GHCB 2.03, 4.1.8.1 (SNP Extended Guest Request, certificate table); VCEK Certificate and KDS Interface Specification (57230), 4.
Nobody who brings a certificate is trusted. Not here: fetching anything.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct
from binascii import hexlify

from sev import pem

TABLE_MAX = 0x10000  # bytes; Linux takes a quarter, which is what a host is offered first (sev/channel.py)
ARK, ASK, VCEK, VLEK, CRL = "ARK", "ASK", "VCEK", "VLEK", "CRL"

_ENTRY_LEN = 24  # bytes: GUID, offset, length
_ENTRIES_MAX = 16
KINDS = {  # GUID, whose bytes stand in the order of its text -> what the entry holds
    "c0b406a4-a803-4952-9743-3fb6014cd0ae": ARK,
    "4ab7b379-bbac-4fe4-a02f-05aef327c782": ASK,  # or that of a VLEK
    "63da758d-e664-4564-adc5-f4b93be8accd": VCEK,
    "a8074bc2-a25a-483e-aae6-39c045a0b8a1": VLEK,
    "92f81bc3-5811-4d3d-97ff-d19f88dc67ea": CRL,
}

ROOTS = {  # SHA-256 of the ARK's SubjectPublicKeyInfo -> product
    "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9": "Milan",
    "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831": "Genoa",
    "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08": "Turin",
}

KDS = "https://kdsintf.amd.com"
_URL_PARTS = (("fmc", "fmcSPL"), ("boot_loader", "blSPL"), ("tee", "teeSPL"), ("snp", "snpSPL"), ("microcode", "ucodeSPL"))


def table(data):
    """-> [(GUID as text, bytes)] of the host's certificate table; data: a private copy of it. ValueError: it is malformed.

    An empty buffer, and one that begins with the end of the table, are a table without entries.
    """
    if len(data) > TABLE_MAX:
        raise ValueError("certificate table of %d bytes" % len(data))
    entries = _entries(bytes(data)) if data else []
    start = (len(entries) + 1) * _ENTRY_LEN
    found = []
    for guid, at, size in entries:
        if at < start or size == 0 or at + size > len(data):
            raise ValueError("certificate table has an entry of %d bytes at %#x" % (size, at))
        if guid in [other for other, _ in found]:
            raise ValueError("certificate table has an entry twice")
        found.append((guid, bytes(data[at : at + size])))
    return found


def table_len(data):
    """-> bytes of the table and what its entries hold, without what lies behind. ValueError as table()."""
    entries = _entries(data) if table(data) else []
    return max([_ENTRY_LEN * (len(entries) + 1)] + [at + size for _, at, size in entries])


def _entries(data):
    """-> [(GUID, offset, bytes)] up to the entry of zeroes."""
    entries = []
    for at in range(0, len(data) - _ENTRY_LEN + 1, _ENTRY_LEN):
        entry = data[at : at + _ENTRY_LEN]
        if entry == bytes(_ENTRY_LEN):
            return entries
        if entry[:16] == bytes(16) or len(entries) == _ENTRIES_MAX:
            raise ValueError("certificate table has an entry without a GUID, or too many")
        entries.append((_guid(entry),) + struct.unpack_from("<II", entry, 16))
    raise ValueError("certificate table has no end")


def _guid(data):
    text = str(hexlify(data[:16]), "ascii")
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def from_table(data):
    """-> the bytes of the certificates in the host's table, other entries passed over. ValueError as table() and load()."""
    found = []
    for guid, content in table(data):
        if KINDS.get(guid) in (ARK, ASK, VCEK, VLEK):
            found += load(content)
    return found


def crls_from_table(data):
    """-> the bytes of the revocation lists in the host's table. ValueError as table()."""
    return [content for guid, content in table(data) if KINDS.get(guid) == CRL]


def load(content, label=pem.CERTIFICATE):
    """-> the bytes of the certificates in a file or an answer of AMD's server: one in DER, or some in PEM. ValueError: neither.

    They are not looked into. label: pem.CRL for revocation lists.
    """
    if content[:1] == b"\x30":
        return [bytes(content)]
    try:
        text = str(content, "utf-8")
    except UnicodeError:
        raise ValueError("neither DER nor PEM")
    return pem.parse(text.rstrip("\0"), label)


def chain_url(product, vlek=False, kds=KDS):
    """-> where AMD has ASK (of a VLEK: its own) and ARK, in PEM. kds: another server that has what AMD's has."""
    return "%s/%s/v1/%s/cert_chain" % (kds, "vlek" if vlek else "vcek", product)


def crl_url(product, vlek=False, kds=KDS):
    """-> where AMD has the list of the revoked, in DER."""
    return "%s/%s/v1/%s/crl" % (kds, "vlek" if vlek else "vcek", product)


def vcek_url(product, chip_id, tcb, kds=KDS):
    """-> where AMD has the VCEK of a chip at a TCB, in DER. ValueError: the report hides the chip's id."""
    if chip_id == bytes(64):
        raise ValueError("the chip's id is masked: AMD's server cannot be asked for its key")
    chip = chip_id[:8] if product == "Turin" else chip_id
    return "%s/vcek/v1/%s/%s?%s" % (kds, product, chip.hex(), _query(tcb))


def vlek_url(product, tcb):
    """-> where AMD has a provider's VLEK at a TCB, for those who have its credentials."""
    return "%s/vlek/v1/%s/cert?%s" % (KDS, product, _query(tcb))


def _query(tcb):
    return "&".join(["%s=%02d" % (name, tcb[part]) for part, name in _URL_PARTS if part in tcb])
