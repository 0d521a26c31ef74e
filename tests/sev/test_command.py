"""`sev-report verify` as a whole: the chain from the host's table, from files, from a server; a root of one's own; what fails."""

import base64
import json
import os
import pathlib
import struct
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography import x509

import identity
import qemu
from identity import ark, ask, crl, leaf

pytestmark = pytest.mark.xdist_group("sev")

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
LIMIT = 120  # s
GUIDS = {"ARK": "c0b406a4a803495297433fb6014cd0ae", "ASK": "4ab7b379bbac4fe4a02f05aef327c782", "VCEK": "63da758de6644564adc5f4b93be8accd",
         "CRL": "92f81bc358114d3d97ffd19f88dc67ea"}
PIN = f"root = {identity.pin()}\n"
VCEK_PATH = "vcek/v1/Milan/" + identity.snpreport.CHIP.hex() + "?blSPL=04&teeSPL=01&snpSPL=24&ucodeSPL=219"
CHAIN_PATH, CRL_PATH = "vcek/v1/Milan/cert_chain", "vcek/v1/Milan/crl"


def table(**contents):
    """The host's certificate table."""
    at, head, body = 24 * (len(contents) + 1), b"", b""
    for kind, content in contents.items():
        head += bytes.fromhex(GUIDS[kind]) + struct.pack("<II", at + len(body), len(content))
        body += content
    return head + bytes(24) + body


def whole():
    return table(VCEK=leaf(), ASK=ask(), ARK=ark())


def pem(*certificates):
    return b"".join(x509.load_der_x509_certificate(c).public_bytes(Encoding.PEM) for c in certificates)


def pem_crl():
    return b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(crl()) + b"-----END X509 CRL-----\n"


def served(**more):
    return {VCEK_PATH: leaf(), CHAIN_PATH: pem(ask(), ark()), CRL_PATH: crl(), **more}


