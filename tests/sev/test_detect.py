"""Detection of SEV-SNP and the first words with the host (boot/sev.c, boot/ghcb.c) over a made-up machine: what is refused, and how."""

import ctypes
import struct

import pytest

import guestside
from guestside import OK, POWERED_OFF, TERMINATED

BLOB, SECRETS, CPUID = 50, 60, 61  # pages


class Cpuid(ctypes.Structure):
    """cpuid_t."""

    _fields_ = [(n, ctypes.c_uint32) for n in ("eax", "ebx", "ecx", "edx")]


def page_of(entries):
    """Return a CPUID page of (leaf, subleaf, eax, ebx, ecx, edx)."""
    table = b"".join(struct.pack("<IIQQIIIIQ", leaf, sub, 0, 0, *out, 0) for leaf, sub, *out in entries)
    return struct.pack("<IIQ", len(entries), 0, 0) + table


GOOD = [(0, 0, 0x10, 1, 2, 3), (0x80000000, 0, 0x80000021, 0, 0, 0), (0x8000001F, 0, 0x1A, 51 | 1 << 6, 0, 0)]


class Booted:
    """The library with a firmware's table in place."""

    def __init__(self, m):
        self.m = m
        m.restart()
        self.blob(magic=0x45444D41, version=1, secrets=m.address(SECRETS), secrets_len=4096, cpuid=m.address(CPUID), cpuid_len=4096)
        m.write(CPUID, page_of(GOOD))
        self.status(7)
        self.table(m.address(BLOB))

    def blob(self, **fields):
        self.fields = {**getattr(self, "fields", {}), **fields}
        f = self.fields
        self.m.write(BLOB, struct.pack("<IHHQIIQII", f["magic"], f["version"], 0, f["secrets"], f["secrets_len"], 0, f["cpuid"], f["cpuid_len"], 0))

    def status(self, value):
        guestside.u64.in_dll(self.m.lib, "sev_status_of_machine").value = value

    def table(self, address):
        # boot_info.cc_blob: behind image_handle, system_table, runtime_services, image_base, image_size, rsdp, smbios, smbios3
        (guestside.u64 * 9).in_dll(self.m.lib, "boot_info")[8] = address

    def detect(self):
        how = self.m.lib.machine_detect()
        return how, self.m.text(), self.m.state.reason

    def is_guest(self):
        return ctypes.c_bool.in_dll(self.m.lib, "snp_guest").value


@pytest.fixture
def b(guest_library):
    return Booted(guest_library)


def test_guest(b):
    assert b.detect() == (OK, "", 0) and b.is_guest()
    assert guestside.u64.in_dll(b.m.lib, "c_mask").value == 1 << 51
    assert guestside.u64.in_dll(b.m.lib, "sev_secrets").value == b.m.address(SECRETS)


def test_other_machines(b):
    b.table(0)
    b.status(0)
    assert b.detect() == (OK, "", 0) and not b.is_guest()


@pytest.mark.parametrize("bits", [0, *(1 << n for n in (7, 8, 9, 11, 14, 17, 23))])
def test_features_that_may_be_on(b, bits):
    b.status(7 | bits)
    assert b.detect()[0] == OK and b.is_guest()


@pytest.mark.parametrize("bit", [n for n in range(3, 64) if n not in (7, 8, 9, 11, 14, 17, 23)])
def test_features_that_may_not(b, bit):
    b.status(7 | 1 << bit)
    assert b.detect() == (TERMINATED, f"error: SEV: features that are not supported (0x{1 << bit:x})\n", 2 << 4)


@pytest.mark.parametrize(("status", "table", "how"), [(7, False, TERMINATED), (3, False, TERMINATED), (1, False, POWERED_OFF), (0, True, POWERED_OFF), (3, True, TERMINATED)])
def test_contradictions(b, status, table, how):
    """A table exactly if there is SEV-SNP, and no SEV without it. Without SEV-ES nobody hears why."""
    b.status(status)
    if not table:
        b.table(0)
    got, text, reason = b.detect()
    assert got == how and text.startswith("error: SEV: ") and text.count("\n") == 1 and not b.is_guest()
    assert reason == (2 << 4 if how == TERMINATED else 0)


@pytest.mark.parametrize(("fields", "reason"), [
    ({"magic": 0x45444D40}, 2 << 4), ({"version": 2}, 2 << 4), ({"version": 0}, 2 << 4), ({"secrets_len": 4095}, 1 | 6 << 4), ({"secrets_len": 8192}, 1 | 6 << 4),
    ({"secrets": 0}, 1 | 6 << 4), ({"cpuid": 0}, 1 | 4 << 4), ({"cpuid_len": 4095}, 1 | 4 << 4)])
def test_damaged_table(b, fields, reason):
    b.blob(**fields)
    how, text, got = b.detect()
    assert (how, got, text.count("\n")) == (TERMINATED, reason, 1)


def test_pages_not_aligned(b):
    b.blob(secrets=b.m.address(SECRETS) + 8)
    assert b.detect()[0] == TERMINATED
    b.blob(secrets=b.m.address(SECRETS), cpuid=b.m.address(CPUID) + 1)
    assert b.detect()[0] == TERMINATED


@pytest.mark.parametrize("page", [page_of([]), page_of(GOOD[:2]), struct.pack("<IIQ", 65, 0, 0), struct.pack("<I", 2**32 - 1),
                                  *(page_of([*GOOD[:2], (0x8000001F, 0, 0x1A, bit, 0, 0)]) for bit in (0, 31, 52, 63)), page_of([*GOOD[:2], (0x8000001F, 0, 0, 51, 0, 0)])])
def test_damaged_cpuid_page(b, page):
    b.m.write(CPUID, page.ljust(4096, b"\0"))
    assert b.detect()[0] == TERMINATED and not (b.m.text().count("\n") - 1)


def test_lower_level(b):
    """RMPADJUST does not let us: this is no VMPL 0."""
    b.m.state.refuse_psc = True
    assert b.detect() == (TERMINATED, "error: SEV: this is not VMPL 0\n", 1 | 3 << 4)


# ---- the first words with the host -----------------------------------------------------------------------------------------------
def test_first_words(b):
    m = b.m
    guestside.ctypes.c_bool.in_dll(m.lib, "ghcb_live").value = False
    m.state.msr_exits = 0
    assert m.lib.machine_init() == OK and m.state.msr_exits == 4 and m.state.exits == 0


@pytest.mark.parametrize("info", [0x0001000133000001, 0x0000000033000001, 0x0003000333000001, 0x0002000133000002, 0x13, 0xFFFFFFFFFFFFFFFF])
def test_other_protocols(b, info):
    b.m.state.sev_info = info
    assert (b.m.lib.machine_init(), b.m.state.reason) == (TERMINATED, 1 << 4)


def test_newer_host(b):
    b.m.state.sev_info = 0x0009000133000001
    assert b.m.lib.machine_init() == OK


@pytest.mark.parametrize("features", [0x2081, 0x3080, 0xFFE00081 & ~0x1000 | 0x81])
def test_hosts_without_features(b, features):
    b.m.state.features = features
    assert (b.m.lib.machine_init(), b.m.state.reason) == (TERMINATED, 2 << 4)


def test_page_is_refused(b):
    b.m.state.refuse_psc = True
    assert (b.m.lib.machine_init(), b.m.state.reason) == (TERMINATED, 1 | 1 << 4)


def test_registration_is_refused(b):
    b.m.state.refuse_registration = True
    assert (b.m.lib.machine_init(), b.m.state.reason) == (TERMINATED, 1)


