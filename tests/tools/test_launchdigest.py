"""make measure, against the launch digest computed here from the specification: what PyPI's tool is given, and what it makes of it.

Source: SEV Secure Nested Paging Firmware ABI (56860), SNP_LAUNCH_UPDATE; KVM's initial VMSA; QEMU's table of hashes; vectors
that were computed with another program.
"""

import hashlib
import re
import struct
import subprocess
import sys
import uuid

import pytest

import launchdigest
import qemu
import snpfirmware
from qemu_snp import SnpOptions
from sevsnpmeasure.gctx import GCTX
from sevsnpmeasure.sev_hashes import SevHashes

NORMAL, VMSA, ZERO, SECRETS, CPUID = 1, 2, 3, 5, 6
PAGES = {1: ZERO, 2: SECRETS, 3: CPUID, 4: ZERO}  # type of section: type of page


def add(digest, kind, address, page=None):
    """Return the launch digest with one page more."""
    contents = hashlib.sha384(page).digest() if page is not None else bytes(48)
    return hashlib.sha384(digest + contents + struct.pack("<HBB4xQ", 0x70, kind, 0, address)).digest()


def test_vectors():
    """The chain above and the tool's own, on the same pages."""
    vectors = [("e6d248c06715aeb198151e303ebbc5588bef55997971618b0e792a2cb8700fd9978f78b38ff8e3362424b7757e078773"),
               ("829425c36b6725a1ab0ec705e5460e6831d2de21d2c442f2dc875c6f989101d91a6355e59006f0350b824b44d0046ffa"),
               ("43b869e10ef3e19b3ba6986db6c9b4a6fa182dcbff4d0ca247b79c6775793928739315ec539495d32e41d1be9d9806b0")]
    ours, theirs = add(bytes(48), NORMAL, 0xFFC00000, bytes(4096)), GCTX()
    theirs.update_normal_pages(0xFFC00000, bytes(4096))
    assert ours.hex() == theirs.ld().hex() == vectors[0]
    for kind, address in ((ZERO, 0x800000), (SECRETS, 0x80D000), (CPUID, 0x80E000)):
        ours = add(ours, kind, address)
    theirs.update_zero_pages(0x800000, 4096)
    theirs.update_secrets_page(0x80D000)
    theirs.update_cpuid_page(0x80E000)
    assert ours.hex() == theirs.ld().hex() == vectors[1]
    theirs.update_vmsa_page(bytes(4096))
    assert add(ours, VMSA, 0xFFFFFFFFF000, bytes(4096)).hex() == theirs.ld().hex() == vectors[2]


def hash_table(kernel, append):
    """Return QEMU's table of hashes for a kernel without an initial RAM disk."""
    entries = b"".join(uuid.UUID(guid).bytes_le + struct.pack("<H", 50) + hashlib.sha256(data).digest() for guid, data in (
        ("97d02dd8-bd20-4c94-aa78-e7714d36ab2a", append.encode() + b"\0"), ("44baf731-3a2f-4bd7-9af1-41e29169781d", b""),
        ("4de79437-abd2-427f-b835-d5b172d2045b", kernel)))
    return uuid.UUID("9438d606-4f22-4cc9-b479-a793d411fd21").bytes_le + struct.pack("<H", 0xA8) + entries + bytes(8)


def test_table_of_hashes(tmp_path):
    (tmp_path / "kernel").write_bytes(b"kernel")
    table = SevHashes(str(tmp_path / "kernel"), "", "").construct_table()
    assert table == hash_table(b"kernel", "") and len(table) == 176
    assert hashlib.sha256(table).hexdigest() == "4bbcf687ded97effb131a4ed787f7892489b8e703a7dc1a6dab30a01ac0de575"
    assert SevHashes(str(tmp_path / "kernel"), "", "a=1").construct_table() == hash_table(b"kernel", "a=1")


def vmsa(signature, reset):
    """Return a processor's first state as KVM measures it; reset: its CS base + IP."""
    page = bytearray(4096)

    def put(at, form, *values):
        struct.pack_into("<" + form, page, at, *values)

    for at in (0x00, 0x20, 0x30, 0x40, 0x50):  # ES, SS, DS, FS, GS: selector, attributes, limit, base
        put(at, "HHIQ", 0, 0x93, 0xFFFF, 0)
    put(0x10, "HHIQ", 0xF000, 0x9B, 0xFFFF, reset & 0xFFFF0000)
    for at, attributes in ((0x60, 0), (0x70, 0x82), (0x80, 0), (0x90, 0x8B)):  # GDTR, LDTR, IDTR, TR
        put(at, "HHIQ", 0, attributes, 0xFFFF, 0)
    for at, value in {0xD0: 0x1000, 0x148: 0x40, 0x158: 0x10, 0x160: 0x400, 0x168: 0xFFFF0FF0, 0x170: 2, 0x178: reset & 0xFFFF,
                      0x268: 0x0007040600070406, 0x310: signature, 0x3B0: 1, 0x3E8: 1}.items():
        put(at, "Q", value)
    put(0x408, "I", 0x1F80)
    put(0x410, "H", 0x37F)
    return bytes(page)


