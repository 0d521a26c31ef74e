"""What a guest asks the secure processor for: a report, one with certificates, TSC information.

Thin functions over a channel.Channel. A report is held against what was asked before anybody sees it: it is the answer
to this request only if it states its data. Whether it proves anything is for who verifies it. Derived keys: kdf.py.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct

import crypto
from micropython import const

from sev import msg, payload
from sev.error import SevError

_VMPL = const(0x30)  # u32 in a report
_REPORT_DATA = const(0x50)


def report(channel, data, vmpl=0, key=payload.EITHER):
    """-> an attestation report, 0x4a0 bytes. data: 64 bytes, the nonce; vmpl: to state; key: that signs. Raises SevError."""
    answer = channel.request(msg.REPORT_REQ, payload.report_request(data, vmpl, key))
    return _checked(payload.report(answer), data, vmpl)


def extended_report(channel, data, vmpl=0, key=payload.EITHER):
    """-> (attestation report, the host's certificate table, with what lies behind it). Raises SevError."""
    answer, table = channel.extended(msg.REPORT_REQ, payload.report_request(data, vmpl, key))
    return _checked(payload.report(answer), data, vmpl), table


def _checked(report, data, vmpl):
    if not crypto.equal(report[_REPORT_DATA : _REPORT_DATA + payload.REPORT_DATA_LEN], data):
        raise SevError("report with other report data than was sent")
    stated = struct.unpack_from("<I", report, _VMPL)[0]
    if stated != vmpl:
        raise SevError("report of VMPL %d, asked for %d" % (stated, vmpl))
    return report


def tsc_info(channel):
    """-> payload.TSCInfo of this guest. Raises SevError."""
    return payload.tsc_info(channel.request(msg.TSC_INFO_REQ, payload.tsc_request()))
