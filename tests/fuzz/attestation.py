# Fuzz what judges attestation: reports, certificates, revocations, the host's table, PEM, policies, and the judgment itself.
#
#     MICROPYPATH=tests/fakes:.:.frozen:tools micropython tests/fuzz/attestation.py SEED OPERATIONS [REPORT CERTIFICATE...]
#
# Whatever comes in: ValueError with one line, or a value whose parts have their sizes; no other exception. The files are a real
# report and its chain: damaged, they are never judged to be true. Without them that part is left out. Prints the seed that fails.
import random
import struct
import sys
import time

sys.path.pop(0)  # this folder

import crypto
import dermake
import snpreport
from sev import certs, pem, policy, report, report_text, tcb, verify
from sev.crl import RevocationList
from sev.vcek import Endorsement
from sev.x509 import Certificate

LIMIT_MS = 3000  # for one input, on a busy host
RSA = dermake.rsa_key(b"\xc1" + bytes(510) + b"\1")
P384 = dermake.p384_key(crypto.ec_public(384, bytes(47) + b"\5"))
MAY_ALL = policy.Policy(allow_debug=True, allow_migration=True)
POLICY = b"measurement = %s\nvmpl = 1\ntcb = snp 4, tee 0\nproduct = Milan\nallow_smt = no\nguest_svn = 77\nprovider = x\n# end\n" % (b"4d" * 48)


def damaged(data, most=6):
    """-> data with some bytes changed, put in, left out, or written twice."""
    data = bytearray(data)
    for _ in range(random.randrange(most) if random.randrange(8) else 0):
        at = random.randrange(len(data) + 1)
        kind = random.randrange(8)
        if kind < 3 and at < len(data):
            data[at] ^= 1 << random.randrange(8)
        elif kind == 3 and at < len(data):
            data[at] = random.choice((0, 1, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0xFF, 0x30, 2, random.getrandbits(8)))
        elif kind == 4:
            data = data[:at] + bytes((random.getrandbits(8),)) + data[at:]
        elif kind == 5:
            data = data[:at] + data[at + random.randrange(1, 5) :]
        elif kind == 6:
            end = at + random.randrange(64)
            data = data[:end] + data[at:]
        elif kind == 7 and random.randrange(4) == 0:
            data = data[:at]
    return bytes(data)


def a_report():
    fields = {"version": random.choice((2, 3, 4, 5, 5, random.getrandbits(3))), "key_info": random.choice((0, 4, 28, random.getrandbits(5)))}
    data = random.choice((snpreport.make, snpreport.turin))(**fields)
    try:
        got = report.parse(damaged(data, 4))
    except ValueError as e:
        return said(e)
    assert len(got.raw) == 1184 and len(got.r) == len(got.s) == 48 and len(got.signed()) == 0x2A0
    assert got.vmpl <= 3 or got.vmpl == report.HOST_VMPL
    for name, _ in report.TCBS:
        assert len(getattr(got, name)) in (4, 5) and tcb.text(getattr(got, name))
    assert all([isinstance(value, str) for _, value in report_text.rows(got) + report_text.detail_rows(got)])
    report_text.as_dict(got)


def structure(depth=0):
    """-> DER of a random form, sound or not."""
    kind = random.randrange(12)
    if kind < 4 and depth < 12:
        body = b"".join([structure(depth + 1) for _ in range(random.randrange(4))])
        return dermake.value(random.choice((0x30, 0x31, 0xA0, 0xA1, 0xA2, 0xA3)), body)
    content = bytes([random.getrandbits(8) for _ in range(random.randrange(6))])
    return dermake.value(random.choice((1, 2, 3, 4, 5, 6, 12, 19, 22, 23, 24, random.getrandbits(8))), content)


def certificate():
    """-> a certificate in which a part may be another."""
    subject, extensions = random.choice((("SEV-VCEK", dermake.milan()), ("SEV-VCEK", dermake.turin()), ("SEV-VLEK", dermake.milan(last=("5", dermake.value(22, b"x")))),
                                         ("ARK-Milan", dermake.CA), ("SEV-Milan", dermake.ASK)))  # fmt: skip
    changes = {"extensions": extensions}
    if random.randrange(3) == 0:
        part = random.choice(("version", "serial", "algorithm", "issuer", "validity", "extra", "outer_algorithm", "extensions"))
        changes[part] = (structure(), structure()) if part == "extensions" else structure()
    return dermake.certificate(subject, random.choice((P384, RSA)) if random.randrange(8) else structure(), **changes)


