"""Guest messages: the header, and how one is sealed for the secure processor and opened.

Pure: bytes in, bytes out. A message is HEADER_LEN bytes and the encrypted payload. AES-256-GCM with a VMPCK; the nonce is
the sequence number in 12 bytes; authenticated with it are bytes 0x30 to 0x5f of the header, as they were transmitted.
Source: SEV-SNP Firmware ABI (56860), 8.26 and the message header's table. Left out: the types of migration agents.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct

import crypto
from micropython import const

from sev.error import SevError

PAGE_LEN = const(4096)
HEADER_LEN = const(0x60)
PAYLOAD_MAX = const(4000)

# Types of requests; each one's answer is one above it.
KEY_REQ = const(3)
REPORT_REQ = const(5)
VMRK_REQ = const(13)
TSC_INFO_REQ = const(17)

# Offsets in the header.
_TAG = const(0x00)  # 32 bytes, of which AES-GCM has 16
_TAG_LEN = const(16)
_NUMBER = const(0x20)  # u64
_AAD = const(0x30)
_FIELDS = "<BBHBBHIB"  # at _AAD: algorithm, header version, header length, type, version, payload length, 0, VMPCK

_AES_256_GCM = const(1)
_HEADER_VERSION = const(1)


def seal(gcm, number, kind, version, vmpck, payload):
    """-> the message that carries a payload. gcm: the VMPCK's crypto.Gcm; number: never used before with this key."""
    if not 0 < number < 1 << 64 or not 0 <= vmpck <= 3 or not 0 < len(payload) <= PAYLOAD_MAX:
        raise ValueError("not a guest message")
    message = bytearray(HEADER_LEN + len(payload))
    struct.pack_into("<Q", message, _NUMBER, number)
    struct.pack_into(_FIELDS, message, _AAD, _AES_256_GCM, _HEADER_VERSION, HEADER_LEN, kind, version, len(payload), 0, vmpck)
    message[HEADER_LEN:] = payload
    view = memoryview(message)
    message[:_TAG_LEN] = gcm.seal(_nonce(number), view[_AAD:HEADER_LEN], view[HEADER_LEN:])
    return message


def open(gcm, page, number, kind, version, vmpck):
    """-> a bytearray, the payload of the answer to a request with this number, type, version and key.

    page: a private copy of what the host left in the response page; of its payload zeroes are left. Raises SevError.
    """
    if len(page) < HEADER_LEN:
        raise SevError("answer of %d bytes" % len(page))
    got_number = struct.unpack_from("<Q", page, _NUMBER)[0]
    algorithm, header_version, header_len, got_kind, got_version, length, _, got_vmpck = struct.unpack_from(_FIELDS, page, _AAD)
    for what, got, expected in (
        ("algorithm", algorithm, _AES_256_GCM),
        ("header version", header_version, _HEADER_VERSION),
        ("header length", header_len, HEADER_LEN),
        ("type", got_kind, kind + 1),
        ("version", got_version, version),
        ("VMPCK", got_vmpck, vmpck),
        ("sequence number", got_number, number + 1),
    ):
        if got != expected:
            raise SevError("answer with %s %d, not %d" % (what, got, expected))
    if not 0 < length <= min(PAYLOAD_MAX, len(page) - HEADER_LEN):
        raise SevError("answer with a payload of %d bytes" % length)
    view = memoryview(page)
    text = view[HEADER_LEN : HEADER_LEN + length]
    try:
        gcm.open(_nonce(number + 1), view[_AAD:HEADER_LEN], text, view[_TAG : _TAG + _TAG_LEN])
    except ValueError:
        raise SevError("answer that is not the secure processor's: its tag is wrong")
    payload = bytearray(text)
    crypto.wipe(text)  # it may be a key
    return payload


def _nonce(number):
    return struct.pack("<QI", number, 0)
