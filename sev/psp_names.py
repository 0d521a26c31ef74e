"""Names of the secure processor's status codes. Source: SEV-SNP Firmware ABI (56860), status codes."""

# SPDX-License-Identifier: BSD-3-Clause

_NAMES = {
    0x00: "success", 0x01: "invalid platform state", 0x02: "invalid guest state", 0x03: "invalid configuration",
    0x04: "buffer too small", 0x05: "already owned", 0x06: "invalid certificate", 0x07: "policy failure", 0x08: "inactive",
    0x09: "invalid address", 0x0A: "bad signature", 0x0B: "bad measurement", 0x0C: "ASID owned", 0x0D: "invalid ASID",
    0x0E: "WBINVD required", 0x0F: "DF_FLUSH required", 0x10: "invalid guest", 0x11: "invalid command", 0x12: "active",
    0x13: "hardware error of the platform", 0x14: "hardware error, unsafe", 0x15: "unsupported", 0x16: "invalid parameter",
    0x17: "resource limit", 0x18: "invalid secure data", 0x19: "invalid page size", 0x1A: "invalid page state",
    0x1B: "invalid metadata entry", 0x1C: "invalid page owner", 0x1D: "AEAD overflow", 0x1F: "ring buffer mode exited",
    0x20: "RMP initialization required", 0x21: "bad SVN", 0x22: "bad version", 0x23: "shutdown required", 0x24: "update failed",
    0x25: "restore required", 0x26: "RMP initialization failed", 0x27: "invalid key",
}  # fmt: skip


def status_text(code):
    """-> a status as text, such as `invalid parameter (0x16)`."""
    return "%s (%#x)" % (_NAMES.get(code, "unknown status"), code)
