"""Lists of revoked certificates, as AMD's roots sign them: DER in, a RevocationList or one ValueError out.

Source: RFC 5280, 5.1 and 5.2. A root's list tells which of the authorities below it (ASK, ASVK) are revoked; VCEKs all have the
serial number 0, so that none of them can be. Not here: lists of changes, reasons, lists that another than the issuer signs.
"""

# SPDX-License-Identifier: BSD-3-Clause

from micropython import const

from sev import der, x509
from sev.der import DERError, Reader

CRL_MAX = 0x4000  # bytes, what the host's table can have
_VERSION_2 = const(1)
_NUMBER, _AUTHORITY = "2.5.29.20", "2.5.29.35"  # extensions that change nothing of what the list means


class RevocationList:
    """issuer: encoding of its name; this_update, next_update: s from 1970 on, the second may be None; serials: big-endian bytes of each."""

    def __init__(self, data):
        """data: bytes. ValueError (DERError): no list, or one with parts that could mean something else."""
        data = bytes(data)
        if len(data) > CRL_MAX:
            raise DERError("revocation list of %d bytes" % len(data))
        self._signed, algorithm, self._signature = x509.signed_parts(data)
        self._take(Reader(self._signed, depth=1).inside(der.SEQUENCE), algorithm)

    def _take(self, body, algorithm):
        if body.small() != _VERSION_2:
            raise DERError("revocation list is not of version 2")
        if body.whole(der.SEQUENCE) != algorithm:
            raise DERError("revocation list names two signature algorithms")
        x509.check_algorithm(Reader(algorithm, depth=2))
        self.issuer, _ = x509.name(body)
        self.this_update = body.time()
        self.next_update = body.time() if body.next_is(der.UTC_TIME) or body.next_is(der.TIME) else None
        self.serials = _revoked(body) if body.next_is(der.SEQUENCE) else []
        if body.more():
            _check_extensions(body, (_NUMBER, _AUTHORITY))
        body.check_end()

    def signed_by(self, issuer):
        """-> True if the list's signature is by the key of the Certificate issuer."""
        return issuer.has_signed(self._signed, self._signature)

    def current_at(self, seconds):
        """seconds: from 1970 on."""
        return self.this_update <= seconds and (self.next_update is None or seconds <= self.next_update)


def _revoked(body):
    serials = []
    entries = body.inside(der.SEQUENCE)
    while entries.more():
        entry = entries.inside(der.SEQUENCE)
        serials.append(entry.positive())
        entry.time()
        if entry.more():
            entry.whole(der.SEQUENCE)  # reason and the like: revoked is revoked
        entry.check_end()
    return serials


def _check_extensions(body, harmless):
    """A critical one, such as that of a list of changes or of a part, would make this another list than it seems."""
    outer = body.inside(der.context(0))
    sequence = outer.inside(der.SEQUENCE)
    outer.check_end()
    while sequence.more():
        one = sequence.inside(der.SEQUENCE)
        oid = one.oid()
        if one.next_is(der.BOOLEAN) and one.boolean() and oid not in harmless:
            raise DERError("revocation list has the unknown critical extension " + oid)
        one.content(der.OCTETS)
        one.check_end()
