"""Derived keys: what each field changes, and what is refused inside an answer."""

import hmac
import struct

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import pspc
from pspc import INVALID_KEY, INVALID_PARAM, KEY, OK, Guest, key_payload, known

ALL, ALL_2 = 0x3F, 0x7F
BASE = {"policy": 0x30000, "measurement": b"M" * 48, "family_id": b"F" * 16, "image_id": b"I" * 16, "guest_svn": 7, "launch_mit": 0b1011}
# field's bit -> another guest or another request that it tells apart
CHANGES = {0: ({"policy": 0xB0000}, {}), 1: ({"image_id": b"J" * 16}, {}), 2: ({"family_id": b"G" * 16}, {}), 3: ({"measurement": b"N" * 48}, {}),
           4: ({}, {"svn": 5}), 5: ({}, {"tcb": 1}), 6: ({}, {"mit": 1})}  # fmt: skip


def derive(library, launch=(), version=2, **asked):
    """-> the key of a new guest."""
    if version == 2:
        asked.setdefault("mit", 0)
    status, key = Guest(library, **{**BASE, **dict(launch)}).key(version, **asked)
    assert status == OK and any(key)
    return key


@pytest.mark.parametrize("bit", CHANGES)
def test_fields(library, bit):
    """A field that is selected tells guests apart, one that is not does not."""
    launch, asked = CHANGES[bit]
    for others in (0, ALL_2 & ~(1 << bit)):
        base = derive(library, fields=others)
        assert derive(library, launch, fields=others, **asked) == base
        selected = derive(library, fields=others | 1 << bit)
        changed = derive(library, launch, fields=others | 1 << bit, **asked)
        assert len({base, selected, changed}) == 3


def test_same_again(library):
    """Another guest with the same values, other random numbers, another key for messages, another version of the request: the same key."""
    first = derive(library, fields=ALL)
    assert derive(library, fields=ALL, version=1) == first
    guest = Guest(library, seed=99, **BASE)
    assert guest.key(fields=ALL)[1] == first == guest.key(fields=ALL)[1]
    assert guest.key(fields=ALL, pad=32)[1] == first
    assert guest.key(2, fields=ALL, mit=0, pad=24)[1] == first
    assert Guest(library, report_version=3, **{**BASE, "launch_mit": 0}).key(fields=ALL)[1] == first


def test_fields_do_not_run_together(library):
    keys = {derive(library, fields=fields) for fields in range(0x80)}
    assert len(keys) == 0x80


@pytest.mark.parametrize("name", ("vcek", "vlek"))
def test_as_documented(library, name):
    """What docs/emulator.md says of it, computed by another HMAC: keys outlive a version of the emulator."""
    key = load_pem_private_key((pspc.OUT / "identity" / "keys" / f"{name}.pem").read_bytes(), None).private_numbers().private_value.to_bytes(48, "big")
    vlek = name == "vlek"
    text = b"derived key of the emulated PSP\0" + struct.pack("<BBIQQ16s16s48sIQQ", 0, vlek, 2, ALL_2, 0x30000, b"I" * 16, b"F" * 16, b"M" * 48, 5, 5, 3)
    wanted = hmac.digest(key, text, "sha384")[:32]
    assert derive(library, {"vlek": vlek}, fields=ALL_2, vmpl=2, svn=5, tcb=5, mit=3) == wanted


def test_root(library):
    """Chip, VLEK and guest's own root; products; levels."""
    vcek, vlek = derive(library, root=0), derive(library, {"vlek": True}, root=0)
    assert derive(library, root=1 << 1) == vcek == derive(library, {"vlek": True}, root=1 << 1)
    assert derive(library, {"vlek": True}, root=2 << 1) == vlek != vcek
    own = derive(library, root=1)
    assert own == derive(library, root=1 | 3 << 1) == derive(library, root=1 | 2 << 1)  # KEY_SEL does not matter then
    assert own != Guest(library, seed=5, **BASE).key(root=1)[1]  # of this guest alone
    levels = [Guest(library, **BASE).key(vmpl=vmpl)[1] for vmpl in range(4)]
    assert len({own, vlek, *levels}) == 6 and levels[0] == vcek


REFUSED = {  # name -> (launch, version, asked, status, complaint)
    "VLEK": ({}, 1, {"root": 2 << 1}, INVALID_KEY, "none is loaded"),
    "key": ({}, 1, {"root": 3 << 1}, INVALID_PARAM, "key selection 3 is reserved"),
    "VMPL": ({}, 1, {"vmpl": 4}, INVALID_PARAM, "VMPL 4 was asked for by VMPL 0"),
    "SVN": ({}, 1, {"svn": 8}, INVALID_PARAM, "key for SVN 8, the guest has 7"),
    "mitigations": ({}, 2, {"mit": 0b100}, INVALID_PARAM, "mitigation vector 0x4, at launch it was 0xb"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(library, name):
    """In an answer: the key for messages goes on."""
    launch, version, asked, status, complaint = REFUSED[name]
    guest = Guest(library, **{**BASE, **launch})
    assert guest.key(version, **asked) == (status, bytes(32))
    assert complaint in guest.complaint
    assert guest.key()[0] == OK and guest.complaint is None


@pytest.mark.parametrize("product", ("Milan", "Genoa", "Turin"))
def test_tcb(library, product):
    """Part by part at most what is committed."""
    committed = int.from_bytes(bytes.fromhex(known()[product]["tcb"]), "little")
    guest = Guest(library, product=product)
    assert guest.key(tcb=committed, fields=1 << 5)[0] == OK
    for i in range(8):
        part = committed >> 8 * i & 0xFF
        assert guest.key(tcb=committed + (1 << 8 * i)) == (INVALID_PARAM, bytes(32)), i
        assert "key for TCB" in guest.complaint
        if part:
            assert guest.key(tcb=committed - (part << 8 * i), fields=1 << 5)[0] == OK
    lower = Guest(library, product=product, committed_tcb=committed - (1 << 56))
    assert lower.key(tcb=committed)[0] == INVALID_PARAM and lower.key(tcb=committed - (1 << 56))[0] == OK


@pytest.mark.parametrize("report_version, known_", ((2, False), (3, False), (4, False), (5, True)))
def test_version_2(library, report_version, known_):
    """Only firmware with reports of version 5 knows it; other firmware refuses the message."""
    guest = Guest(library, report_version=report_version)
    if known_:
        assert guest.key(2, mit=0)[0] == OK
    else:
        guest.refuses(guest.seal(KEY, key_payload(mit=0), 2), INVALID_PARAM, "type 3, version 2 is not known")


def test_levels(guest):
    for vmpck, vmpl in ((0, 0), (0, 3), (2, 2)):
        assert guest.key(vmpck=vmpck, vmpl=vmpl)[0] == OK
    assert guest.key(vmpck=2, vmpl=1) == (INVALID_PARAM, bytes(32))
    answer = guest.ask(KEY, key_payload(vmpl=1), vmpl=2)
    assert struct.unpack_from("<I", answer)[0] == INVALID_PARAM and guest.complaint == "VMPL 1 was asked for by VMPL 2"
