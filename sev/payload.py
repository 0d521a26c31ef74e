"""Payloads of guest messages: what the requests carry, and what the answers say.

Pure. An answer opens with a status; one that is not 0 is an error, as is one that is shorter than what it says.
Source: SEV-SNP Firmware ABI (56860), chapter 7 (MSG_REPORT, MSG_KEY, MSG_TSC_INFO, MSG_VMRK). The layout of MSG_VMRK is
not proved by any program that uses it.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct
from collections import namedtuple

from micropython import const

from sev.error import SevError
from sev.psp_names import status_text

REPORT_DATA_LEN = const(64)
REPORT_LEN = const(0x4A0)
KEY_LEN = const(32)
VMPL_MAX = const(3)
_REPORT_AT = const(0x20)
_KEY_AT = const(0x20)
_KEY_RSP_LEN = const(64)
_TSC_REQ_LEN = const(128)
_TSC_RSP_LEN = const(128)
_VMRK_RSP_LEN = const(16)

# Which key signs a report, or is the root of a derived one.
EITHER = const(0)  # the VLEK if the host has loaded one, else the VCEK
VCEK = const(1)
VLEK = const(2)

# Fields of the guest that a derived key depends on.
GUEST_POLICY = const(1 << 0)
IMAGE_ID = const(1 << 1)
FAMILY_ID = const(1 << 2)
MEASUREMENT = const(1 << 3)
GUEST_SVN = const(1 << 4)
TCB_VERSION = const(1 << 5)
LAUNCH_MIT_VECTOR = const(1 << 6)  # in version 2 of the message only
FIELDS = (
    (GUEST_POLICY, "policy"),
    (IMAGE_ID, "image-id"),
    (FAMILY_ID, "family-id"),
    (MEASUREMENT, "measurement"),
    (GUEST_SVN, "guest-svn"),
    (TCB_VERSION, "tcb"),
    (LAUNCH_MIT_VECTOR, "launch-mit"),
)

# Guest TSC = (TSC * scale >> 32) + offset; factor: what the mean frequency lies below the nominal one, in 0.001 %.
TSCInfo = namedtuple("TSCInfo", ("scale", "offset", "factor"))


def report_request(data, vmpl=0, key=EITHER):
    """-> the payload that asks for a report. data: 64 bytes; vmpl: what the report states, our own or one above."""
    if len(data) != REPORT_DATA_LEN:
        raise ValueError("report data has 64 bytes")
    _check(vmpl, key)
    return struct.pack("<64sII24x", bytes(data), vmpl, key)


def report(payload):
    """-> the attestation report, 0x4a0 bytes. Raises SevError."""
    _status(payload, "report", _REPORT_AT)
    length = struct.unpack_from("<I", payload, 4)[0]
    if length != REPORT_LEN or len(payload) < _REPORT_AT + REPORT_LEN:
        raise SevError("report of %d bytes in an answer of %d" % (length, len(payload)))
    return bytes(memoryview(payload)[_REPORT_AT : _REPORT_AT + REPORT_LEN])


# What a derived key is made from. vmrk: from the migration agent's root key, not the chip's. fields: GUEST_POLICY, ....
# vmpl: our own or above; svn, tcb: at most the guest's; mit_vector: None, or bits that were set at launch.
KeyRequest = namedtuple("KeyRequest", ("fields", "vmpl", "svn", "tcb", "mit_vector", "key", "vmrk"))


def key_request(r):
    """-> (message version, the payload) for a KeyRequest. Version 2 has the vector; firmware before 1.58 does not know it."""
    _check(r.vmpl, r.key)
    wide = r.mit_vector is not None
    if r.fields & LAUNCH_MIT_VECTOR and not wide:
        raise ValueError("the launch mitigation vector is not given")
    if r.fields >> (7 if wide else 6) or r.fields < 0:
        raise ValueError("no such fields of a guest")
    if not 0 <= r.svn < 1 << 32 or not 0 <= r.tcb < 1 << 64 or wide and not 0 <= r.mit_vector < 1 << 64:
        raise ValueError("not a number of that width")
    payload = struct.pack("<IIQIIQ", bool(r.vmrk) | r.key << 1, 0, r.fields, r.vmpl, r.svn, r.tcb)
    return (2, payload + struct.pack("<Q", r.mit_vector)) if wide else (1, payload)


def key(payload):
    """-> the derived key, a bytearray that the caller wipes. Raises SevError."""
    _status(payload, "key", _KEY_RSP_LEN)
    return bytearray(memoryview(payload)[_KEY_AT : _KEY_AT + KEY_LEN])


def tsc_request():
    """-> the payload that asks for TSC information."""
    return bytes(_TSC_REQ_LEN)


def tsc_info(payload):
    """-> TSCInfo. Raises SevError."""
    _status(payload, "TSC information", _TSC_RSP_LEN)
    return TSCInfo(*struct.unpack_from("<QQI", payload, 8))


def vmrk_request(context_addr, vmrk):
    """-> the payload by which a migration agent gives a guest its root key. context_addr: of the guest's context page."""
    if context_addr % 4096 or not 0 < context_addr < 1 << 52 or len(vmrk) != KEY_LEN:
        raise ValueError("a context page and 32 bytes")
    return struct.pack("<Q24x32s", context_addr, bytes(vmrk))


def vmrk(payload):
    """Raise SevError unless the answer to vmrk_request() is a success."""
    _status(payload, "VM root key", _VMRK_RSP_LEN)


def _check(vmpl, key):
    if not 0 <= vmpl <= VMPL_MAX or key not in (EITHER, VCEK, VLEK):
        raise ValueError("VMPL 0 to 3, key 0 to 2")


def _status(payload, what, length):
    """Raise SevError unless the answer says success and has the length for it. A refusal may be shorter."""
    if len(payload) < 4:
        raise SevError("%s: answer of %d bytes" % (what, len(payload)))
    code = struct.unpack_from("<I", payload, 0)[0]
    if code:
        raise SevError("%s refused: %s" % (what, status_text(code)))
    if len(payload) < length:
        raise SevError("%s: answer of %d bytes" % (what, len(payload)))
