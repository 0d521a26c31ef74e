"""Judges that nobody here wrote: Debian's stock kernel with its driver sev-guest, and the reports it obtained before other verifiers.

Two boots, each as different as the emulator can make it; the tests look at what they left.
"""

import datetime
import hashlib
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding
from omne_attest import snp
from sevsnpmeasure import guest, vcpu_types
from sevsnpmeasure.sev_mode import SevMode

import linux
import qemu

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")  # AMD's 0
IDENTITY = qemu.BUILD / "snpemu/identity"
EIO, ENOTTY = 5, 25
NO_FIRMWARE_CALL = 0xFFFFFFFF  # the driver's own, when all went well
GUIDS = {"vcek": "63da758de6644564adc5f4b93be8accd", "ask": "4ab7b379bbac4fe4a02f05aef327c782", "ark": "c0b406a4a803495297433fb6014cd0ae"}
SPOIL = 20   # guest requests before the one that is spoilt: more than init.c makes one by one
HARMLESS = [r"the guest has its own interrupt handlers", r"the guest runs on (its own|the firmware's) page tables",
            r"vCPU \d registers its GHCB at 0x[0-9a-f]+", r"vCPU 1 starts at .*", r"guest request: VMPL 4 was asked for by VMPL 0"]


def measurement():
    """Return what sev-snp-measure expects of this kernel on OVMF's AmdSev build."""
    kernel = next(linux.KERNEL.glob("boot/vmlinuz-*"))
    return guest.calc_launch_digest(SevMode.SEV_SNP, 1, vcpu_types.CPU_SIGS["EPYC-v4"], str(qemu.BUILD / "firmware/amdsev/OVMF.fd"),
                                    str(kernel), None, linux.OPTIONS, 1)


SETTINGS = {  # by the number of processors
    1: ["product=genoa", "rdtsc=yes", "unaccepted=64M", "split=200M", f"fault=bad-tag@{SPOIL}:1"],
    2: ["product=milan", "psc_chunk=3", "split=200M", "fault=busy:1"],
}


@pytest.fixture(scope="session", params=[pytest.param(n, marks=pytest.mark.xdist_group(f"linux{n}")) for n in SETTINGS])
def run(request, tmp_path_factory):
    left = linux.run(tmp_path_factory.mktemp("linux"), request.param, f"measurement={measurement().hex()}", *SETTINGS[request.param])
    if left.processors != request.param:
        pytest.fail("\n".join(["Linux did not get to its end", *left.console.splitlines()[-40:], *left.log[-20:]]), pytrace=False)
    return left


def answered(run, name):
    """Return the bytes of a request that was answered."""
    answer = run.answers[name]
    assert (answer.result, answer.firmware, answer.hypervisor) == (0, NO_FIRMWARE_CALL, 0)
    return answer.data


def printed(run, name):
    """Return the bytes of a line that is no answer of the driver's."""
    answer = run.answers[name]
    assert (answer.result, answer.firmware, answer.hypervisor) == (0, 0, 0)
    return answer.data


def report_of(message):
    """Return the report of a MSG_REPORT_RSP."""
    assert message[:8] == bytes(4) + (0x4A0).to_bytes(4, "little") and not any(message[8:0x20])
    return message[0x20:]


def table(data):
    """Return {name: certificate} of a certificate table, DER."""
    found = {}
    for at in range(0, len(data), 24):
        guid, offset, length = data[at:at + 16].hex(), *(int.from_bytes(data[at + n:at + n + 4], "little") for n in (16, 20))
        if not any(data[at:at + 24]):
            return {name: found[guid] for name, guid in GUIDS.items()}
        found[guid] = data[offset:offset + length]
    raise AssertionError("the table has no end")


def identity(run):
    """Return the folder with the certificates of the processor that a run had."""
    return IDENTITY / SETTINGS[run.processors][0].partition("=")[2]


def verify(run, report, **policy):
    """Verify a report with omne-attest and with cryptography: with the certificates that came, given the test root."""
    certificates = table(printed(run, "certs"))
    chain = [certificates[name] for name in ("vcek", "ask", "ark")]
    root = hashlib.sha256((identity(run) / "ark.der").read_bytes()).digest()
    parsed = snp.verify(report, *chain, root, snp.Policy(**policy))
    vcek, ask, ark = map(x509.load_der_x509_certificate, chain)
    ark.verify_directly_issued_by(ark)
    ask.verify_directly_issued_by(ark)
    vcek.verify_directly_issued_by(ask)
    assert vcek.not_valid_before_utc <= datetime.datetime.now(datetime.timezone.utc) <= vcek.not_valid_after_utc
    r, s = (int.from_bytes(report[at:at + 72], "little") for at in (0x2A0, 0x2E8))
    vcek.public_key().verify(utils.encode_dss_signature(r, s), report[:0x2A0], ec.ECDSA(hashes.SHA384()))
    return parsed


# ---- the kernel ------------------------------------------------------------------------------------------------------------

