"""sev/verify.py with keys made here: what passes, what each check is for, and one bit anywhere.

Python's cryptography signed all of it; cryptography and the package omne-attest are asked as well.
"""

import datetime
import hashlib
import itertools
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from omne_attest import snp

import identity
from identity import ark, ask, chain, crl, dermake, leaf, report, snpreport, turin

pytestmark = pytest.mark.xdist_group("sev")

FULL = f"""
report_data = {bytes(range(64)).hex()}
measurement = {"00" * 48}, {(b"M" * 48).hex()}
host_data = {(b"H" * 32).hex()}
family_id = {(b"F" * 16).hex()}
image_id = {(b"I" * 16).hex()}
id_key_digest = {(b"K" * 48).hex()}
author_key_digest = {(b"A" * 48).hex()}
chip_id = {snpreport.CHIP.hex()}
vmpl = 1
guest_svn = 7
tcb = boot_loader 4, tee 1, snp 24, microcode 219
product = Milan
"""
GENOA = {"cpu": bytes((0x19, 0x11, 1))}


def test_everything_asked_for(judge):
    line, checks = judge().one(report(), chain(), FULL, crls=[crl()])
    assert line == "Verification succeeded", checks
    assert {verdict for verdict, _ in checks.values()} == {"ok"}
    assert list(checks)[:8] == ["format", "chain", "root", "product", "validity", "revocation", "signature", "certificate's TCB"]
    assert checks["chain"][1] == "SEV-VCEK < SEV-Milan < ARK-Milan" and checks["root"][1] == f"ARK-Milan, key {identity.pin()}"


@pytest.mark.parametrize("product, data, vlek", [
    ("Milan", report, False), ("Milan", lambda: report(version=2), False), ("Milan", lambda: report(version=4), False),
    ("Milan", lambda: report(version=5), False), ("Genoa", lambda: report(**GENOA), False), ("Genoa", lambda: report(version=2), False),
    ("Turin", turin, False), ("Turin", lambda: turin(version=2, mitigations=(0, 0), cpu=bytes(3)), False), ("Milan", lambda: report(key_info=4), True),
    ("Genoa", lambda: report(key_info=4, **GENOA), True), ("Milan", lambda: report(vmpl=3), False),
])  # fmt: skip
def test_accepted(judge, product, data, vlek):
    line, checks = judge(product).one(data(), chain(product, vlek))
    assert line == "Verification succeeded, not checked: revocation, report data, measurement", checks
    assert ("provider" in checks) == vlek and ("hardware id" in checks) != vlek


def test_any_order(judge):
    """And among what is no certificate, or another's."""
    others = [b"", b"0", chain()[0][:-1], leaf(key="other"), ask(vlek=True), ark("Genoa"), leaf(vlek=True)]
    results = judge().cases(*((report(), list(order), FULL) for order in itertools.permutations(chain())),
                            (report(), others + chain(), FULL), (report(), chain()[::-1] + others, FULL))
    assert [r["line"] for r in results] == ["Verification succeeded, not checked: revocation"] * 8, results


def swapped(at, certificate):
    return [certificate if i == at else c for i, c in enumerate(chain())]


def tcb(**parts):
    return dermake.milan(**parts)


