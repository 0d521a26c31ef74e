"""The commands about SEV-SNP in a guest of the emulator; what they print judged by omne-attest, cryptography and json, given the test roots."""

import hashlib
import json
import os
import re
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from omne_attest import snp

import qemu

IDENTITY = qemu.BUILD / "snpemu" / "identity" / "genoa"
GUIDS = {"vcek": "63da758de6644564adc5f4b93be8accd", "ask": "4ab7b379bbac4fe4a02f05aef327c782", "ark": "c0b406a4a803495297433fb6014cd0ae"}


def values(text):
    """Return {label: value} of `label ....: value` lines."""
    return {label.rstrip(" ."): value for label, value in re.findall(r"^(.{20}): (.*)$", text, re.M)}


def raw(vm, *options):
    """Return the report of `sev-report raw`."""
    report = bytes.fromhex(vm.command(" ".join(["sev-report raw", *options])).split("\n")[0])
    assert len(report) == 0x4A0
    return report


def accept(report, certificates, **policy):
    """Raise unless omne-attest and cryptography accept a report."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # AMD's serial number 0
        snp.verify(report, *certificates, hashlib.sha256((IDENTITY / "ark.der").read_bytes()).digest(), snp.Policy(**policy))
        vcek = x509.load_der_x509_certificate(certificates[0])
    r, s = (int.from_bytes(report[at:at + 72], "little") for at in (0x2A0, 0x2E8))
    vcek.public_key().verify(utils.encode_dss_signature(r, s), report[:0x2A0], ec.ECDSA(hashes.SHA384()))


def test_sev(vm):
    """As documented; what is in the pages is what the processor says elsewhere."""
    text = vm.command("sev")
    labels = ["SEV", "SEV-ES", "SEV-SNP", "Encrypted bit", "SNP Version", "Secrets Page", "Secrets Version", "TSC Factor", "Launch Mitigations",
              "VMPCK0", "VMPCK1", "VMPCK2", "VMPCK3", "vCPU", "GHCB GPA", "Hypervisor Features"]
    shown = values(text)
    assert list(shown) == labels and [line for line in text.split("\n")[:18]].count("") == 2
    assert [shown[label] for label in labels[:5]] == ["true", "true", "true", "47", "1"]
    assert re.fullmatch(r"0x[0-9a-f]+ \(4096 bytes\)", shown["Secrets Page"]) and shown["vCPU"] == "0" and int(shown["Hypervisor Features"], 16) & 3 == 3
    assert all(re.fullmatch(r"0x[0-9a-f]{2} -- 0x[0-9a-f]{2}", shown[f"VMPCK{i}"]) for i in range(4))
    more = values(vm.command("sev verbose"))
    assert more["VMPL"] == "0" and more["SVSM"] == "none" and more["Active"].startswith("SEV SEV-ES SEV-SNP")


def test_report_is_accepted_by_others(vm):
    """With the certificates that the host hands out, with those of the build, and with report data of the asker's."""
    data = os.urandom(64)
    report, table = (bytes.fromhex(line) for line in vm.command(f"sev-report raw ext data {data.hex()}").split("\n")[:2])
    found = {}
    for at in range(0, len(table), 24):
        guid, offset, size = table[at:at + 16].hex(), *(int.from_bytes(table[i:i + 4], "little") for i in (at + 16, at + 20))
        if not size:
            break
        found[guid] = table[offset:offset + size]
    certificates = [found[GUIDS[name]] for name in ("vcek", "ask", "ark")]
    assert certificates == [(IDENTITY / f"{name}.der").read_bytes() for name in ("vcek", "ask", "ark")]
    accept(report, certificates, report_data=data, max_vmpl=0)
    with pytest.raises(snp.Fail):
        accept(report, certificates, report_data=bytes(64))
    accept(raw(vm, "vmpl 2"), certificates, max_vmpl=2)


def test_forms_agree(vm):
    """raw, json, full and the rows say the same of one and the same guest."""
    data = "5a" * 64
    report = raw(vm, "data", data)
    shown = json.loads(vm.command(f"sev-report json ext data {data}"))
    assert bytes.fromhex(shown["raw"])[:0x140] == report[:0x140] and shown["report_data"] == data  # what follows is the report's id
    assert shown["certificates"]["VCEK"] == (IDENTITY / "vcek.der").read_bytes().hex() and shown["version"] == report[0] == 5
    rows, full = values(vm.command("sev-report")), values(vm.command("sev-report full"))
    assert list(rows) == list(full)[:11] and rows["Measurement"] == full["Measurement"] == shown["measurement"]
    assert int(rows["ReportedTCB"], 16).to_bytes(8, "little") == report[0x180:0x188]
    assert full["Chip ID"] == shown["chip_id"] == report[0x1A0:0x1E0].hex()


def test_report_data(vm):
    assert raw(vm)[0x50:0x90] != raw(vm)[0x50:0x90]
    assert raw(vm, "data abcd")[0x50:0x90] == b"\xab\xcd" + bytes(62)
    assert "command error, " in vm.command("sev-report data xyz")


def test_ssh_host_key(vm):
    """It is bound with 32 bytes of the asker's, and the fingerprint is what OpenSSH would show of the same key."""
    report = raw(vm, "ssh data", "c3" * 32)
    shown = values(vm.command("sev-report ssh"))["SSH host key"]
    import base64

    assert shown == "SHA256:" + base64.b64encode(report[0x50:0x70]).decode().rstrip("=") and report[0x70:0x90] == b"\xc3" * 32


def test_kdf(vm):
    """The same every time; another one for each other request; and what the processor refuses costs nothing."""
    keys = [vm.command(f"sev-kdf {options}").strip() for options in ("", "", "fields policy", "vmpl 1", "root vmrk", "fields tcb", "fields launch-mit mit 1")]
    assert keys[0] == keys[1] and len(set(keys)) == 6 and all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)
    assert vm.command("sev-kdf svn 1").strip() == "command error, key refused: invalid parameter (0x16)"
    assert vm.command("sev-kdf").strip() == keys[0]


def test_tsc(vm):
    assert list(values(vm.command("sev-tsc"))) == ["Guest TSC Scale", "Guest TSC Offset", "TSC Factor"]


def test_verify_knows_amd_alone(vm):
    """Without a policy the emulator's root is nobody's."""
    assert re.search(r"\nVerification error, root \(ARK-Genoa, key [0-9a-f]{64}\)\n", vm.command("sev-report verify", 60))