def test_boot_log(run):
    expected = ["Memory Encryption Features active: AMD SEV SEV-ES SEV-SNP", "SEV: Using SNP CPUID table, ", "SEV: SNP running at VMPL0.",
                "SEV: SNP guest platform device initialized.", "Initialized SEV guest driver (using VMPCK0 communication key)"]
    assert [words for words in expected if words not in run.console] == []
    trouble = ["WARNING: CPU", "Call Trace", "BUG:", "Kernel panic", "Invalid argument", "No such"]
    assert [line for line in run.console.splitlines() if any(words in line for words in trouble)] == []


def test_second_processor(run):
    """It is created with a VMSA of Linux's own, and registers its own GHCB."""
    created = [line for line in run.log if re.match(r"snpemu: vCPU 1 ", line)]
    assert len(created) == (0 if run.processors == 1 else 3) and all(" starts " in line for line in created[:1])


def test_nothing_was_violated(run):
    fault = r"fault on request: (bad-tag|busy)"
    unexpected = [line for line in run.log if not re.fullmatch(f"snpemu: ({'|'.join([*HARMLESS, fault])})\\s*", line)]
    assert not unexpected and sum(bool(re.search(fault, line)) for line in run.log) == 1


# ---- reports -----------------------------------------------------------------------------------------------------------------

def test_report(run):
    parsed = verify(run, report_of(answered(run, "report")), measurement=measurement(), report_data=bytes(range(64)), max_vmpl=0)
    assert (parsed.version, parsed.policy, parsed.vmpl, parsed.guest_svn) == (5, 0x30000, 0, 0)


def test_verifiers_can_say_no(run):
    report = bytearray(report_of(answered(run, "report")))
    with pytest.raises(snp.Fail):
        verify(run, bytes(report), measurement=bytes(48))
    report[0x50] ^= 1
    with pytest.raises(snp.Fail):
        verify(run, bytes(report))


def test_extended_report(run):
    """A buffer that is too small costs nothing; the table that then comes is the one that the identity says."""
    small = run.answers["ext-small"]
    assert (small.result, small.hypervisor) == (EIO, 1)
    need = int.from_bytes(printed(run, "ext-small-len"), "big")
    assert need % 4096 == 0 and len(printed(run, "certs")) == need
    certificates = table(printed(run, "certs"))
    assert certificates == {name: (identity(run) / f"{name}.der").read_bytes() for name in GUIDS}
    verify(run, report_of(answered(run, "ext")), report_data=b"\xe7" * 64)
    pem = x509.load_pem_x509_certificates((identity(run) / "cert_chain.pem").read_bytes())
    assert [c.public_bytes(Encoding.DER) for c in pem] == [certificates["ask"], certificates["ark"]]


def test_vmpl(run):
    """A lower level may be named; one that there is not is refused inside the answer, and nothing is lost by that."""
    assert verify(run, report_of(answered(run, "report-vmpl")), max_vmpl=3).vmpl == 3
    refused = answered(run, "report-bad-vmpl")
    assert refused[:4] == (0x16).to_bytes(4, "little") and not any(refused[4:])
    verify(run, report_of(answered(run, "report-last")), report_data=bytes(range(0x80, 0xC0)))


def test_configfs(run):
    """The interface of today gives the same: a report with the data written into it, and the certificates."""
    verify(run, printed(run, "tsm"), report_data=b"\x5c" * 64)
    assert table(printed(run, "tsm-certs")) == table(printed(run, "certs"))


def test_each_processor_asks(run):
    """Each has a GHCB of its own."""
    for n in range(run.processors):
        verify(run, report_of(answered(run, f"cpu{n}")), report_data=bytes(range(n, n + 64)))


# ---- devices -------------------------------------------------------------------------------------------------------------------

def test_network_card(run):
    """Half a MiB to the host and back over virtio, whose device meets none of what is private."""
    assert int.from_bytes(printed(run, "net"), "big") == 1 << 19


# ---- derived keys --------------------------------------------------------------------------------------------------------------

def key_of(run, name):
    message = answered(run, name)
    assert len(message) == 64 and not any(message[:0x20])
    return message[0x20:]


def test_derived_keys(run):
    """One request gives one key, again and again; another selection, root or level gives another."""
    keys = [key_of(run, name) for name in ("key", "key-again", "key-measurement", "key-vmrk", "key-vmpl")]
    assert keys[0] == keys[1] and len(set(keys)) == 4 and all(any(key) for key in keys)


# ---- faults --------------------------------------------------------------------------------------------------------------------

def test_busy_and_spoilt(run):
    """A busy host costs no request. An answer that does not authenticate costs the driver its key, as on real hardware."""
    many, after = run.answers["many"], run.answers["after-many"]
    if run.processors == 2:
        assert many.result == 0 and after.result == 0
    else:
        assert many.result != 0 and many.firmware < 24 and after.result == ENOTTY
        assert "Disabling VMPCK0 communication key" in run.console
