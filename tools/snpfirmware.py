"""What an OVMF image tells its host about SEV-SNP: the GUIDed table at its end, and the metadata that this points to.

Source: edk2's OvmfPkg/ResetVector (ResetVectorVtf0.asm, X64/OvmfSevMetadata.asm); QEMU's hw/i386/pc_sysfw_ovmf.c and
target/i386/sev.c. Leaves out: the measurement, see launchdigest.py.
"""

import struct
import uuid

FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d"
METADATA = "dc886566-984a-4798-a75e-5585a7bf67cc"     # u32: bytes from the header of the metadata to the image's end
HASH_TABLE = "7255371f-3a3b-4b04-927b-1da6efa8d454"   # u32 address, u32 size
FOOTER_END = 32     # bytes behind the footer
ENTRY = struct.Struct("<H16s")  # behind the data of each entry: its size with this, its GUID
SECRETS, CPUID, KERNEL_HASHES = 2, 3, 0x10


def check(image, hashes):
    """Raise ValueError, whose text follows the image's name, unless it runs SEV-SNP guests, and (hashes) checks what is booted."""
    entries = table(image)
    types = {kind for _, _, kind in sections(image, entries)}
    if not {SECRETS, CPUID} <= types:
        raise ValueError("has no pages for secrets and CPUID: it is not for SEV-SNP")
    if hashes and (HASH_TABLE not in entries or KERNEL_HASHES not in types):
        raise ValueError("has no table of hashes: direct boot needs OVMF's AmdSev build")


def table(image):
    """Return {GUID: data} of the table at the image's end. Raises ValueError."""
    end = len(image) - FOOTER_END
    size, guid = ENTRY.unpack_from(image, end - ENTRY.size) if end >= ENTRY.size else (0, b"")
    if guid != uuid.UUID(FOOTER).bytes_le or not ENTRY.size <= size <= end:
        raise ValueError("has no table of GUIDs at its end: it is no OVMF of 2021 or later")
    entries, first, at = {}, end - size, end - ENTRY.size
    while at - ENTRY.size >= first:
        size, guid = ENTRY.unpack_from(image, at - ENTRY.size)
        if not ENTRY.size <= size <= at - first:
            raise ValueError("has a broken table of GUIDs at its end")
        entries[str(uuid.UUID(bytes_le=guid))] = image[at - size:at - ENTRY.size]
        at -= size
    return entries


def sections(image, entries):
    """Return [(address, size, type)] of the metadata. Raises ValueError."""
    place = entries.get(METADATA, b"")
    if len(place) != 4:
        raise ValueError("has no SEV metadata: it is not for SEV-SNP")
    at = len(image) - struct.unpack("<I", place)[0]
    magic, size, version, count = struct.unpack_from("<4s3I", image, at) if 0 <= at <= len(image) - 16 else (b"", 0, 0, 0)
    if magic != b"ASEV" or version != 1 or size < 16 + 12 * count or at + size > len(image):
        raise ValueError("has broken SEV metadata")
    return list(struct.iter_unpack("<3I", image[at + 16:at + 16 + 12 * count]))
