"""AMD's own: a report of a real Milan with its certificates, and the authorities of all products.

The package omne-attest carries the first, libertai-confidential-inference the second, as text within its library; both are pinned in
tests/requirements.txt. No package has a real report of a Genoa or a Turin: who has one gives a folder for each, with report.bin and
vcek.der, in a folder that SNP_REPORTS names.
"""

import base64
import hashlib
import importlib.metadata
import os
import pathlib
import re

import omne_attest
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import identity

pytestmark = pytest.mark.xdist_group("sev")

VECTORS = pathlib.Path(omne_attest.__file__).parent / "vectors"
REPORT = (VECTORS / "attestation.bin").read_bytes()
CHAIN = [(VECTORS / f"{name}.der").read_bytes() for name in ("kds_vcek", "milan_ask", "milan_ark")]
MAY_DEBUG = "allow_debug = yes\n"  # that guest's policy has it
ROOTS = {  # SHA-256 of the certificates
    "Milan": ("69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd", "67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b"),
    "Genoa": ("4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1", "5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521"),
    "Turin": ("1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a", "5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185"),
}  # fmt: skip


@pytest.fixture(scope="module")
def authorities():
    """Return {SHA-256: certificate in DER} of all in the second package."""
    files = importlib.metadata.files("libertai-confidential-inference")
    library = next(f for f in files if f.suffix == ".so").locate().read_bytes()
    found = re.findall(rb"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----", library)
    return {hashlib.sha256(der).hexdigest(): der for der in map(base64.b64decode, found)}


def test_milan(amd):
    line, checks = amd.one(REPORT, CHAIN, MAY_DEBUG + f"""
report_data = {"0102030405" + "00" * 59}
measurement = b07af9620f3b839b47996422ddec6058338951d984e312115131ea82705eaf5b6bdf8a9ece31a5a608eb0cf2e4872b01
vmpl = 0
tcb = boot_loader 2, tee 0, snp 5, microcode 68
product = Milan
""")
    assert line == "Verification succeeded, not checked: revocation", checks
    assert checks["chain"][1] == "SEV-VCEK < SEV-Milan < ARK-Milan" and checks["hardware id"][1].startswith("3ac3fe21e13fb099")


def test_milan_refused(amd):
    assert amd.one(REPORT, CHAIN)[0] == "Verification error, debug (allowed)"
    assert amd.one(REPORT, CHAIN[:2], MAY_DEBUG)[0] == "Verification error, chain (no certificate of ARK-Milan)"
    assert amd.one(REPORT, CHAIN, MAY_DEBUG, 2200000000)[0].startswith("Verification error, validity (SEV-VCEK")
    assert amd.one(REPORT, CHAIN, MAY_DEBUG + "tcb = snp 6")[0] == "Verification error, minimum TCB (snp 5 below 6)"


def test_milan_one_bit(amd):
    """In every fifth byte of the report, and some of the certificates."""
    count, passed = amd.flips(REPORT, CHAIN, [5, 29, 101, 101], MAY_DEBUG)
    assert passed == [] and count > 300


def real_reports():
    folder = os.environ.get("SNP_REPORTS")
    return sorted(path.parent for path in pathlib.Path(folder).glob("*/report.bin")) if folder else []


def test_others_reports(amd, authorities):
    """As they are each is judged right, and wrong with one bit changed."""
    folders = real_reports()
    if not folders:
        pytest.skip("SNP_REPORTS names no folder of real reports")
    for folder in folders:
        report, vcek = (folder / "report.bin").read_bytes(), (folder / "vcek.der").read_bytes()
        line, checks = amd.one(report, [vcek, *authorities.values()], MAY_DEBUG)
        assert line.startswith("Verification succeeded"), (folder.name, checks)
        product = checks["product"][1].rpartition(" ")[2]
        chain = [vcek, *(authorities[digest] for digest in reversed(ROOTS[product]))]
        count, passed = amd.flips(report, chain, [5, 29, 101, 101], MAY_DEBUG)
        assert passed == [] and count > 300, folder.name


def test_a_test_root_is_none_of_amds(amd):
    line, _ = amd.one(identity.report(), identity.chain())
    assert line.startswith("Verification error, root (ARK-Milan, key ")


def test_authorities(amd, authorities):
    """Every ASK and ARK is read; each ARK is the pinned one and signs itself and its ASK, and nothing else."""
    for product, digests in ROOTS.items():
        rows = amd.read([authorities[digest] for digest in digests] + [authorities[d] for other in ROOTS for d in ROOTS[other] if other != product])
        assert rows[0] == [f"ARK-{product}", product, True, None, [True] + [False] * 5]
        assert rows[1] == [f"SEV-{product}", None, True, 0, [True] + [False] * 5]


def test_others_agree(authorities):
    """cryptography finds the same keys under them."""
    from_package = {hashlib.sha256(key(authorities[ark])).hexdigest(): product for product, (ark, _) in ROOTS.items()}
    pinned = re.findall(r'"([0-9a-f]{64})": "(\w+)"', (pathlib.Path(__file__).parents[2] / "sev" / "certs.py").read_text())
    assert from_package == dict(pinned)


def key(der):
    return x509.load_der_x509_certificate(der).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
