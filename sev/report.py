"""The attestation report of SEV-SNP, versions 2 to 5: 1184 bytes in, a Report or one ValueError out.

Source: SEV-SNP Firmware ABI 1.58, 7.3 (ATTESTATION_REPORT), 4.3 (guest policy). Every reserved field must be zero. Not so
PLATFORM_INFO, in which processors in the field set bits that the document does not have. Not here: whether it is true
(sev/verify.py), and how it is requested.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct

from sev import tcb

REPORT_LEN = 0x4A0  # bytes
SIGNED_LEN = 0x2A0  # bytes that the signature covers, from the first on
R_OFFSET = 0x2A0
S_OFFSET = 0x2E8
NUMBER_LEN = 48  # bytes of a number of P-384, little-endian, in a field of 72

VCEK, VLEK, UNSIGNED = 0, 1, 7  # Report.signing_key
HOST_VMPL = 0xFFFFFFFF  # of a report that the host requested
_ECDSA_P384_SHA384 = 1

# Report.policy
SMT, MUST_BE_ONE, MIGRATION, DEBUG, SINGLE_SOCKET = 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20
CXL, AES_256_XTS, RAPL_OFF, HIDDEN_CIPHERTEXT, NO_PAGE_SWAP = 1 << 21, 1 << 22, 1 << 23, 1 << 24, 1 << 25
_POLICY_RESERVED = ~0x3FFFFFF
POLICY_NAMES = ((SMT, "SMT allowed"), (MIGRATION, "migration agent allowed"), (DEBUG, "debug allowed"), (SINGLE_SOCKET, "single socket"),
                (CXL, "CXL allowed"), (AES_256_XTS, "AES-256-XTS required"), (RAPL_OFF, "RAPL off required"),
                (HIDDEN_CIPHERTEXT, "ciphertext hiding required"), (NO_PAGE_SWAP, "page swap disabled"))  # fmt: skip

# Report.platform_info
PLATFORM_NAMES = ((1 << 0, "SMT"), (1 << 1, "TSME"), (1 << 2, "ECC"), (1 << 3, "RAPL off"), (1 << 4, "ciphertext hiding"),
                  (1 << 5, "alias check complete"), (1 << 7, "TIO"))  # fmt: skip

# Name of an attribute, offset, bytes: little-endian numbers, and bytes as they are.
NUMBERS = (("version", 0x00, 4), ("guest_svn", 0x04, 4), ("policy", 0x08, 8), ("vmpl", 0x30, 4), ("signature_algo", 0x34, 4),
           ("platform_info", 0x40, 8), ("key_info", 0x48, 4))  # fmt: skip
BYTES = (("family_id", 0x10, 16), ("image_id", 0x20, 16), ("report_data", 0x50, 64), ("measurement", 0x90, 48), ("host_data", 0xC0, 32),
         ("id_key_digest", 0xE0, 48), ("author_key_digest", 0x110, 48), ("report_id", 0x140, 32), ("report_id_ma", 0x160, 32),
         ("chip_id", 0x1A0, 64))  # fmt: skip
TCBS = (("current_tcb", 0x38), ("reported_tcb", 0x180), ("committed_tcb", 0x1E0), ("launch_tcb", 0x1F0))
VERSIONS = (("current_version", 0x1E8), ("committed_version", 0x1EC))  # of the firmware: build, minor, major
MITIGATIONS = (("launch_mitigations", 0x1F8), ("current_mitigations", 0x200))  # bit vectors, from version 5 on
CPUID_OFFSET = 0x188  # family, model, stepping, from version 3 on
RESERVED = ((0x4C, 4), (0x18B, 21), (0x1EB, 1), (0x1EF, 1), (0x208, 0x98), (0x2D0, 24), (0x318, 24), (0x330, 0x170))  # offset, bytes


class Report:
    """A report's fields under the names of the tables above; numbers, bytes, TCBs as sev/tcb.py has them.

    cpu: (family, model, stepping) or None, product: name or None (versions below 3 say neither); launch_mitigations,
    current_mitigations: None below version 5; current_version, committed_version: (major, minor, build); signing_key: VCEK,
    VLEK or UNSIGNED; author_key_en, mask_chip_key: bool; r, s: the signature, big-endian; raw: all bytes.
    """

    def signed(self):
        """-> the bytes that the signature covers."""
        return self.raw[:SIGNED_LEN]


def parse(data):
    """-> the Report in data, bytes of which a copy is kept. ValueError: it is none, and why."""
    data = bytes(data)
    if len(data) != REPORT_LEN:
        raise ValueError("report has %d bytes, not %d" % (len(data), REPORT_LEN))
    report = Report()
    report.raw = data
    for name, at, size in NUMBERS:
        setattr(report, name, int.from_bytes(data[at : at + size], "little"))
    for name, at, size in BYTES:
        setattr(report, name, data[at : at + size])
    _check(report, data)
    _take_key_info(report)
    _take_cpu(report, data)
    for name, at in VERSIONS:
        setattr(report, name, (data[at + 2], data[at + 1], data[at]))
    for name, at in MITIGATIONS:
        setattr(report, name, struct.unpack_from("<Q", data, at)[0] if report.version >= 5 else None)
    _take_tcbs(report, data)
    report.r, report.s = _number(data, R_OFFSET), _number(data, S_OFFSET)
    return report


def _check(report, data):
    if not 2 <= report.version <= 5:
        raise ValueError("report has version %d, known are 2 to 5" % report.version)
    for at, size in RESERVED + (() if report.version >= 5 else ((0x1F8, 16),)) + (() if report.version >= 3 else ((0x188, 3),)):
        if data[at : at + size] != bytes(size):
            raise ValueError("reserved bytes of the report at %#x are not zero" % at)
    if report.policy & _POLICY_RESERVED or not report.policy & MUST_BE_ONE:
        raise ValueError("report has policy %#x, whose reserved bits are wrong" % report.policy)
    if report.vmpl > 3 and report.vmpl != HOST_VMPL:
        raise ValueError("report has VMPL %d" % report.vmpl)
    if report.signature_algo != _ECDSA_P384_SHA384:
        raise ValueError("report has signature algorithm %d, known is 1" % report.signature_algo)


def _take_key_info(report):
    report.author_key_en = bool(report.key_info & 1)
    report.mask_chip_key = bool(report.key_info & 2)
    report.signing_key = report.key_info >> 2 & 7
    if report.key_info >> 5 or report.signing_key not in (VCEK, VLEK, UNSIGNED):
        raise ValueError("report has key information %#x, whose reserved bits are wrong" % report.key_info)


def _take_cpu(report, data):
    report.cpu = tuple(data[CPUID_OFFSET : CPUID_OFFSET + 3]) if report.version >= 3 else None
    report.product = tcb.product(report.cpu[0], report.cpu[1]) if report.cpu else None


def _take_tcbs(report, data):
    """A report of version 2 names no processor; one from Turin on has an id of 8 bytes, and others none with 56 zeroes in it."""
    short_id = report.chip_id[:8] != bytes(8) and report.chip_id[8:] == bytes(56)
    parts = tcb.TURIN if (report.cpu[0] >= 0x1A if report.cpu else short_id) else tcb.CLASSIC
    for name, at in TCBS:
        setattr(report, name, tcb.parse(data[at : at + 8], parts))


def _number(data, at):
    return bytes(reversed(data[at : at + NUMBER_LEN]))
