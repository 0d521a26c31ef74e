"""sev/report_text.py: what `sev-report` shows, label by label, and JSON."""

import json

from check import run, same
from sev import report, report_text
from shell.table import table
from snpreport import make, turin

SHOWN = """\
Version ............: 5
VMPL ...............: 1
SignatureAlgo ......: 1
CurrentTCB .........: 4700000005020103
Measurement ........: 4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d
ReportedTCB ........: 4700000005020102
CommittedTCB .......: 4700000005020101
Launch  Mitigations : 0xb
Current Mitigations : 0x3
SignatureR .........: 6465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f90919293
SignatureS .........: 969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5
"""


def test_shown():
    got = report.parse(turin(reported=bytes((2, 1, 2, 5, 0, 0, 0, 71)), committed=bytes((1, 1, 2, 5, 0, 0, 0, 71))))
    same(table(report_text.rows(got), 20), SHOWN)


def test_shown_of_old_ones():
    lines = table(report_text.rows(report.parse(make(version=2))), 20).split("\n")
    same(lines[0], "Version ............: 2")
    same(lines[3], "CurrentTCB .........: db18000000000104")
    same(lines[7:9], ["Launch  Mitigations : not reported", "Current Mitigations : not reported"])


def test_details():
    rows = dict(report_text.detail_rows(report.parse(make(policy=0xA0137, platform=0x61, key_info=7))))
    same(rows["Product"], "Milan (family 0x19, model 0x1, stepping 1)")
    same(rows["Policy"], "0xa0137 (ABI 1.55, debug allowed)")
    same(rows["Platform"], "0x61 (SMT, alias check complete, unknown 0x40)")
    same((rows["Signing key"], rows["Author key"], rows["Guest SVN"]), ("VLEK", "yes", "7"))
    same(rows["Firmware"], "1.55.29, committed 1.54.28")
    same(rows["Reported TCB"], "boot_loader 4, tee 1, snp 24, microcode 219")
    same(rows["Chip ID"][:8], "01020304")
    rows = dict(report_text.detail_rows(report.parse(make(version=2, policy=0x20000, platform=0, key_info=28))))
    same((rows["Product"], rows["Policy"], rows["Platform"], rows["Signing key"]), ("not stated", "0x20000 (ABI 0.0, none)", "0x0 (none)", "none"))
    rows = dict(report_text.detail_rows(report.parse(turin(cpu=b"\x1a\x50\0"))))
    same(rows["Product"], "unknown (family 0x1a, model 0x50, stepping 0)")


def test_every_field_is_somewhere():
    """No field is left out of the two lists, nor of JSON."""
    got = report.parse(turin())
    text = "".join([value for _, value in report_text.rows(got) + report_text.detail_rows(got)])
    for name, _, _ in report.BYTES:
        assert getattr(got, name).hex() in text, name
    said = report_text.as_dict(got)
    for name, _, _ in report.BYTES:
        same(said[name], getattr(got, name).hex())
    for name in ("version", "guest_svn", "vmpl", "signature_algo", "author_key_en", "mask_chip_key", "product"):
        same(said[name], getattr(got, name))


def test_json():
    said = json.loads(json.dumps(report_text.as_dict(report.parse(turin(mitigations=((1 << 64) - 1, 0))))))
    same(said["current_tcb"], {"fmc": 3, "boot_loader": 1, "tee": 2, "snp": 5, "microcode": 71})
    same((said["policy"], said["policy_flags"]), ("0x30137", ["SMT allowed"]))
    same((said["platform_info"], said["platform_flags"]), ("0x25", ["SMT", "ECC", "alias check complete"]))
    same((said["launch_mitigations"], said["current_mitigations"]), ("0xffffffffffffffff", "0x0"))
    same((said["signing_key"], said["current_version"], said["committed_version"]), ("VCEK", "1.55.29", "1.54.28"))
    same(said["cpu"], {"family": 26, "model": 2, "stepping": 1})
    same(said["signature"]["r"][:4], "9392")
    said = json.loads(json.dumps(report_text.as_dict(report.parse(make(version=2)))))
    same((said["cpu"], said["product"], said["launch_mitigations"]), (None, None, None))


run(globals())
