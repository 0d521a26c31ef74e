"""Keys that the secure processor derives from the chip and from what this guest is, and the SSH host key made of one.

The same guest on the same chip gets the same key; which changes make it another guest is said by the fields. Without
fields every guest on the chip gets the same key: at least MEASUREMENT and GUEST_POLICY belong in it.
Source: SEV-SNP Firmware ABI (56860), MSG_KEY_REQ; RFC 5869 (HKDF); FIPS 186-5, A.2.2 (candidates for a private key).
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct

import crypto

from sev import msg, payload, requests
from sev.error import SevError

DEFAULT = payload.KeyRequest(payload.GUEST_SVN | payload.MEASUREMENT | payload.GUEST_POLICY, 0, 0, 0, None, payload.EITHER, False)
# Another one than DEFAULT: who prints that, as the command sev-kdf does, does not give away the SSH host key.
SSH_HOST_KEY = payload.KeyRequest(DEFAULT.fields | payload.FAMILY_ID | payload.IMAGE_ID, 0, 0, 0, None, payload.EITHER, False)
_MIT_REPORT_VERSION = 5  # of reports by firmware that knows the launch mitigation vector
_SSH_LABEL = b"keelback/ssh-host-key/ecdsa-p256/v1/"
_P256_ORDER = b"\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"


def derive(channel, request=DEFAULT):
    """-> a derived key, a bytearray of 32 that the caller wipes. request: payload.KeyRequest. Raises SevError.

    A launch mitigation vector takes a version of the message that older firmware refuses, at the price of the VMPCK; so a
    report is looked at first.
    """
    version, asked = payload.key_request(request)
    if version > 1:
        _check_firmware(channel, request.vmpl)
    answer = channel.request(msg.KEY_REQ, asked, version)
    try:
        return payload.key(answer)
    finally:
        crypto.wipe(answer)


def _check_firmware(channel, vmpl):
    report = requests.report(channel, bytes(payload.REPORT_DATA_LEN), vmpl)
    version = struct.unpack_from("<I", report, 0)[0]
    if version < _MIT_REPORT_VERSION:
        raise SevError("the firmware does not know launch mitigation vectors: its reports have version %d" % version)


def ssh_host_key(channel, request=SSH_HOST_KEY):
    """-> the private key of the SSH server for ECDSA with P-256, big-endian, bytes that the caller wipes. Raises SevError."""
    derived = derive(channel, request)
    try:
        return p256_key(derived)
    finally:
        crypto.wipe(derived)


def p256_key(secret):
    """-> a private key for P-256 made from a secret: the first number in range that HKDF-SHA-256 gives."""
    for i in range(256):
        key = crypto.hkdf(256, secret, b"", _SSH_LABEL + bytes((i,)), 32)
        if bytes(32) < key < _P256_ORDER:
            return key
        crypto.wipe(key)
    raise SevError("no key for P-256 in a derived key")  # 256 in a row: not in this universe
