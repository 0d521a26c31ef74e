"""X.509 certificates, as far as AMD's keys have them: DER in, a Certificate or one ValueError out.

Source: RFC 5280, 4.1 and 4.2; RFC 4055, 3.1 (RSASSA-PSS); RFC 5480, 2 (P-384). One signature algorithm:
RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes. Keys: RSA, P-384. Not here: other extensions than basic
constraints, key usage and those that are told by their OID alone; unique identifiers; lists of revoked certificates.
"""

# SPDX-License-Identifier: BSD-3-Clause

import crypto
from micropython import const

from sev import der
from sev.der import DERError, Reader

CERTIFICATE_MAX = 8192  # bytes; AMD's have under 1700

_EXTENSIONS_MAX = const(32)
_ATTRIBUTES_MAX = const(16)
_RSA_BYTES_MIN = const(512)  # AMD's have 4096 bits
_RSA_BYTES_MAX = const(1024)
_SALT_LEN = const(48)
_KEY_CERT_SIGN = const(0x04)  # of the first byte of KeyUsage

_RSA_PSS, _MGF1, _SHA384 = "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8", "2.16.840.1.101.3.4.2.2"
_RSA, _EC, _P384 = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.3.132.0.34"
_COMMON_NAME, _KEY_USAGE, _BASIC_CONSTRAINTS = "2.5.4.3", "2.5.29.15", "2.5.29.19"


class Certificate:
    """raw: all bytes; serial: big-endian bytes, b"" for 0; issuer, subject: encodings; issuer_name, subject_name: their common
    names; not_before, not_after: s from 1970 on; spki: the encoding of the key; extensions: OID -> bytes; ca: may sign
    certificates, of which path_len (None: any number) may stand between it and the last.
    """

    def __init__(self, data):
        """data: bytes. ValueError (DERError): no certificate, or one that AMD would not make."""
        if len(data) > CERTIFICATE_MAX:
            raise DERError("certificate of %d bytes" % len(data))
        self.raw = bytes(data)
        self._signed, algorithm, self._signature = signed_parts(self.raw)
        inner = Reader(self._signed, depth=1)
        self._take(inner.inside(der.SEQUENCE), algorithm)

    def _take(self, body, algorithm):
        version = body.inside(der.context(0))
        if version.small() != 2:
            raise DERError("certificate is not of version 3")
        version.check_end()
        self.serial = body.positive()
        if body.whole(der.SEQUENCE) != algorithm:
            raise DERError("certificate names two signature algorithms")
        check_algorithm(Reader(algorithm, depth=2))
        self.issuer, self.issuer_name = name(body)
        validity = body.inside(der.SEQUENCE)
        self.not_before, self.not_after = validity.time(), validity.time()
        validity.check_end()
        self.subject, self.subject_name = name(body)
        self.spki = body.whole(der.SEQUENCE)
        self._rsa, self._point = _key(Reader(self.spki, depth=2))
        self.extensions, critical = _extensions(body)
        body.check_end()
        self._take_extensions(critical)

    def _take_extensions(self, critical):
        for oid in critical:
            if oid not in (_KEY_USAGE, _BASIC_CONSTRAINTS):
                raise DERError("certificate has the unknown critical extension " + oid)
        self.ca, self.path_len = _basic_constraints(self.extensions.get(_BASIC_CONSTRAINTS))
        usage = self.extensions.get(_KEY_USAGE)
        if usage is not None and not _may_sign(usage):
            self.ca = False

    def signed_by(self, issuer):
        """-> True if this certificate's signature is by the key of the Certificate issuer."""
        return issuer.has_signed(self._signed, self._signature)

    def has_signed(self, data, signature):
        """-> True if that is a signature of data in the one algorithm of certificates, by this certificate's RSA key."""
        if not self._rsa:
            return False
        n, e = self._rsa
        return crypto.rsa_verify(n, e, 384, crypto.sha2(384, data), signature, True)

    def verify(self, data, r, s):
        """-> True if r and s (big-endian) are the signature of data, ECDSA with SHA-384, by this certificate's key of P-384."""
        return bool(self._point) and crypto.ecdsa_verify(384, self._point, crypto.sha2(384, data), r, s)

    def valid_at(self, seconds):
        """seconds: from 1970 on."""
        return self.not_before <= seconds <= self.not_after


def signed_parts(data):
    """-> (encoding of what is signed, of the algorithm, signature) of a certificate or a list (RFC 5280, 4.1 and 5.1)."""
    outer = Reader(data)
    body = outer.inside(der.SEQUENCE)
    outer.check_end()
    parts = body.whole(der.SEQUENCE), body.whole(der.SEQUENCE), body.octet_bits()
    body.check_end()
    return parts