@pytest.fixture
def verify(tmp_path):
    """A function that runs the command; it returns (final line, {check: text}, addresses that were asked, all that was shown)."""
    def run(certificates=b"", files=(), served=None, line="sev-report verify", hardened=False, **guest):
        folder = tmp_path / "attest"
        folder.mkdir(exist_ok=True)
        for name, content in dict(files).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        job = {"private": identity.p384_key("leaf").private_numbers().private_value.to_bytes(48, "big").hex(), "table": certificates.hex(),
               "folder": str(folder), "line": line, "hardened": hardened, "guest": guest,
               "served": served and {path: content.hex() for path, content in served.items()}}
        (tmp_path / "job.json").write_text(json.dumps(job))
        path = os.pathsep.join(map(str, [ROOT / "tests" / "fakes", ROOT, ".frozen"]))
        done = subprocess.run([qemu.BUILD / "unix" / "micropython", "-X", "heapsize=16M", HERE / "command.py", tmp_path / "job.json"], cwd=ROOT,
                              env={**os.environ, "MICROPYPATH": path}, timeout=LIMIT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        lines = answer["shown"].strip("\n").split("\n")
        checks = {}
        for one in lines[lines.index("") + 1:-2] if "" in lines else ():
            checks.setdefault(one[:20].rstrip(" .:"), []).append(one[22:])
        return lines[-1], {name: "; ".join(texts) for name, texts in checks.items()}, answer["asked"], answer["shown"]

    return run


def test_hosts_table(verify):
    """Everything from the host; the root is the tests' own, which the policy names, and which is called that twice."""
    line, checks, _, shown = verify(whole(), {"policy.cfg": PIN})
    assert line == "Verification succeeded under a root that is NOT AMD's, not checked: revocation, measurement"
    assert checks["Root"] == f"ok (ARK-Milan, key {identity.pin()}, NOT AMD's)"
    assert list(checks) == ["Certificates of", "Format", "Chain", "Root", "Product", "Validity", "Revocation", "Signature", "Certificate's TCB",
                            "Hardware id", "Current TCB", "Debug", "Migration", "VMPL", "Report data", "Measurement"]
    assert checks["Certificates of"] == "the host's table" and checks["Report data"].startswith("ok (")
    assert shown.startswith("Version ............: 5\nVMPL ...............: 0\n")


def test_roots_of_amd_alone(verify):
    """Without the policy's word the tests' root is none; in a hardened build the boot volume has no word."""
    for how in ({}, {"files": {"policy.cfg": PIN}, "hardened": True}):
        line, checks, _, _ = verify(whole(), **how)
        assert line == f"Verification error, root (ARK-Milan, key {identity.pin()})", checks


def test_files(verify):
    """PEM and DER, several in one file or one in each; other files and folders are passed over; one that is none, or too long, is named."""
    files = {"policy.cfg": PIN, "old.pem/ark.pem": pem(ark()), "amd.pem": "#" * 70000, "chain.pem": pem(ask(), ark()), "VCEK.DER": leaf(), "root.crl": crl(), "notes.txt": "not a certificate", "bad.cer": "junk", "old_crl.pem": pem_crl()}
    line, checks, _, _ = verify(b"", files)
    assert line == "Verification succeeded under a root that is NOT AMD's, not checked: measurement", checks
    assert checks["Certificates of"] == ("/attest/VCEK.DER; amd.pem: longer than 65536 bytes; /attest/bad.cer: PEM has no certificate, or ends within one; /attest/chain.pem; "
                                         "/attest/old_crl.pem; /attest/root.crl").replace("/attest/", "")


def test_server(verify):
    """What is missing is fetched, at the reported TCB of this chip, and no more than that."""
    line, checks, asked, _ = verify(b"", {"policy.cfg": PIN}, served())
    assert line == "Verification succeeded under a root that is NOT AMD's, not checked: measurement", checks
    assert asked == [f"https://kdsintf.amd.com/{path}" for path in (VCEK_PATH, CHAIN_PATH, CRL_PATH)]
    assert checks["Certificates of"] == "; ".join(asked)
    _, _, asked, _ = verify(whole(), {"policy.cfg": PIN}, served())
    assert asked == [f"https://kdsintf.amd.com/{CRL_PATH}"]
    line, _, asked, _ = verify(b"", {"policy.cfg": PIN + "kds = http://cache.test:8080/\n"}, served())
    assert line.startswith("Verification succeeded") and asked[0] == f"http://cache.test:8080/{VCEK_PATH}"


def test_stale_certificate(verify):
    """The host's VCEK is of another TCB: the one that fits is fetched."""
    old = leaf(key="old")
    line, checks, asked, _ = verify(table(VCEK=old, ASK=ask(), ARK=ark()), {"policy.cfg": PIN}, served())
    assert line.startswith("Verification succeeded") and len(asked) == 3, checks
    line, checks, _, _ = verify(table(VCEK=old, ASK=ask(), ARK=ark()), {"policy.cfg": PIN})
    assert line == "Verification error, signature (SEV-VCEK)" and checks["Signature"] == "failed (SEV-VCEK)"


def test_server_without_an_answer(verify):
    """One address is tried, and what is wrong stands there."""
    line, checks, asked, _ = verify(b"", {"policy.cfg": PIN}, {"nothing": b""})
    assert line == "Verification error, chain (no certificate of SEV-VCEK)" and len(asked) == 1
    assert checks["Certificates of"] == f"https://kdsintf.amd.com/{VCEK_PATH}: 404 Not Found"
    line, checks, _, _ = verify(b"", {"policy.cfg": PIN}, served(**{VCEK_PATH: b"<html>throttled"}))
    assert "PEM has no certificate" in checks["Certificates of"] and line.startswith("Verification error, chain")


@pytest.mark.parametrize("policy, failed", [
    ("measurement = " + "00" * 48, "measurement (" + bytes(range(48)).hex() + ")"),
    ("vmpl = 1", "VMPL (0)"),
    ("tcb = snp 25", "minimum TCB (snp 24 below 25)"),
    ("host_data = " + "00" * 32, "host data (" + (b"H" * 32).hex() + ")"),
    ("product = Turin", "accepted product (Milan)"),
])  # fmt: skip
def test_policy(verify, policy, failed):
    line, _, _, _ = verify(whole(), {"policy.cfg": PIN + policy})
    assert line == f"Verification error, {failed}"


def test_debug_and_measurement(verify):
    good = PIN + "measurement = " + bytes(range(48)).hex()
    assert verify(whole(), {"policy.cfg": good})[0] == "Verification succeeded under a root that is NOT AMD's, not checked: revocation"
    assert verify(whole(), {"policy.cfg": good}, policy=0xB0000)[0] == "Verification error, debug (allowed)"
    assert verify(whole(), {"policy.cfg": good + "\nallow_debug = yes"}, policy=0xB0000)[0].startswith("Verification succeeded")


def test_report_data(verify):
    """It is what was sent, whatever the policy says."""
    line, checks, _, _ = verify(whole(), {"policy.cfg": PIN + "report_data = " + "00" * 64}, line="sev-report verify data aabb")
    assert line.startswith("Verification succeeded") and checks["Report data"] == "ok (aabb" + "00" * 62 + ")"


@pytest.mark.parametrize("policy, error", [
    ("root = 00", "line 1 of the policy: root is 32 bytes in hexadecimal"),
    ("kds = ftp://x", "line 1 of the policy: kds is an address such as https://host:port"),
    ("what = ever", "line 1 of the policy: there is no 'what'"),
    (b"\xff\xfe", "policy.cfg is not UTF-8"),
    ("#" * 70000, "policy.cfg: longer than 65536 bytes"),
])  # fmt: skip
def test_bad_policy(verify, policy, error):
    line, _, _, shown = verify(whole(), {"policy.cfg": policy})
    assert line.endswith(error) and shown.count("\n") == 1 and shown.startswith("command error, ")