def a_certificate():
    try:
        got = Certificate(damaged(certificate()))
        Endorsement(got)
    except ValueError as e:
        return said(e)
    assert got.not_before >= 0 and got.not_after >= 0 and len(got.raw) <= 8192
    assert (got._rsa is None) != (got._point is None) and not got.signed_by(got)


def a_list():
    changes = {random.choice(("version", "algorithm", "issuer", "dates", "extra", "outer_algorithm")): structure()} if random.randrange(3) == 0 else {}
    try:
        got = RevocationList(damaged(dermake.crl([dermake.integer(random.getrandbits(20)) for _ in range(random.randrange(8))], **changes)))
    except ValueError as e:
        return said(e)
    assert got.this_update >= 0 and all([isinstance(serial, bytes) for serial in got.serials])


def a_table():
    contents = [random.choice((certificate(), b"0", b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")) for _ in range(random.randrange(4))]
    head, body, at = b"", b"", 24 * (len(contents) + 1)
    for content in contents:
        guid = random.choice((bytes((0x63, 0xDA, 0x75, 0x8D, 0xE6, 0x64, 0x45, 0x64, 0xAD, 0xC5, 0xF4, 0xB9, 0x3B, 0xE8, 0xAC, 0xCD)),
                              bytes((0x4A, 0xB7, 0xB3, 0x79, 0xBB, 0xAC, 0x4F, 0xE4, 0xA0, 0x2F, 0x05, 0xAE, 0xF3, 0x27, 0xC7, 0x82)),
                              bytes([random.getrandbits(8) for _ in range(16)])))  # fmt: skip
        place = at + len(body) if random.randrange(8) else random.getrandbits(30)
        head += guid + struct.pack("<II", place, len(content) if random.randrange(8) else random.getrandbits(30))
        body += content
    data = damaged(head + bytes(24) + body)
    try:
        found = certs.table(data)
        assert len(found) <= 16 and all([len(guid) == 36 and 0 < len(content) <= len(data) for guid, content in found])
        certs.from_table(data)
    except ValueError as e:
        said(e)


PEM = b"-----BEGIN CERTIFICATE-----\nTWljcm9QeXRob24=\n-----END CERTIFICATE-----\n"


def a_text():
    data = damaged(PEM * random.randrange(4) + b"# rest\n")
    try:
        assert all([isinstance(one, bytes) for one in certs.load(data)])
    except ValueError as e:
        said(e)
    try:
        policy.parse("".join([chr(b) for b in damaged(POLICY)]))
    except ValueError as e:
        said(e)


def a_judgment(real):
    """One of the files is damaged, or more of them; policy and time are such that the others would pass."""
    which = random.randrange(len(real))
    files = [damaged(data, 4) if i == which or random.randrange(8) == 0 else data for i, data in enumerate(real)]
    result = verify.verify(files[0], files[1:], MAY_ALL, 1793500000)
    assert result.checks and all([len(check) == 3 for check in result.checks])
    assert result.ok == (files == real), (result.checks, which)
    assert "\n" not in result.line() and result.line().startswith("Verification succeeded" if result.ok else "Verification error, ")


def said(error):
    """A reason is one line of text that a terminal can show."""
    text = str(error)
    assert text and len(text) < 400 and all([" " <= c < "\x7f" for c in text]), text


def main(seed, operations, *files):
    real = []
    for path in files:
        with open(path, "rb") as f:
            real.append(f.read())
    kinds = (a_report, a_certificate, a_list, a_certificate, a_table, a_text)
    for i in range(operations):
        random.seed(seed + i)
        start = time.ticks_ms()
        try:
            if real and i % 16 == 0:
                a_judgment(real)
            else:
                kinds[i % len(kinds)]()
            assert time.ticks_diff(time.ticks_ms(), start) < LIMIT_MS, "too slow"
        except BaseException:
            print("seed %d, operation %d" % (seed + i, i))
            raise
    print("%d inputs" % operations)


main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
