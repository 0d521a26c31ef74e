"""sev/payload.py: every field at its offset, every answer that cannot be."""

import struct

from check import raises, run, same
from sev import payload
from sev.error import SevError

DATA = bytes(range(64))


def key_request(**fields):
    values = {"fields": 0, "vmpl": 0, "svn": 0, "tcb": 0, "mit_vector": None, "key": 0, "vmrk": False}
    values.update(fields)
    return payload.key_request(payload.KeyRequest(**values))


def test_report_request():
    p = payload.report_request(DATA, 3, payload.VLEK)
    same((p[:0x40], p[0x40:0x44], p[0x44:0x48], p[0x48:]), (DATA, b"\3\0\0\0", b"\2\0\0\0", bytes(24)))
    same((len(p), payload.report_request(DATA)[0x40:]), (96, bytes(32)))
    for data, vmpl, key in ((DATA[:-1], 0, 0), (DATA + b"\0", 0, 0), (DATA, 4, 0), (DATA, -1, 0), (DATA, 0, 3), (DATA, 0, -1)):
        raises(ValueError, payload.report_request, data, vmpl, key)


def test_report():
    report = bytes((i * 7 & 0xFF for i in range(0x4A0)))
    for tail in (b"", bytes(2784)):  # Linux reserves 4000 bytes, the structure has 0x4c0
        same(payload.report(bytearray(struct.pack("<II24x", 0, 0x4A0) + report + tail)), report)
    table = (
        (b"", "report: answer of 0 bytes"),
        (bytes(3), "report: answer of 3 bytes"),
        (bytes(31), "report: answer of 31 bytes"),
        (bytes(32), "report of 0 bytes in an answer of 32"),
        (struct.pack("<II24x", 0, 0x4A0) + report[:-1], "report of 1184 bytes in an answer of 1215"),
        (struct.pack("<II24x", 0, 0x49F) + report, "report of 1183 bytes in an answer of 1216"),
        (struct.pack("<II24x", 0, 0x4A1) + report + bytes(9), "report of 1185 bytes in an answer of 1225"),
        (struct.pack("<II24x", 0x16, 0x4A0) + report, "report refused: invalid parameter (0x16)"),
        (struct.pack("<I", 0x27), "report refused: invalid key (0x27)"),
        (struct.pack("<I28x", 0x1000), "report refused: unknown status (0x1000)"),
    )
    for data, text in table:
        same(str(raises(SevError, payload.report, bytearray(data))), text)


def test_key_request():
    same(key_request(), (1, bytes(32)))
    version, p = key_request(fields=0x3F, vmpl=3, svn=0x11223344, tcb=0x8877665544332211, key=payload.VLEK)
    same((version, len(p), p[0:4], p[4:8]), (1, 32, b"\4\0\0\0", bytes(4)))
    same((p[8:0x10], p[0x10:0x14], p[0x14:0x18], p[0x18:0x20]), (b"\x3f" + bytes(7), b"\3\0\0\0", b"\x44\x33\x22\x11", bytes.fromhex("1122334455667788")))
    same([key_request(key=k, vmrk=r)[1][0] for k, r in ((0, True), (1, False), (1, True), (2, True))], [1, 2, 3, 5])
    version, p = key_request(fields=0x7F, mit_vector=0xB << 60 | 1)
    same((version, len(p), p[8], p[0x20:]), (2, 40, 0x7F, bytes.fromhex("01000000000000b0")))
    same(key_request(fields=8, mit_vector=0)[0], 2)


def test_key_requests_that_are_none():
    for fields in ({"fields": 0x40}, {"fields": 0x80}, {"fields": 0x80, "mit_vector": 0}, {"fields": -1}, {"vmpl": 4}, {"vmpl": -1}, {"svn": 1 << 32}, {"svn": -1},
                   {"tcb": 1 << 64}, {"tcb": -1}, {"mit_vector": 1 << 64}, {"mit_vector": -1}, {"key": 3}):  # fmt: skip
        raises(ValueError, lambda: key_request(**fields))


def test_fields():
    same([(bit, 1 << i) for i, (bit, _) in enumerate(payload.FIELDS)], [(1 << i, 1 << i) for i in range(7)])
    same([name for _, name in payload.FIELDS], ["policy", "image-id", "family-id", "measurement", "guest-svn", "tcb", "launch-mit"])


def test_key():
    key = payload.key(bytearray(32) + DATA[:32])
    same((type(key), bytes(key)), (bytearray, DATA[:32]))
    same(bytes(payload.key(bytearray(32) + DATA)), DATA[:32])
    for data, text in ((bytes(63), "key: answer of 63 bytes"), (struct.pack("<I60x", 0x16), "key refused: invalid parameter (0x16)"),
                       (struct.pack("<I", 0x27), "key refused: invalid key (0x27)"), (b"\0", "key: answer of 1 bytes")):  # fmt: skip
        same(str(raises(SevError, payload.key, bytearray(data))), text)


def test_tsc():
    same(payload.tsc_request(), bytes(128))
    answer = struct.pack("<IIQQI100x", 0, 0xFFFFFFFF, 1 << 32, (1 << 64) - 2, 200)
    same(payload.tsc_info(answer), (1 << 32, (1 << 64) - 2, 200))
    same(payload.tsc_info(answer).factor, 200)
    for data, text in ((answer[:127], "TSC information: answer of 127 bytes"), (struct.pack("<I", 0x15), "TSC information refused: unsupported (0x15)")):
        same(str(raises(SevError, payload.tsc_info, data)), text)


def test_vmrk():
    p = payload.vmrk_request(0x12345000, DATA[:32])
    same((len(p), p[:8], p[8:0x20], p[0x20:]), (64, bytes.fromhex("0050341200000000"), bytes(24), DATA[:32]))
    for addr, key in ((0x12345001, DATA[:32]), (0, DATA[:32]), (1 << 52, DATA[:32]), (0x1000, DATA[:31])):
        raises(ValueError, payload.vmrk_request, addr, key)
    same(payload.vmrk(bytes(16)), None)
    for data, text in ((bytes(15), "VM root key: answer of 15 bytes"), (struct.pack("<I12x", 0x16), "VM root key refused: invalid parameter (0x16)")):
        same(str(raises(SevError, payload.vmrk, data)), text)


run(globals())