NAME = dermake.name
CASES = {  # name: (report, certificates, policy, checks that fail)
    "none": (report, lambda: [], "", "chain: no certificate of SEV-VCEK"),
    "only junk": (report, lambda: [b"junk"], "", "chain: no certificate of SEV-VCEK (DER has tag"),
    "no leaf": (report, lambda: chain()[1:], "", "chain: no certificate of SEV-VCEK"),
    "no ASK": (report, lambda: chain()[::2], "", "chain: no certificate of SEV-Milan"),
    "no ARK": (report, lambda: chain()[:2], "", "chain: no certificate of ARK-Milan"),
    "too many": (report, lambda: chain() * 6, "", "chain: more than 16 certificates"),
    "signed by another ASK": (report, lambda: swapped(0, leaf(by="ark")), "", "chain: SEV-VCEK is not signed by SEV-Milan"),
    "ASK by another ARK": (report, lambda: swapped(1, ask(by="other")), "", "chain: SEV-Milan is not signed by ARK-Milan"),
    "ASK that may not": (report, lambda: swapped(1, ask(extensions=())), "", "chain: no certificate of SEV-Milan"),
    "ARK that may not": (report, lambda: swapped(2, ark(extensions=())), "", "chain: no certificate of ARK-Milan"),
    "ASK of another use": (report, lambda: swapped(1, ask(extensions=(dermake.ASK[0], dermake.extension("2.5.29.15", dermake.bits(b"\x80", 7))))), "",
                           "chain: no certificate of SEV-Milan"),
    "leaf as authority": (report, lambda: [leaf(), leaf(issuer=NAME("ARK-Milan"), by="ark"), ark()], "", "chain: no certificate of SEV-Milan"),
    "another root": (report, lambda: [leaf(), ask(by="other"), ark(key="other")], "", "root: ARK-Milan, key"),
    "root not by itself": (report, lambda: swapped(2, ark(by="other")), "", "root: ARK-Milan, key"),
    "root of another issuer": (report, lambda: swapped(2, ark(issuer=NAME("ARK-Genoa"))), "", "root: ARK-Milan, key"),
    "root with no room": (report, lambda: swapped(2, ark(extensions=dermake.ASK)), "", "root: ARK-Milan, key"),
    "root of another product": (lambda: report(**GENOA), lambda: chain("Genoa"), "", "product: report Genoa, certificate Genoa, root Milan"),
    "report of another product": (lambda: report(**GENOA), chain, "", "product: report Genoa, certificate Milan, root Milan"),
    "report of no product": (lambda: report(cpu=b"\x19\x77\1"), chain, "", "product: report unknown, certificate Milan, root Milan"),
    "certificate of another": (report, lambda: swapped(0, leaf(extensions=tcb(name=b"Genoa"))), "", "product: report Milan, certificate Genoa, root Milan"),
    "ASK of VLEKs": (report, lambda: [leaf(issuer=NAME("SEV-VLEK-Milan")), ask(vlek=True), ark()], "", "product: report Milan, certificate Milan, root Milan"),
    "extension missing": (report, lambda: swapped(0, leaf(extensions=tcb()[1:])), "", "chain: certificate lacks AMD's extension 1"),
    "leaf out of date": (report, lambda: swapped(0, leaf(validity=dermake.sequence(*[dermake.value(23, b"250115212154Z")] * 2))), "", "validity: SEV-VCEK"),
    "ASK not yet": (report, lambda: swapped(1, ask(validity=dermake.sequence(*[dermake.value(23, b"350115212154Z")] * 2))), "", "validity: SEV-Milan"),
    "not signed": (lambda: report(key_info=28), chain, "", "chain: the report is not signed"),
    "signed by another chip": (lambda: report(key="other"), chain, "", "signature: SEV-VCEK"),
    "no signature": (lambda: snpreport.make(r=bytes(48), s=bytes(48)), chain, "", "signature: SEV-VCEK"),
    "signature of another": (lambda: report()[:0x50] + b"x" + report()[0x51:], chain, "", "signature: SEV-VCEK"),
    "numbers swapped": (lambda: (d := report())[:0x2A0] + d[0x2E8:0x330] + d[0x2A0:0x2E8] + d[0x330:], chain, "", "signature: SEV-VCEK"),
    "VLEK asked for": (lambda: report(key_info=4), chain, "", "chain: no certificate of SEV-VLEK"),
    "VCEK asked for": (report, lambda: chain(vlek=True), "", "chain: no certificate of SEV-VCEK"),
    "older TCB in certificate": (report, lambda: swapped(0, leaf(extensions=tcb(snp=23))), "", "certificate's TCB: certificate: boot_loader 4, tee 1, snp 23"),
    "newer TCB in certificate": (report, lambda: swapped(0, leaf(extensions=tcb(microcode=220))), "", "certificate's TCB: certificate: boot_loader 4"),
    "another chip": (lambda: report(chip_id=bytes(range(2, 66))), chain, "", "hardware id: 02030405"),
    "reported above current": (lambda: report(tcb=bytes((4, 1, 0, 0, 0, 0, 23, 219)), reported=snpreport.MILAN_TCB), chain, "", "current TCB: snp 23 below 24"),
    "committed above current": (lambda: report(committed=bytes((5, 1, 0, 0, 0, 0, 24, 219))), chain, "", "current TCB: boot_loader 4 below 5"),
    "launched above current": (lambda: report(launch=bytes((4, 1, 0, 0, 0, 0, 24, 220))), chain, "", "current TCB: microcode 219 below 220"),
    "debug": (lambda: report(policy=0xB0000), chain, "", "debug: allowed"),
    "migration": (lambda: report(policy=0x70000), chain, "", "migration: allowed"),
    "SMT": (report, chain, "allow_smt = no", "SMT"),
    "VMPL": (report, chain, "vmpl = 0", "VMPL: 1"),
    "VMPL of the host": (lambda: report(vmpl=0xFFFFFFFF), chain, "", "VMPL: by the host"),
    "report data": (report, chain, f"report_data = {bytes(64).hex()}", "report data: 00010203"),
    "measurement": (report, chain, f"measurement = {bytes(48).hex()}", "measurement: 4d4d4d"),
    "host data": (report, chain, f"host_data = {bytes(32).hex()}", "host data: 484848"),
    "family id": (report, chain, f"family_id = {bytes(16).hex()}", "family id: 464646"),
    "image id": (report, chain, f"image_id = {bytes(16).hex()}", "image id: 494949"),
    "id key": (report, chain, f"id_key_digest = {bytes(48).hex()}", "id key digest: 4b4b4b"),
    "author key": (report, chain, f"author_key_digest = {bytes(48).hex()}", "author key digest: 414141"),
    "chip id": (report, chain, f"chip_id = {bytes(64).hex()}", "chip id: 010203"),
    "guest SVN": (report, chain, "guest_svn = 8", "guest SVN: 7"),
    "least TCB": (report, chain, "tcb = boot_loader 0, snp 25", "minimum TCB: snp 24 below 25"),
    "a part it has not": (report, chain, "tcb = fmc 0", "minimum TCB: fmc missing"),
    "accepted product": (report, chain, "product = Genoa, Turin", "accepted product: Milan"),
    "accepted provider": (lambda: report(key_info=4), lambda: chain(vlek=True), "provider = Other", "accepted provider: Some Cloud"),
    "provider of a VCEK": (report, chain, "provider = Some Cloud", "accepted provider: none"),
    "format": (lambda: report()[:-1], chain, "", "format: report has 1183 bytes, not 1184"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refused(judge, name):
    """One thing wrong fails its own check, and no other."""
    data, certificates, policy, expected = CASES[name]
    line, checks = judge().one(data(), certificates(), policy)
    failed = {check: detail for check, (verdict, detail) in checks.items() if verdict == "failed"}
    check, _, detail = expected.partition(": ")
    assert list(failed) == [check] and failed[check].startswith(detail), (line, checks)
    assert line.startswith("Verification error, " + check)


def test_not_checked(judge):
    """No clock, and a chip that hides its id, are said."""
    line, checks = judge().one(report(chip_id=bytes(64)), chain(), FULL.replace(snpreport.CHIP.hex(), bytes(64).hex()), None)
    assert line == "Verification succeeded, not checked: validity, revocation, hardware id", checks
    line, _ = judge().one(report(policy=0xB0000), chain(), "allow_debug = yes")
    assert line.startswith("Verification succeeded")


OLD = dermake.value(23, b"250101000000Z") + dermake.value(23, b"260101000000Z")
REVOKED = {  # name: (lists, verdict, detail)
    "none": (lambda: [], "not checked", "no list of the root's"),
    "nothing in it": (crl, "ok", ""),
    "others": (lambda: crl(0x10001, 0x10003, 0, 2), "ok", ""),
    "the ASK": (lambda: crl(5, 0x10002), "failed", "SEV-Milan"),
    "the ASK, in the second": (lambda: [crl(), crl(0x10002)], "failed", "SEV-Milan"),
    "the ASK, in an old one": (lambda: crl(0x10002, dates=OLD), "failed", "SEV-Milan"),
    "an old one": (lambda: crl(dates=OLD), "not checked", "the root's list is out of date"),
    "an old one and a new one": (lambda: [crl(dates=OLD), crl()], "ok", ""),
    "a new one and an old one": (lambda: [crl(), crl(dates=OLD)], "ok", ""),
    "signed by another": (lambda: crl(0x10002, by="other"), "not checked", "no list of the root's"),
    "another's": (lambda: crl(0x10002, issuer=NAME("ARK-Genoa")), "not checked", "no list of the root's"),
    "changed": (lambda: crl(0x10002).replace(dermake.integer(0x10002), dermake.integer(0x10009)), "not checked", "no list of the root's"),
    "junk": (lambda: b"junk", "not checked", "DER has tag 0x6a in place of 0x30"),
}  # fmt: skip


@pytest.mark.parametrize("name", REVOKED)
def test_revocation(judge, name):
    lists, *expected = REVOKED[name]
    lists = lists()
    line, checks = judge().one(report(), chain(), FULL, crls=[lists] if isinstance(lists, bytes) else lists)
    assert checks["revocation"] == tuple(expected)
    assert line == {"ok": "Verification succeeded", "not checked": "Verification succeeded, not checked: revocation",
                    "failed": "Verification error, revocation (SEV-Milan)"}[expected[0]]


def test_cryptographys_own_list(judge):
    """And one that nobody here wrote."""
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    for serial, verdict in ((0x10002, "failed"), (0x10003, "ok")):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(start)
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False).build()
        made = x509.CertificateRevocationListBuilder().issuer_name(x509.load_der_x509_certificate(ark()).subject).last_update(start)
        made = made.next_update(start + datetime.timedelta(days=365)).add_revoked_certificate(entry)
        made = made.add_extension(x509.CRLNumber(7), critical=False)
        pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
        signed = made.sign(identity.rsa_key("ark"), hashes.SHA384(), rsa_padding=pss)
        _, checks = judge().one(report(), chain(), FULL, crls=[signed.public_bytes(Encoding.DER)])
        assert checks["revocation"][0] == verdict, checks


def test_one_bit(judge):
    """In every byte of the report, and every third of its certificate, and some of the authorities'."""
    count, passed = judge().flips(report(), chain(), [1, 3, 23, 23], FULL)
    assert passed == [] and count > 1184 + 430 + 130


def test_others_agree():
    """cryptography reads our certificates as they were meant; omne-attest takes and refuses what we take and refuse."""
    certificates = [x509.load_der_x509_certificate(ark()), x509.load_der_x509_certificate(ask())]
    certificates[1].verify_directly_issued_by(certificates[0])
    assert certificates[0].subject.rfc4514_string().startswith("CN=ARK-Milan")
    assert certificates[1].extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


OMNE = {  # report, its certificates, may it pass
    "good": (lambda: report(vmpl=0), chain, True),
    "version 2": (lambda: report(vmpl=0, version=2), chain, True),
    "another signature": (lambda: report(key="other", vmpl=0), chain, False),
    "another chip": (lambda: report(vmpl=0, chip_id=bytes(range(2, 66))), chain, False),
    "another TCB": (lambda: report(vmpl=0), lambda: swapped(0, leaf(extensions=tcb(snp=23))), False),
    "another ASK": (lambda: report(vmpl=0), lambda: swapped(0, leaf(by="ark")), False),
    "another root": (lambda: report(vmpl=0), lambda: [leaf(), ask(by="other"), ark(key="other")], False),
    "debug": (lambda: report(vmpl=0, policy=0xB0000), chain, False),
}


@pytest.mark.parametrize("name", OMNE)
def test_omne_attest_agrees(judge, name):
    data, certificates, good = OMNE[name]
    data, certificates = data(), certificates()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # AMD's serial number 0
        try:
            snp.verify(data, *certificates, hashlib.sha256(chain()[2]).digest(), snp.Policy(measurement=b"M" * 48))
            theirs = True
        except snp.Fail as e:
            print(e)
            theirs = False
    line, _ = judge().one(data, certificates, f"vmpl = 0\nmeasurement = {(b'M' * 48).hex()}")
    assert (theirs, line.startswith("Verification succeeded")) == (good, good), line
