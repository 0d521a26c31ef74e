"""Attestation reports for tests, written field by field in the order of the SEV-SNP Firmware ABI 1.58, 7.3; for CPython and MicroPython."""

import struct

CHIP = bytes(range(1, 65))
MILAN_TCB = bytes((4, 1, 0, 0, 0, 0, 24, 219))
TURIN_TCB = bytes((3, 1, 2, 5, 0, 0, 0, 71))

DEFAULTS = {
    "version": 3, "guest_svn": 7, "policy": 0x30137, "family_id": b"F" * 16, "image_id": b"I" * 16, "vmpl": 1, "algo": 1, "tcb": MILAN_TCB,
    "platform": 0x25, "key_info": 0, "reserved_4c": bytes(4), "report_data": bytes(range(64)), "measurement": b"M" * 48, "host_data": b"H" * 32,
    "id_key": b"K" * 48, "author_key": b"A" * 48, "report_id": b"R" * 32, "report_id_ma": b"\xff" * 32, "reported": None,
    "cpu": bytes((0x19, 0x01, 0x01)), "reserved_18b": bytes(21), "chip_id": CHIP, "committed": None, "current_version": bytes((29, 55, 1)),
    "reserved_1eb": bytes(1), "committed_version": bytes((28, 54, 1)), "reserved_1ef": bytes(1), "launch": None,
    "mitigations": None, "reserved_208": bytes(0x98), "r": bytes(range(100, 148)), "s": bytes(range(150, 198)), "reserved_r": bytes(24),
    "reserved_s": bytes(24), "reserved_330": bytes(0x170),
}  # fmt: skip


def make(**changes):
    """-> the 1184 bytes of a report of version 3 from a Milan; changes: other values of DEFAULTS. r, s: little-endian."""
    v = dict(DEFAULTS)
    for name in changes:
        assert name in v, name
    v.update(changes)
    if v["version"] == 2 and "cpu" not in changes:
        v["cpu"] = bytes(3)
    mitigations = v["mitigations"] or ((11, 3) if v["version"] == 5 else (0, 0))
    tcb = v["tcb"]
    return b"".join((
        struct.pack("<IIQ", v["version"], v["guest_svn"], v["policy"]), v["family_id"], v["image_id"], struct.pack("<II", v["vmpl"], v["algo"]), tcb,
        struct.pack("<QI", v["platform"], v["key_info"]), v["reserved_4c"], v["report_data"], v["measurement"], v["host_data"], v["id_key"],
        v["author_key"], v["report_id"], v["report_id_ma"], v["reported"] or tcb, v["cpu"], v["reserved_18b"], v["chip_id"], v["committed"] or tcb,
        v["current_version"], v["reserved_1eb"], v["committed_version"], v["reserved_1ef"], v["launch"] or tcb, struct.pack("<QQ", *mitigations),
        v["reserved_208"], v["r"], v["reserved_r"], v["s"], v["reserved_s"], v["reserved_330"],
    ))  # fmt: skip


def turin(**changes):
    """-> one of version 5 from a Turin."""
    return make(**dict({"version": 5, "cpu": bytes((0x1A, 2, 1)), "tcb": TURIN_TCB, "chip_id": CHIP[:8] + bytes(56)}, **changes))
