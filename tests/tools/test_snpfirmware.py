"""snpfirmware.py: what Debian's OVMF images say about SEV-SNP, and images that are broken."""

import struct
import uuid

import pytest

import qemu
import snpfirmware


@pytest.fixture(scope="module")
def amdsev():
    return (qemu.BUILD / "firmware/amdsev/OVMF.fd").read_bytes()


@pytest.fixture(scope="module")
def plain():
    return (qemu.BUILD / "firmware/ovmf2025/OVMF.fd").read_bytes()


def test_direct_boot_needs_the_table_of_hashes(amdsev, plain):
    snpfirmware.check(amdsev, True)
    snpfirmware.check(amdsev, False)
    snpfirmware.check(plain, False)
    with pytest.raises(ValueError, match="AmdSev build"):
        snpfirmware.check(plain, True)


def test_older_firmware():
    """Bookworm's has metadata without what SEV-SNP wants of direct boot."""
    with pytest.raises(ValueError, match="AmdSev build"):
        snpfirmware.check((qemu.BUILD / "firmware/ovmf2022/OVMF.fd").read_bytes(), True)


def test_sections(amdsev):
    entries = snpfirmware.table(amdsev)
    assert struct.unpack("<2I", entries[snpfirmware.HASH_TABLE]) == (0x810C00, 0x400)
    found = snpfirmware.sections(amdsev, entries)
    assert (0x80D000, 0x1000, snpfirmware.SECRETS) in found and (0x80E000, 0x1000, snpfirmware.CPUID) in found
    assert (0x810000, 0x1000, snpfirmware.KERNEL_HASHES) in found


def place(image, guid):
    """Return where an entry's GUID stands in the image's last page."""
    return image.rindex(uuid.UUID(guid).bytes_le)


BROKEN = {
    "empty": (lambda image: image[:0], "no table"), "short": (lambda image: image[-40:], "no table"),
    "no footer": (lambda image: image[:-32] + bytes(32) + image[-32:], "no table"),
    "footer's size": (lambda image: patch(image, place(image, snpfirmware.FOOTER) - 2, b"\x05\x00"), "no table"),
    "footer is all there is": (lambda image: image[-60:-32] + image[-32:], "no table"),
    "entry's size 0": (lambda image: patch(image, place(image, snpfirmware.METADATA) - 2, b"\x00\x00"), "broken table"),
    "entry's size": (lambda image: patch(image, place(image, snpfirmware.METADATA) - 2, b"\xff\xff"), "broken table"),
    "no metadata": (lambda image: patch(image, place(image, snpfirmware.METADATA), b"\xff"), "no SEV metadata"),
    "metadata before the image": (lambda image: patch(image, place(image, snpfirmware.METADATA) - 6, b"\xff\xff\xff\xff"), "broken SEV metadata"),
    "metadata at the very end": (lambda image: patch(image, place(image, snpfirmware.METADATA) - 6, b"\x04\x00\x00\x00"), "broken SEV metadata"),
    "magic": (lambda image: patch(image, image.rindex(b"ASEV"), b"B"), "broken SEV metadata"),
    "version": (lambda image: patch(image, image.rindex(b"ASEV") + 8, b"\x02"), "broken SEV metadata"),
    "count": (lambda image: patch(image, image.rindex(b"ASEV") + 12, b"\xff\xff\xff\xff"), "broken SEV metadata"),
    "size": (lambda image: patch(image, image.rindex(b"ASEV") + 4, b"\xff\xff\xff\xff"), "broken SEV metadata"),
    "no secrets": (lambda image: patch(image, image.rindex(b"ASEV") + 16 + 12 * 2 + 8, b"\x09"), "not for SEV-SNP"),
}


def patch(image, at, data):
    return image[:at] + data + image[at + len(data):]


@pytest.mark.parametrize("name", BROKEN)
def test_broken(amdsev, name):
    damage, words = BROKEN[name]
    with pytest.raises(ValueError, match=words):
        snpfirmware.check(damage(amdsev), True)
