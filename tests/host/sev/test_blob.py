"""sev/blob.py: the confidential-computing blob, byte for byte, and what is none."""

import struct

import mem
from check import raises, run, same
from sev import blob
from sev.error import SevError

OVMF = bytes.fromhex("414d4445 0100 0000 00d0800000000000 00100000 00000000 00e0800000000000 00100000 00000000".replace(" ", ""))


def changed(at, form, value):
    data = bytearray(OVMF)
    struct.pack_into(form, data, at, value)
    return bytes(data)


def test_layout():
    same(len(OVMF), blob.LEN)
    same(blob.parse(OVMF), (1, 0x80D000, 4096, 0x80E000, 4096))
    same(blob.parse(changed(0x20, "<I", 8192)).cpuid_len, 8192)
    for at in (6, 0x14, 0x24):  # reserved
        same(blob.parse(changed(at, "<H", 0xFFFF)), blob.parse(OVMF))


def test_what_is_none():
    table = (
        (OVMF[:-1], "confidential-computing blob of 39 bytes"),
        (OVMF + b"\0", "confidential-computing blob of 41 bytes"),
        (changed(0, "<B", 0x42), "confidential-computing blob with magic 0x45444d42, version 1"),
        (changed(4, "<H", 0), "confidential-computing blob with magic 0x45444d41, version 0"),
        (changed(4, "<H", 2), "confidential-computing blob with magic 0x45444d41, version 2"),
        (changed(0x10, "<I", 4095), "confidential-computing blob with pages of 4095 and 4096 bytes"),
        (changed(0x10, "<I", 8192), "confidential-computing blob with pages of 8192 and 4096 bytes"),
        (changed(0x20, "<I", 4095), "confidential-computing blob with pages of 4096 and 4095 bytes"),
        (changed(0x08, "<Q", 0), "confidential-computing blob with a page at 0"),
        (changed(0x08, "<Q", 0x80D001), "confidential-computing blob with a page at 0x80d001"),
        (changed(0x08, "<Q", 1 << 51 | 0x80D000), "confidential-computing blob with a page at 0x800000080d000"),
        (changed(0x18, "<Q", 0), "confidential-computing blob with a page at 0"),
        (changed(0x18, "<Q", 0x80EFFF), "confidential-computing blob with a page at 0x80efff"),
        (changed(0x18, "<Q", 1 << 47), "confidential-computing blob with a page at 0x800000000000"),
        (changed(0x18, "<Q", 0x80D000), "confidential-computing blob with one page for two"),
    )
    for data, text in table:
        same(str(raises(SevError, blob.parse, data)).replace("0x0", "0"), text)


def test_find():
    mem.reset()
    mem.add(0x7E000008, OVMF)
    other = b"\x30\x2d\x9d\xeb\x88\x2d\xd3\x11\x9a\x16\x00\x90\x27\x3f\xc1\x4d"
    same(blob.find(()), None)
    same(blob.find(((other, 0x7E000008),)), None)
    same(blob.find(((other, 1), (blob.GUID, 0x7E000008))), blob.parse(OVMF))
    # The same GUID as text, in the order of RFC 4122.
    same(blob.GUID, struct.pack("<IHH", 0x067B1F5F, 0xCF26, 0x44C5) + bytes.fromhex("855493d777912d42"))
    twice = ((blob.GUID, 0x7E000008),) * 2
    same(str(raises(SevError, blob.find, twice)), "the firmware has 2 confidential-computing blobs")
    for addr in (0, 0x7E000007, 0x7E000009):
        same(str(raises(SevError, blob.find, ((blob.GUID, addr),))), "the confidential-computing blob is not in memory")


run(globals())
