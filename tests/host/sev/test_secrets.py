"""sev/secrets.py: offsets of the page, keys that go, numbers that only go up."""

import struct

from check import raises, run, same
from sev.error import SevError
from sev.secrets import Secrets


def page(version=4, **fields):
    """-> a secrets page; a field is named by its offset, `at_a0="<I", 7`."""
    data = bytearray(4096)
    struct.pack_into("<I", data, 0, version)
    for i in range(4):
        data[0x20 + 32 * i : 0x40 + 32 * i] = bytes((0x10 * (i + 1) + j & 0xFF for j in range(32)))
    for name, (form, value) in fields.items():
        struct.pack_into(form, data, int(name[3:], 16), value)
    return data


def test_offsets():
    data = page(3, at_4=("<I", 0xFFFFFFFF), at_8=("<I", 0x00A00F11), at_10=("16s", b"GOSVW says a lot"), at_b0=("<Q", 0x7000),
                at_160=("<I", 200), at_168=("<Q", 0xB << 60 | 0xB))  # fmt: skip
    s = Secrets(data)
    same((s.version, s.imi, s.fms, s.gosvw, s.jump_table_addr), (3, True, 0x00A00F11, b"GOSVW says a lot", 0x7000))
    same((s.tsc_factor, s.launch_mit_vector, s.vmpl, s.svsm), (200, 0xB << 60 | 0xB, 0, None))
    same(Secrets(page(at_4=("<I", 0xFFFFFFFE))).imi, False)


def test_keys_by_offset():
    data = page()
    s = Secrets(data)
    for i, at in enumerate((0x20, 0x40, 0x60, 0x80)):
        same(bytes(s.key(i)._key), bytes(data[at : at + 32]))
        same(s.key(i).ends, (data[at], data[at + 31]))
        assert s.key(i) is s.key(i) and s.key(i).index == i and s.key(i).present
    assert s.key() is s.key(0)
    for i in (-1, 4):
        raises(ValueError, s.key, i)


def test_numbers_by_offset():
    for i in range(4):
        for wide in (0, 1, 2):
            data = page(**{"at_de": ("<H", wide), "at_%x" % (0xA0 + 4 * i): ("<I", 0xFFFFFFF0), "at_%x" % (0xB8 + 4 * i): ("<I", 5)})
            key = Secrets(data).key(i)
            same(key.next(), (5 << 32 if wide else 0) + 0xFFFFFFF1)
            before = bytes(data)
            key.spend(key.next())
            after = bytearray(before)
            struct.pack_into("<I", after, 0xA0 + 4 * i, 0xFFFFFFF2)
            same(bytes(data), bytes(after))  # nothing else is written
            same(key.next(), (5 << 32 if wide else 0) + 0xFFFFFFF3)


def test_a_carry():
    data = page(at_de=("<H", 1), at_a4=("<I", 0xFFFFFFFF))
    key = Secrets(data).key(1)
    key.spend(0x100000000)
    same((struct.unpack_from("<I", data, 0xA4)[0], struct.unpack_from("<I", data, 0xBC)[0], key.next()), (1, 1, 0x100000002))


def test_spend():
    data = page(at_a0=("<I", 6))
    key = Secrets(data).key(0)
    key.spend(7)
    same((key.next(), data[0xA0]), (9, 8))
    for number in (0, 1, 5, 6, 8, 9, 10):
        data = page(at_a0=("<I", 6))
        key = Secrets(data).key(0)
        same(str(raises(SevError, key.spend, number)), "its sequence number changed")
        same((key.present, data[0xA0]), (False, 6))


def test_erase():
    data = page()
    s = Secrets(data)
    s.key(1).erase("a doubt")
    same([any(data[at : at + 32]) for at in (0x20, 0x40, 0x60, 0x80)], [True, False, True, True])
    same((s.key(1).present, str(raises(SevError, s.key(1).gcm))), (False, "VMPCK1 was erased: a doubt"))
    s.key(1).erase("another")  # the first reason is the one
    same(str(raises(SevError, s.key(1).gcm)), "VMPCK1 was erased: a doubt")
    s.erase("the end")
    same((any(data[0x20:0xA0]), str(raises(SevError, s.key(3).gcm))), (False, "VMPCK3 was erased: the end"))


def test_absent():
    data = page()
    data[0x20:0x40] = bytes(32)  # an SVSM keeps it
    s = Secrets(data)
    same((s.key(0).present, str(raises(SevError, s.key(0).gcm))), (False, "VMPCK0 is absent"))
    s.key(0).erase("nothing")
    same(str(raises(SevError, s.key(0).gcm)), "VMPCK0 is absent")
    data = page()
    s = Secrets(data)
    data[0x20:0x40] = bytes(32)  # by somebody else
    same(str(raises(SevError, s.key(0).gcm)), "VMPCK0 was erased")


def test_svsm():
    fields = {"at_140": ("<Q", 0x100000), "at_148": ("<Q", 0x200000), "at_150": ("<Q", 0x180000), "at_158": ("<I", 1), "at_15c": ("<B", 2)}
    s = Secrets(page(**fields))
    same((s.svsm, s.vmpl), ((0x100000, 0x200000, 0x180000, 1), 2))
    assert s.key() is s.key(2)
    for vmpl in (1, 3):
        same(Secrets(page(**dict(fields, at_15c=("<B", vmpl)))).vmpl, vmpl)
    for name, value, text in (("at_15c", ("<B", 0), "VMPL 0, calling area 0x180000"), ("at_15c", ("<B", 4), "VMPL 4, calling area 0x180000"),
                              ("at_150", ("<Q", 0x180008), "VMPL 2, calling area 0x180008"), ("at_150", ("<Q", 0), "VMPL 2, calling area 0x0")):  # fmt: skip
        same(str(raises(SevError, Secrets, page(**dict(fields, **{name: value})))), "secrets page with an SVSM, " + text)


def test_what_is_none():
    for data, text in ((bytearray(4095), "secrets page of 4095 bytes"), (bytearray(4097), "secrets page of 4097 bytes"),
                       (page(0), "secrets page of version 0"), (page(1), "secrets page of version 1")):  # fmt: skip
        same(str(raises(SevError, Secrets, data)), text)
    same([Secrets(page(v)).version for v in (2, 3, 4, 9)], [2, 3, 4, 9])


run(globals())
