"""The emulator's reports and its identity, as others judge them: Python's cryptography, omne-attest, openssl, and our own sev/verify.py."""

import hashlib
import struct
import subprocess
import sys
import time
import warnings

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from omne_attest import snp

import pspc
import snpidentity
from judges import Judge
from pspc import INVALID_KEY, INVALID_PARAM, OK, REPORT, UNTOUCHED, Guest, der, known, report_payload

PRODUCTS = ("Milan", "Genoa", "Turin")
ID_BLOCK = {"family_id": b"F" * 16, "image_id": b"I" * 16, "id_key_digest": b"K" * 48, "author_key_digest": b"A" * 48, "guest_svn": 7,
            "author_key": True}  # fmt: skip
AMD = "1.3.6.1.4.1.3704.1."


def certificate(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # AMD's serial number 0
        return x509.load_der_x509_certificate(data)


def spki(data):
    return certificate(data).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def numbers(report):
    """-> r and s of a report."""
    assert report[0x2D0:0x2E8] == report[0x318:0x330] == bytes(24) and not any(report[0x330:])
    return [int.from_bytes(report[at : at + 48], "little") for at in (0x2A0, 0x2E8)]


def check_signature(report, signer):
    certificate(signer).public_key().verify(utils.encode_dss_signature(*numbers(report)), report[:0x2A0], ec.ECDSA(hashes.SHA384()))


def chain(product, vlek=False):
    return [der(product, name) for name in (("vlek", "asvk", "ark") if vlek else ("vcek", "ask", "ark"))]


@pytest.fixture
def judge(tmp_path, library):
    """sev/verify.py, with the roots of the identity."""
    return Judge(tmp_path / "job.json", {entry["root"]: product for product, entry in known().items()})


# ---- reports -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", (2, 3, 4, 5))
@pytest.mark.parametrize("product", PRODUCTS)
def test_fields(library, product, version):
    """Every field stands where it belongs, and all else is zero."""
    guest = Guest(library, product=product, report_version=version, policy=0x2330137, measurement=b"M" * 48, host_data=b"H" * 32, platform_info=0x67,
                  launch_mit=0b1011, current_mit=0b1111, **ID_BLOCK)
    report = bytearray(guest.report(bytes(range(64)), vmpl=2))
    entry = known()[product]
    tcb, chip = bytes.fromhex(entry["tcb"]), bytes.fromhex(entry["chip_id"])
    check_signature(bytes(report), der(product, "vcek"))
    build, minor, major = report[0x1E8:0x1EB]
    assert (major, minor) == (1, {2: 51, 3: 55, 4: 57, 5: 58}[version])
    expected = [(0, struct.pack("<IIQ", version, 7, 0x2330137)), (0x10, b"F" * 16 + b"I" * 16), (0x30, struct.pack("<II", 2, 1)), (0x38, tcb),
                (0x40, struct.pack("<QI", 0x67, 1)), (0x50, bytes(range(64))), (0x90, b"M" * 48), (0xC0, b"H" * 32), (0xE0, b"K" * 48), (0x110, b"A" * 48),
                (0x140, bytes(report[0x140:0x160])), (0x160, b"\xff" * 32), (0x180, tcb),
                (0x188, bytes(pspc.CPUS[product]) if version >= 3 else b""), (0x1A0, chip), (0x1E0, tcb), (0x1E8, bytes((build, minor, major, 0)) * 2),
                (0x1F0, tcb), (0x1F8, struct.pack("<QQ", 0b1011, 0b1111) if version >= 5 else b"")]  # fmt: skip
    whole = bytearray(0x2A0)
    for at, data in expected:
        whole[at : at + len(data)] = data
    assert bytes(whole) == bytes(report[:0x2A0])


def test_deterministic(library):
    """RFC 6979: the same report has the same signature, which another implementation makes as well; another guest has another id."""
    first, again = [Guest(library).report(b"1" * 64) for _ in range(2)]
    assert first == again
    key = load_pem_private_key((pspc.OUT / "identity" / "keys" / "vcek.pem").read_bytes(), None)
    wanted = utils.decode_dss_signature(key.sign(first[:0x2A0], ec.ECDSA(hashes.SHA384(), deterministic_signing=True)))
    assert list(wanted) == numbers(first)
    assert Guest(library, seed=2).report(b"1" * 64)[0x140:0x160] != first[0x140:0x160]


def test_tcbs(library):
    """The VCEK's is the reported one; the others are as the host's firmware came about."""
    guest = Guest(library, current_tcb=0xFF00000000000A0B, committed_tcb=0x5400000000000A0B, launch_tcb=0x5300000000000A0B)
    report = guest.report()
    assert [report[at : at + 8][::-1].hex() for at in (0x38, 0x1E0, 0x1F0)] == ["ff00000000000a0b", "5400000000000a0b", "5300000000000a0b"]
    assert report[0x180:0x188].hex() == known()["Genoa"]["tcb"]


@pytest.mark.parametrize("vlek", (False, True))
def test_key_selection(library, vlek):
    """0: the VLEK if one is loaded; 2 needs one; 3 is reserved."""
    guest = Guest(library, vlek=vlek)
    for key, used in ((0, "vlek" if vlek else "vcek"), (1, "vcek"), (2, "vlek")):
        if key == 2 and not vlek:
            assert guest.ask(REPORT, report_payload(key=2)) == struct.pack("<I28x", INVALID_KEY)
            assert guest.complaint == "the VLEK was asked for, and none is loaded"
            continue
        report = guest.report(key=key)
        assert report[0x48:0x4C] == struct.pack("<I", (used == "vlek") << 2)
        check_signature(report, der("Genoa", used))
    assert guest.ask(REPORT, report_payload(key=3)) == struct.pack("<I28x", INVALID_PARAM)
    assert guest.report()  # all of these were answers: no counter stayed behind


@pytest.mark.parametrize("vmpck, caller, least", ((0, 0, 0), (0, 2, 2), (1, 0, 1), (3, 0, 3), (3, 1, 3)))
def test_vmpl(guest, vmpck, caller, least):
    """At least the caller's, and the key's; at most 3."""
    for vmpl in (0, 1, 2, 3, 4, 0xFFFFFFFF):
        answer = guest.ask(REPORT, report_payload(vmpl=vmpl), vmpck=vmpck, vmpl=caller)
        status = OK if least <= vmpl <= 3 else INVALID_PARAM
        assert struct.unpack_from("<I", answer)[0] == status
        assert len(answer) == (0x20 if status else 0x4C0)
        assert guest.complaint == (f"VMPL {vmpl} was asked for by VMPL {least}" if status else None)


def test_masked(library):
    guest = Guest(library, mask_chip_key=True, mask_chip_id=True, vlek=True)
    report = guest.report(key=1)
    assert report[0x48:0x4C] == struct.pack("<I", 7 << 2 | 2) and not any(report[0x1A0:0x1E0]) and not any(report[0x2A0:])
    report = guest.report()
    assert report[0x48:0x4C] == struct.pack("<I", 1 << 2 | 2)
    check_signature(report, der("Genoa", "vlek"))


LAUNCHES = {"family": ({"family": 0x17}, "family 0x17, model 0x11 is no Milan, Genoa or Turin"), "model": ({"model": 0x20}, "model 0x20"),
            "version 1": ({"report_version": 1}, "report version 1"), "version 6": ({"report_version": 6}, "report version 6"),
            "policy": ({"policy": 0x10000}, "reserved bits are wrong"), "policy high": ({"policy": 1 << 26 | 0x20000}, "reserved bits are wrong"),
            "ABI": ({"policy": 0x2013B}, "wants firmware 1.59"), "ABI major": ({"policy": 0x20200}, "wants firmware 2.0"),
            "SMT": ({"policy": 0x20000}, "policy 0x20000 wants no SMT, the platform has 0x25"),
            "RAPL": ({"policy": 0x830000}, "wants RAPL off"), "hiding": ({"policy": 0x1030000}, "wants ciphertext hiding"),
            "numbers": ({"used": (0, 0, 3, 0)}, "VMPCK2: the last number used, 3")}  # fmt: skip


@pytest.mark.parametrize("name", LAUNCHES)
def test_launch_refused(library, name):
    options, words = LAUNCHES[name]
    guest = Guest(library, **options)
    assert not guest.started and words in guest.complaint
    assert guest.hand_over(bytes(4096)) == (0x10, UNTOUCHED) and guest.complaint == "there is no guest"
    library.psp_observe(bytes(4096))
    assert library.psp_certificates(None, 0) == 24  # an empty table


def test_models(library):
    """Where each product's models begin and end."""
    for family, models, product in ((0x19, (0, 0xF), "Milan"), (0x19, (0x10, 0x1F, 0xA0, 0xAF), "Genoa"), (0x1A, (0, 0x11), "Turin")):
        for model in models:
            report = Guest(library, family=family, model=model, stepping=2).report()
            assert report[0x188:0x18B] == bytes((family, model, 2)) and report[0x1A0:0x1E0].hex() == known()[product]["chip_id"]
    for family, model in ((0x19, 0x20), (0x19, 0x9F), (0x19, 0xB0), (0x1A, 0x12), (0x1B, 0), (0x18, 1)):
        assert not Guest(library, family=family, model=model).started


def test_policies(library):
    """What a policy may want and this platform has."""
    for policy, platform in ((0x20000, 0x24), (0x830000, 0x2D), (0x1030000, 0x35), (0xB0000, 0x25), (0x20138, 4), (0x2013A, 4)):
        assert Guest(library, policy=policy, platform_info=platform).report()[8:16] == struct.pack("<Q", policy)


def test_secrets_page(library):
    for product, fms in (("Milan", 0xA00F11), ("Genoa", 0xA10F11), ("Turin", 0xB00F21)):
        for report_version, version in ((2, 2), (3, 3), (4, 3), (5, 4)):
            guest = Guest(library, product=product, report_version=report_version, tsc_factor=200, launch_mit=0b1011, gosvw=b"GOSVW of a host.")
            page = bytearray(4096)
            struct.pack_into("<III4x16s", page, 0, version, 0, fms, b"GOSVW of a host.")
            page[0x20:0xA0] = b"".join(guest.keys)
            page[0x160:0x164] = struct.pack("<I", 200 if version >= 3 else 0)
            page[0x168:0x170] = struct.pack("<Q", 0b1011 if version >= 4 else 0)
            assert bytes(page) == guest.secrets
            assert len(set(guest.keys)) == 4 and bytes(32) not in guest.keys


# ---- the identity -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("vlek", (False, True))
@pytest.mark.parametrize("product", PRODUCTS)
def test_chain(library, product, vlek):
    """Names, validity, uses and signatures are AMD's; openssl takes the chain."""
    leaf, authority, root = map(certificate, chain(product, vlek))
    kind = "VLEK" if vlek else "VCEK"
    names = [c.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for c in (leaf, authority, root)]
    assert names == [f"SEV-{kind}", f"SEV-VLEK-{product}" if vlek else f"SEV-{product}", f"ARK-{product}"]
    for issued, issuer in ((leaf, authority), (authority, root), (root, root)):
        issued.verify_directly_issued_by(issuer)
        pss = issued.signature_algorithm_parameters
        assert isinstance(pss, padding.PSS) and pss._salt_length == 48 and issued.signature_hash_algorithm.name == "sha384"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert leaf.serial_number == 0
    assert leaf.public_key().curve.name == "secp384r1"
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days in (2556, 2557)
    assert authority.public_key().key_size == root.public_key().key_size == 4096
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    folder = pspc.OUT / "identity" / product.lower()
    subprocess.run(["openssl", "verify", "-CAfile", folder / "ark.pem", "-untrusted", folder / f"{'asvk' if vlek else 'ask'}.pem",
                    folder / f"{kind.lower()}.pem"], check=True, stdout=subprocess.DEVNULL)
    assert (folder / ("vlek_cert_chain.pem" if vlek else "cert_chain.pem")).read_text().count("BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize("product", PRODUCTS)
def test_extensions(library, product):
    entry = known()[product]
    chip = bytes.fromhex(entry["chip_id"])[: 8 if product == "Turin" else 64]
    parts = entry["parts"]
    numbers_ = {"3.1": parts["boot_loader"], "3.2": parts["tee"], "3.3": parts["snp"], "3.8": parts["microcode"], "3.5": 0, "3.6": 0, "3.7": 0}
    numbers_ |= {"1": 1, "3.9": parts["fmc"]} if product == "Turin" else {"1": 0, "3.4": 0}
    wanted = {number: bytes((2, 1, n)) if n < 128 else bytes((2, 2, 0, n)) for number, n in numbers_.items()}
    name = b"Milan-B0" if product == "Milan" else product.encode()
    wanted["2"] = bytes((22, len(name))) + name
    for leaf, last, content in (("vcek", "4", chip), ("vlek", "5", bytes((22, len(entry["provider"]))) + entry["provider"].encode())):
        found = {e.oid.dotted_string: e.value.value for e in certificate(der(product, leaf)).extensions}
        assert found == {AMD + number: data for number, data in {**wanted, last: content}.items()}


@pytest.mark.parametrize("product", PRODUCTS)
def test_revocation_lists(library, product):
    root = certificate(der(product, "ark"))
    for name, serials in (("crl", []), ("crl_revoked", [0x10002, 0x10003])):
        listed = x509.load_der_x509_crl(der(product, name))
        assert [entry.serial_number for entry in listed] == serials and listed.issuer == root.subject
        root.public_key().verify(listed.signature, listed.tbs_certlist_bytes, padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())
    assert hashlib.sha256(spki(der(product, "ark"))).hexdigest() == known()[product]["root"]


def test_made_once(library, tmp_path):
    """A second run keeps the keys: roots that people trust stay."""
    kept = pspc.OUT / "identity" / "keys"
    (tmp_path / "keys").mkdir()
    for key in kept.iterdir():
        (tmp_path / "keys" / key.name).write_bytes(key.read_bytes())
    snpidentity.main(tmp_path)
    for product in PRODUCTS:
        for name in ("ark", "vcek"):
            assert spki((tmp_path / product.lower() / f"{name}.der").read_bytes()) == spki(der(product, name))


def test_openssl_fails(library, tmp_path):
    """One line says why: no openssl, a key that is none."""
    tool = [sys.executable, pspc.ROOT / "tools" / "snpidentity.py", tmp_path]
    done = subprocess.run(tool, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "snpidentity: there is no program openssl\n")
    for key in (pspc.OUT / "identity" / "keys").iterdir():
        (tmp_path / "keys" / key.name).write_text("no key\n")
    done = subprocess.run(tool, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("snpidentity: openssl pkey failed: Could not read key")


# ---- judges -------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("vlek", (False, True))
@pytest.mark.parametrize("version", (2, 3, 5))
@pytest.mark.parametrize("product", PRODUCTS)
def test_our_verifier(library, judge, product, version, vlek):
    guest = Guest(library, product=product, report_version=version, vlek=vlek, measurement=b"M" * 48)
    report = guest.report(b"n" * 64)
    crls = [der(product, "crl")]
    policy = f"measurement = {(b'M' * 48).hex()}\nreport_data = {(b'n' * 64).hex()}"
    line, checks = judge.one(report, chain(product, vlek), policy, int(time.time()), crls)
    assert line == "Verification succeeded", checks
    line, checks = judge.one(report, chain(product, vlek), policy, int(time.time()), [der(product, "crl_revoked")])
    assert line.startswith("Verification error, revocation"), line


def fails(report, certificates, root, policy):
    """Does omne-attest refuse it?"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # AMD's serial number 0
        try:
            snp.verify(report, *certificates, root, policy)
        except snp.Fail as e:
            return str(e) or True
    return False


@pytest.mark.parametrize("product, version", (("Milan", 2), ("Milan", 3), ("Genoa", 3), ("Genoa", 5)))
def test_omne_attest(library, product, version):
    """Not for a Turin: it knows neither its chip ids nor its TCBs."""
    guest = Guest(library, product=product, report_version=version, measurement=b"M" * 48)
    report, certificates = guest.report(b"n" * 64), chain(product)
    root, policy = hashlib.sha256(certificates[2]).digest(), snp.Policy(measurement=b"M" * 48)
    assert not fails(report, certificates, root, policy)
    assert fails(report, certificates, hashlib.sha256(b"another").digest(), policy)
    assert fails(report, certificates, root, snp.Policy(measurement=b"N" * 48))
    other = chain("Genoa" if product == "Milan" else "Milan")
    assert fails(report, other, hashlib.sha256(other[2]).digest(), policy)


def test_faults_are_seen(library, judge):
    """Reports that are wrong on request fail exactly where they should, in both judges."""
    guest, certificates = Guest(library, measurement=b"M" * 48), chain("Genoa")
    root, theirs = hashlib.sha256(certificates[2]).digest(), snp.Policy(measurement=b"M" * 48)
    ours = f"report_data = {bytes(64).hex()}\nvmpl = 0\nmeasurement = {(b'M' * 48).hex()}"
    for fault, check in (("bad-signature", "signature"), ("other-data", "report data"), ("other-vmpl", "VMPL"), ("other-chip", "hardware id"),
                         ("other-tcb", "certificate's TCB")):  # fmt: skip
        guest.fault(fault)
        bad = guest.report()
        if fault != "bad-signature":
            check_signature(bad, der("Genoa", "vcek"))
        else:
            with pytest.raises(InvalidSignature):
                check_signature(bad, der("Genoa", "vcek"))
        _, checks = judge.one(bad, certificates, ours, int(time.time()))
        assert "failed" in checks[check][0], (fault, checks)
        if fault not in ("other-data", "other-vmpl"):
            assert fails(bad, certificates, root, theirs), fault
        assert not fails(guest.report(), certificates, root, theirs), f"after {fault}"