def check_algorithm(reader):
    """Raise DERError unless what follows is an AlgorithmIdentifier with the RSASSA-PSS-params that are meant.

    AMD's roots write the trailer field although it is the default.
    """
    body = reader.inside(der.SEQUENCE)
    if body.oid() != _RSA_PSS:
        raise DERError("certificate's signature is not RSASSA-PSS")
    parameters = body.inside(der.SEQUENCE)
    body.check_end()
    _check_sha384(parameters.inside(der.context(0)))
    mask = parameters.inside(der.context(1))
    function = mask.inside(der.SEQUENCE)
    mask.check_end()
    if function.oid() != _MGF1:
        raise DERError("mask of the signature is not MGF1")
    _check_sha384(function)
    salt = parameters.inside(der.context(2))
    trailer = parameters.inside(der.context(3)) if parameters.more() else None
    parameters.check_end()
    if salt.small() != _SALT_LEN or trailer and trailer.small() != 1:
        raise DERError("signature has another salt or trailer")
    salt.check_end()
    if trailer:
        trailer.check_end()


def _check_sha384(reader):
    hash_ = reader.inside(der.SEQUENCE)
    reader.check_end()
    if hash_.oid() != _SHA384:
        raise DERError("signature's hash is not SHA-384")
    if hash_.more():
        hash_.null()
    hash_.check_end()


def name(body):
    """-> (encoding of a Name, its common name or "")"""
    encoding = body.whole(der.SEQUENCE)
    common, count = "", 0
    sequence = Reader(encoding, depth=2).inside(der.SEQUENCE)
    while sequence.more():
        group = sequence.inside(der.SET)
        attribute = group.inside(der.SEQUENCE)
        group.check_end()
        oid, value = attribute.oid(), attribute.text()
        attribute.check_end()
        if oid == _COMMON_NAME:
            if common:
                raise DERError("name has two common names")
            common = value
        count += 1
        if count > _ATTRIBUTES_MAX:
            raise DERError("name has too many parts")
    return encoding, common


def _key(reader):
    """-> ((modulus, exponent), None) of an RSA key or (None, point) of P-384."""
    body = reader.inside(der.SEQUENCE)
    algorithm = body.inside(der.SEQUENCE)
    kind = algorithm.oid()
    bits = body.octet_bits()
    body.check_end()
    if kind == _RSA:
        algorithm.null()
        algorithm.check_end()
        return _rsa_key(bits), None
    if kind != _EC or algorithm.oid() != _P384:
        raise DERError("certificate's key is neither RSA nor of P-384")
    algorithm.check_end()
    crypto.ecdsa_verify(384, bits, bytes(48), b"\0", b"\0")  # ValueError: no point of the curve; zeroes end it before the work
    return None, bits


def _rsa_key(bits):
    outer = Reader(bits, depth=3)
    numbers = outer.inside(der.SEQUENCE)
    outer.check_end()
    n, e = numbers.positive(), numbers.positive()
    numbers.check_end()
    if not _RSA_BYTES_MIN <= len(n) <= _RSA_BYTES_MAX or not 1 <= len(e) <= 4:
        raise DERError("RSA key of %d bits" % (8 * len(n)))
    if not n[-1] & e[-1] & 1 or e == b"\1":
        raise DERError("RSA key with a bad modulus or exponent")
    return n, e


def _extensions(body):
    """-> ({OID: content}, [OIDs of the critical ones])"""
    found, critical = {}, []
    if not body.more():
        return found, critical
    outer = body.inside(der.context(3))
    sequence = outer.inside(der.SEQUENCE)
    outer.check_end()
    while sequence.more():
        one = sequence.inside(der.SEQUENCE)
        oid = one.oid()
        if oid in found or len(found) == _EXTENSIONS_MAX:
            raise DERError("certificate has an extension twice, or too many")
        if one.next_is(der.BOOLEAN) and one.boolean():
            critical.append(oid)
        found[oid] = one.content(der.OCTETS)
        one.check_end()
    return found, critical


def _basic_constraints(data):
    """-> (is an authority, length of the path below it or None)"""
    if data is None:
        return False, None
    outer = Reader(data, depth=3)
    body = outer.inside(der.SEQUENCE)
    outer.check_end()
    ca = body.next_is(der.BOOLEAN) and body.boolean()
    length = body.small() if ca and body.more() else None
    body.check_end()
    return ca, length


def _may_sign(data):
    outer = Reader(data, depth=3)
    bits, _ = outer.bits()
    outer.check_end()
    return bool(bits and bits[0] & _KEY_CERT_SIGN)
