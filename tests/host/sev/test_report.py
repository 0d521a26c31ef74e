"""sev/report.py: every field at its offset, every reserved byte, every version."""

import random

from check import raises, run, same
from sev import report
from snpreport import CHIP, make, turin

OFFSETS = (  # name, first byte, bytes: SEV-SNP Firmware ABI, ATTESTATION_REPORT
    ("version", 0x000, 4), ("guest_svn", 0x004, 4), ("policy", 0x008, 8), ("family_id", 0x010, 16), ("image_id", 0x020, 16), ("vmpl", 0x030, 4),
    ("signature_algo", 0x034, 4), ("current_tcb", 0x038, 8), ("platform_info", 0x040, 8), ("key_info", 0x048, 4), (None, 0x04C, 4),
    ("report_data", 0x050, 64), ("measurement", 0x090, 48), ("host_data", 0x0C0, 32), ("id_key_digest", 0x0E0, 48),
    ("author_key_digest", 0x110, 48), ("report_id", 0x140, 32), ("report_id_ma", 0x160, 32), ("reported_tcb", 0x180, 8), ("cpu", 0x188, 3),
    (None, 0x18B, 21), ("chip_id", 0x1A0, 64), ("committed_tcb", 0x1E0, 8), ("current_version", 0x1E8, 3), (None, 0x1EB, 1),
    ("committed_version", 0x1EC, 3), (None, 0x1EF, 1), ("launch_tcb", 0x1F0, 8), ("launch_mitigations", 0x1F8, 8),
    ("current_mitigations", 0x200, 8), (None, 0x208, 0x98), ("r", 0x2A0, 48), (None, 0x2D0, 24), ("s", 0x2E8, 48), (None, 0x318, 24),
    (None, 0x330, 0x170),
)  # fmt: skip
ATTRIBUTES = [name for name, _, _ in OFFSETS if name]


def changed(data, at, value):
    return data[:at] + bytes((value,)) + data[at + 1 :]


def test_offsets_tile():
    at = 0
    for _, offset, size in OFFSETS:
        same(offset, at)
        at += size
    same((at, report.REPORT_LEN, report.SIGNED_LEN), (0x4A0, 0x4A0, 0x2A0))


def test_tables_say_the_same():
    """The module's own tables, against the list above."""
    said = [(n, at, size) for n, at, size in report.NUMBERS + report.BYTES]
    said += [(n, at, 8) for n, at in report.TCBS + report.MITIGATIONS] + [(n, at, 3) for n, at in report.VERSIONS]
    said += [("cpu", report.CPUID_OFFSET, 3), ("r", report.R_OFFSET, report.NUMBER_LEN), ("s", report.S_OFFSET, report.NUMBER_LEN)]
    same(sorted(said), sorted([row for row in OFFSETS if row[0]]))
    same(sorted(report.RESERVED), sorted([row[1:] for row in OFFSETS if not row[0]]))


def test_values():
    got = report.parse(make())
    for name, value in (
        ("version", 3), ("guest_svn", 7), ("policy", 0x30137), ("family_id", b"F" * 16), ("image_id", b"I" * 16), ("vmpl", 1), ("signature_algo", 1),
        ("platform_info", 0x25), ("key_info", 0), ("author_key_en", False), ("mask_chip_key", False), ("signing_key", report.VCEK),
        ("report_data", bytes(range(64))), ("measurement", b"M" * 48), ("host_data", b"H" * 32), ("id_key_digest", b"K" * 48),
        ("author_key_digest", b"A" * 48), ("report_id", b"R" * 32), ("report_id_ma", b"\xff" * 32), ("cpu", (0x19, 1, 1)), ("product", "Milan"),
        ("chip_id", CHIP), ("current_version", (1, 55, 29)), ("committed_version", (1, 54, 28)), ("launch_mitigations", None),
        ("current_mitigations", None), ("r", bytes(range(147, 99, -1))), ("s", bytes(range(197, 149, -1))), ("raw", make()),
    ):  # fmt: skip
        same((name, getattr(got, name)), (name, value))
    same(got.signed(), make()[:0x2A0])


def test_tcbs():
    """Each of the four, from its own place and in its product's layout."""
    tcbs = {"tcb": b"\1\0\0\0\0\0\0\0", "reported": b"\0\2\0\0\0\0\0\0", "committed": b"\0\0\0\0\0\0\3\0", "launch": b"\0\0\0\0\0\0\0\4"}
    got = report.parse(make(**tcbs))
    same([getattr(got, n)[part] for n, part in (("current_tcb", "boot_loader"), ("reported_tcb", "tee"), ("committed_tcb", "snp"), ("launch_tcb", "microcode"))],
         [1, 2, 3, 4])  # fmt: skip
    got = report.parse(turin())
    same(got.reported_tcb, {"fmc": 3, "boot_loader": 1, "tee": 2, "snp": 5, "microcode": 71})
    same((got.product, got.launch_mitigations, got.current_mitigations), ("Turin", 11, 3))
    big = report.parse(turin(mitigations=((1 << 64) - 1, 1 << 63)))
    same((big.launch_mitigations, big.current_mitigations), ((1 << 64) - 1, 1 << 63))


