"""User authentication: who may enter. Without keys everybody may (method none), with keys who signs with one of them.

Any user name will do: there are no users. Left out: passwords, certificates, host-based authentication.
Source: RFC 4252; RFC 8332 (RSA with SHA-2).
"""

# SPDX-License-Identifier: BSD-3-Clause

import crypto
from micropython import const

from net.ssh.consts import *
from net.ssh.keys import ALGORITHMS
from net.ssh.wire import boolean, byte, name_list, string

_FAILURES_MAX = const(20)  # an agent with many keys asks for each

_REFUSED = byte(MSG_USERAUTH_FAILURE) + name_list(("publickey",)) + boolean(False)


class Authentication:
    """Of one connection. keys: list of PublicKey, or None: open to all."""

    def __init__(self, keys):
        self._keys = keys
        self._failures = 0

    def request(self, session_id, reader):
        """Judge a USERAUTH_REQUEST. -> (answer, True if the user is in, their PublicKey or None)."""
        user, service, method = reader.string(), reader.text(), reader.text()
        if service != "ssh-connection":
            raise Disconnect(DISCONNECT_SERVICE_NOT_AVAILABLE, "no such service")
        if self._keys is None:
            return byte(MSG_USERAUTH_SUCCESS), True, None
        if method == "publickey":
            answer = self._public_key(session_id, user, reader)
            if answer:
                return answer
        self._failures += method != "none"
        if self._failures > _FAILURES_MAX:
            raise Disconnect(DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE, "too many authentication failures")
        return _REFUSED, False, None

    def _public_key(self, session_id, user, reader):
        """-> as request(), or None to refuse."""
        signed, algorithm, blob = reader.boolean(), reader.text(), reader.string()
        signature = reader.string() if signed else None
        reader.check_end()
        key = self._find(blob)
        if not key or ALGORITHMS.get(algorithm, ("",))[0] != key.kind:
            return None
        if not signed:
            return byte(MSG_USERAUTH_PK_OK) + string(algorithm.encode()) + string(blob), False, None
        parts = (user, b"ssh-connection", b"publickey")
        data = string(session_id) + byte(MSG_USERAUTH_REQUEST) + b"".join([string(part) for part in parts])
        data += boolean(True) + string(algorithm.encode()) + string(blob)
        if key.verify(algorithm, signature, data):
            return byte(MSG_USERAUTH_SUCCESS), True, key
        return None

    def _find(self, blob):
        for key in self._keys:
            if crypto.equal(key.blob, blob):
                return key
        return None