def expected(firmware, signature, vcpus, hashes=None):
    """Return the measurement of an OVMF image, with a table of hashes if there is one."""
    digest, base = bytes(48), (1 << 32) - len(firmware)
    for at in range(0, len(firmware), 4096):
        digest = add(digest, NORMAL, base + at, firmware[at:at + 4096])
    entries = snpfirmware.table(firmware)
    for address, size, kind in snpfirmware.sections(firmware, entries):
        if kind == snpfirmware.KERNEL_HASHES and hashes:
            offset = struct.unpack("<I", entries[snpfirmware.HASH_TABLE][:4])[0] - address
            digest = add(digest, NORMAL, address, (bytes(offset) + hashes).ljust(4096, b"\0"))
            continue
        for at in range(address, address + size, 4096):
            digest = add(digest, PAGES.get(kind, ZERO), at)
    ap = struct.unpack("<I", entries["00f771de-1a7e-4fcb-890e-68c77e2fb44e"])[0]
    for cpu in range(vcpus):
        digest = add(digest, VMSA, 0xFFFFFFFFF000, vmsa(signature, ap if cpu else 0xFFFFFFF0))
    return digest.hex()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    path = tmp_path_factory.mktemp("measure") / "some.efi"
    path.write_bytes(bytes(range(256)) * 40)
    return path


def measure(kernel, *arguments, **environment):
    return subprocess.run([sys.executable, launchdigest.__file__, "--kernel", str(kernel), *arguments], capture_output=True, text=True,
                          timeout=60, env={"BUILD": str(qemu.BUILD), **environment})


def test_printed(kernel):
    """Both boots, 1 to 8 processors, and the emulator's, each as computed here."""
    direct = (qemu.BUILD / "firmware/amdsev/OVMF.fd").read_bytes()
    disk = (qemu.BUILD / "firmware/ovmf2025/OVMF.fd").read_bytes()
    lines = measure(kernel, "--append", "key=value").stdout.splitlines()
    assert len(lines) == 20
    assert re.fullmatch(r"make qemu-snp: firmware \S+/amdsev/OVMF.fd, \S+/some.efi, load options 'key=value', CPU EPYC-v4 \(0x800f12\), "
                        r"guest features 0x1", lines[0])
    assert re.fullmatch(r"make qemu-snp-disk: firmware \S+/ovmf2025/OVMF.fd, CPU EPYC-v4 \(0x800f12\), guest features 0x1", lines[9])
    hashes = hash_table(kernel.read_bytes(), "key=value")
    assert lines[1:9] == [f"SMP={n} {expected(direct, 0x800F12, n, hashes)}" for n in range(1, 9)]
    assert lines[10:18] == [f"SMP={n} {expected(disk, 0x800F12, n)}" for n in range(1, 9)]
    digest, content = bytes(48), kernel.read_bytes()
    for at in range(0, len(content), 4096):
        digest = add(digest, NORMAL, at, content[at:at + 4096].ljust(4096, b"\0"))
    assert lines[18:] == [f"make qemu-snp-emu: {kernel}", digest.hex()]


def test_cpu(kernel, tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("cpu family\t: 25\nmodel\t\t: 17\nstepping\t: 1\n")
    hashes = hash_table(kernel.read_bytes(), "")
    firmware = (qemu.BUILD / "firmware/amdsev/OVMF.fd").read_bytes()
    assert f"SMP=2 {expected(firmware, 0xA10F11, 2, hashes)}" in measure(kernel, "--root", str(tmp_path), CPU="host").stdout
    assert f"SMP=2 {expected(firmware, 0xA00F11, 2, hashes)}" in measure(kernel, CPU="EPYC-Milan,pmu=off").stdout


@pytest.mark.parametrize("environment, words", [
    ({"CPU": "pentium"}, "measure: CPU=pentium has no known signature; there are host, EPYC, "), ({"CPU": "host"}, "measure: CPU=host: /proc/cpuinfo"),
    ({"OVMF": "ovmf2025"}, "direct boot needs OVMF's AmdSev build"), ({"OVMF": "/no/such"}, "measure: no firmware /no/such")])
def test_errors(kernel, environment, words):
    done = measure(kernel, "--root", "/nowhere", **environment)
    assert done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1


def test_no_executable():
    done = measure("/no/such.efi")
    assert done.returncode == 1 and done.stderr.startswith("measure: ") and done.stderr.count("\n") == 1


def test_what_is_measured_is_what_is_run(kernel, monkeypatch):
    """The same options make the command line: firmware, executable, load options, processor."""
    monkeypatch.setenv("CPU", "EPYC-Genoa")
    line = SnpOptions.from_environment(kernel=kernel, append="x=1").command()
    said = measure(kernel, "--append", "x=1", CPU="EPYC-Genoa").stdout.splitlines()[0]
    for flag in ("-bios", "-kernel", "-append", "-cpu"):
        assert line[line.index(flag) + 1] in said