def test_versions():
    for version in (2, 3, 4, 5):
        got = report.parse(make(version=version))
        same((got.version, got.cpu, got.product), (version, (0x19, 1, 1), "Milan") if version > 2 else (2, None, None))
        same(got.launch_mitigations, 11 if version == 5 else None)
    for version in (0, 1, 6, 0xFFFFFFFF):
        same(str(raises(ValueError, report.parse, make(version=version))), "report has version %d, known are 2 to 5" % version)


def test_old_reports():
    """Version 2 names no processor; the length of the chip's id tells the layout."""
    same(report.parse(make(version=2)).reported_tcb["snp"], 24)
    old = make(version=2, tcb=bytes((3, 1, 2, 5, 0, 0, 0, 71)), chip_id=CHIP[:8] + bytes(56))
    same(report.parse(old).reported_tcb["fmc"], 3)
    raises(ValueError, report.parse, make(version=2, tcb=bytes((3, 1, 2, 5, 0, 0, 0, 71))))
    same(report.parse(make(version=2, chip_id=bytes(64))).reported_tcb["microcode"], 219)  # masked
    for field in (b"\x19\0\0", b"\0\1\0", b"\0\0\1"):
        raises(ValueError, report.parse, make(version=2, cpu=field))


def test_other_processors():
    same(report.parse(make(cpu=bytes((0x19, 0xA0, 2)))).product, "Genoa")
    same(report.parse(make(cpu=bytes((0x17, 0x31, 0)))).product, None)
    same(report.parse(turin(cpu=bytes((0x1A, 0x50, 0)))).product, None)  # the next one: TCB as Turin's
    raises(ValueError, report.parse, turin(cpu=bytes((0x19, 1, 1))))


def test_lengths():
    good = make()
    for data in (b"", good[:-1], good + b"\0", good[:32], good * 2, bytes(0x4A0 - 1)):
        same(str(raises(ValueError, report.parse, data)), "report has %d bytes, not 1184" % len(data))
    same(report.parse(bytearray(good)).raw, good)
    same(report.parse(memoryview(good)).raw, good)


def test_reserved():
    """Every reserved byte, every bit of it in turn."""
    for good in (make(), turin(), make(version=4)):
        count = 0
        for name, at, size in OFFSETS:
            if name is None:
                for i in range(at, at + size):
                    raises(ValueError, report.parse, changed(good, i, 1 << (i & 7)))
                    count += 1
        same(count, 4 + 21 + 1 + 1 + 0x98 + 24 + 24 + 0x170)
    for i in range(0x1F8, 0x208):  # the mitigations, below version 5
        same(str(raises(ValueError, report.parse, changed(make(), i, 1))), "reserved bytes of the report at 0x1f8 are not zero")


def test_bits():
    """Reserved bits within fields, and values that mean nothing."""
    for bit in range(64):
        good = bit < 16 or 18 <= bit <= 25 or bit == 16
        data = make(policy=0x20000 ^ (1 << bit) if bit != 17 else 0x10000)
        if good:
            same(report.parse(data).policy, 0x20000 ^ 1 << bit)
        else:
            raises(ValueError, report.parse, data)
    for bit in range(64):  # the platform's are open: hardware sets more than are documented
        same(report.parse(make(platform=1 << bit)).platform_info, 1 << bit)
    for key_info in range(64):
        if (key_info >> 2) in (0, 1, 7):
            got = report.parse(make(key_info=key_info))
            same((got.author_key_en, got.mask_chip_key, got.signing_key), (bool(key_info & 1), bool(key_info & 2), key_info >> 2))
        else:
            raises(ValueError, report.parse, make(key_info=key_info))
    for bit in range(5, 32):
        raises(ValueError, report.parse, make(key_info=1 << bit))
    for vmpl, good in ((0, True), (3, True), (0xFFFFFFFF, True), (4, False), (0xFFFFFFFE, False)):
        if good:
            same(report.parse(make(vmpl=vmpl)).vmpl, vmpl)
        else:
            raises(ValueError, report.parse, make(vmpl=vmpl))
    for algo in (0, 2, 0x101, 0xFFFFFFFF):
        same(str(raises(ValueError, report.parse, make(algo=algo))), "report has signature algorithm %d, known is 1" % algo)


def test_one_bit_one_field():
    """Any other bit changes its own field and no other."""
    for good in (make(version=5), turin()):
        base = report.parse(good)
        random.seed(4)
        for name, at, size in OFFSETS:
            for i in range(at, at + size) if name else ():
                try:
                    got = report.parse(changed(good, i, good[i] ^ 1 << random.randrange(8)))
                except ValueError:
                    assert name in ("version", "policy", "vmpl", "signature_algo", "key_info", "cpu") or name.endswith("_tcb"), name
                    continue
                same([n for n in ATTRIBUTES if getattr(got, n) != getattr(base, n) and not (name == "cpu" and n.endswith("_tcb"))], [name])


run(globals())
