"""The server's own key: ecdsa-sha2-nistp256. Where it comes from is the caller's affair.

Source: RFC 5656, 3; fingerprints as `ssh-keygen -l` prints them.
"""

# SPDX-License-Identifier: BSD-3-Clause

from binascii import b2a_base64

import crypto

from net.ssh.wire import mpint, string

ALGORITHM = "ecdsa-sha2-nistp256"


class HostKey:
    """private: 32 bytes, big-endian; ValueError where they are no key of the curve. Without: a new key."""

    def __init__(self, private=None):
        if private is None:
            made, public = crypto.ec_keypair(256)
            self._private = bytearray(made)
            crypto.wipe(made)
        else:
            self._private = bytearray(private)
            public = crypto.ec_public(256, private)
        self.blob = string(ALGORITHM.encode()) + string(b"nistp256") + string(public)

    def sign(self, data):
        """-> the signature of data, encoded with its algorithm."""
        r, s = crypto.ecdsa_sign(256, self._private, crypto.sha2(256, data))
        return string(ALGORITHM.encode()) + string(mpint(r) + mpint(s))

    @property
    def digest(self):
        """-> SHA-256 of the public key's encoding (RFC 4253, 6.6), the one that the fingerprint shows in base64."""
        return crypto.sha2(256, self.blob)

    @property
    def fingerprint(self):
        """-> text that a user compares with what the client shows."""
        return fingerprint(self.blob)

    def wipe(self):
        """Forget the private key."""
        crypto.wipe(self._private)


def fingerprint(blob):
    """-> `SHA256:…` of a public key's encoding."""
    return "SHA256:" + str(b2a_base64(crypto.sha2(256, blob)).strip(b"=\n"), "utf-8")
