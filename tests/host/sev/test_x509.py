"""sev/x509.py: certificates part by part, and damaged ones. Signatures that are true: tests/sev."""

import crypto
import dermake
from check import raises, run, same
from dermake import ASK, CA, NULL, TRUE, bits, certificate, context, extension, integer, milan, name, octets, oid, p384_key, pss, rsa_key, sequence, value
from sev.x509 import Certificate

POINT = crypto.ec_public(384, bytes(47) + b"\5")
KEY = p384_key(POINT)
MODULUS = b"\xc1" + bytes(510) + b"\1"
RSA = rsa_key(MODULUS)


def test_leaf():
    got = Certificate(certificate("SEV-VCEK", KEY))
    same((got.subject_name, got.issuer_name, got.serial, got.ca, got.path_len), ("SEV-VCEK", "SEV-Milan", b"", False, None))
    same((got.not_before, got.not_after), (1736976114, 1957814514))
    same((got.subject, got.issuer, got.spki), (name("SEV-VCEK"), name("SEV-Milan"), KEY))
    same(got.extensions["1.3.6.1.4.1.3704.1.3.8"], b"\2\2\0\xdb")
    same(len(got.extensions), 11)
    same([got.valid_at(s) for s in (1736976113, 1736976114, 1957814514, 1957814515)], [False, True, True, False])


def test_authorities():
    got = Certificate(certificate("ARK-Milan", RSA, extensions=CA, serial=integer(0x10001), algorithm=pss(trailer=context(3, integer(1)))))
    same((got.ca, got.path_len, got.serial), (True, None, b"\1\0\1"))
    got = Certificate(certificate("SEV-Milan", RSA, extensions=ASK))
    same((got.ca, got.path_len), (True, 0))
    for extensions in ((), (CA[0],), (CA[1],), (extension("2.5.29.19", sequence(), TRUE), CA[1]),
                       (CA[0], extension("2.5.29.15", bits(b"\x80", 7), TRUE)), (CA[0], extension("2.5.29.15", bits(b""), TRUE))):  # fmt: skip
        got = Certificate(certificate("SEV-Milan", RSA, extensions=extensions))
        same((len(extensions), got.ca), (len(extensions), extensions == (CA[0],)))


def test_signatures():
    """By the key of P-384; and none by keys of the wrong kind."""
    leaf = Certificate(certificate("SEV-VCEK", KEY))
    r, s = crypto.ecdsa_sign(384, bytes(47) + b"\5", crypto.sha2(384, b"data"))
    same((leaf.verify(b"data", r, s), leaf.verify(b"dat", r, s), leaf.verify(b"data", s, r)), (True, False, False))
    same([leaf.verify(b"data", *pair) for pair in ((bytes(48), s), (r, bytes(48)), (b"\xff" * 48, s), (bytes(48), bytes(48)))], [False] * 4)
    root = Certificate(certificate("ARK-Milan", RSA, extensions=CA))
    same((root.verify(b"data", r, s), leaf.signed_by(leaf), leaf.signed_by(root)), (False, False, False))


ALGORITHM_RSA = sequence(oid("1.2.840.113549.1.1.1"), NULL)
PSS_OID, MGF1_OID, SHA384 = oid("1.2.840.113549.1.1.10"), oid("1.2.840.113549.1.1.8"), dermake.SHA384


def algorithm(kind=PSS_OID, hash_=SHA384, after_hash=b"", mask=MGF1_OID, after_mask=b"", salt=integer(48), trailer=b"", tail=b""):
    """-> an AlgorithmIdentifier part by part; as it is, the good one."""
    parameters = sequence(context(0, hash_, after_hash), context(1, sequence(mask, SHA384), after_mask), context(2, salt), trailer)
    return sequence(kind, parameters, tail)


BAD_ALGORITHMS = (
    algorithm(kind=oid("1.2.840.113549.1.1.12")), algorithm(tail=NULL), algorithm(hash_=sequence(oid("2.16.840.1.101.3.4.2.2"), NULL, NULL)),
    algorithm(after_hash=NULL), algorithm(mask=oid("1.2.840.113549.1.1.9")), algorithm(after_mask=NULL), algorithm(salt=integer(48) + NULL),
    algorithm(trailer=context(3, integer(1), NULL)), algorithm(trailer=context(3, integer(1)) + NULL), algorithm(salt=integer(47)),
)  # fmt: skip


def test_algorithms():
    same(algorithm(), dermake.PSS)
    Certificate(certificate("SEV-VCEK", KEY, algorithm=algorithm(hash_=sequence(oid("2.16.840.1.101.3.4.2.2")))))  # NULL may be left out
    for wrong in BAD_ALGORITHMS:
        raises(ValueError, Certificate, certificate("SEV-VCEK", KEY, algorithm=wrong))


BAD = (  # changes of a good certificate
    {"tail": NULL}, {"issuer": sequence(value(0x31, sequence(oid("2.5.4.3"), value(12, b"a"), NULL)))},
    {"extensions": (), "extra": context(3, sequence(*milan()), NULL)},
    {"version": b""}, {"version": context(0, integer(1))}, {"version": context(0, integer(2), NULL)}, {"serial": value(2, b"\x80")},
    {"serial": b""}, {"outer_algorithm": pss(trailer=context(3, integer(1)))}, {"algorithm": pss(salt=32)}, {"algorithm": pss(salt=0)},
    {"algorithm": pss(trailer=context(3, integer(2)))}, {"algorithm": pss(trailer=context(4, integer(1)))},
    {"algorithm": pss(trailer=context(3, integer(1)) + NULL)}, {"algorithm": pss(sequence(oid("2.16.840.1.101.3.4.2.1"), NULL))},
    {"algorithm": pss(sequence(oid("2.16.840.1.101.3.4.2.2"), TRUE))}, {"algorithm": ALGORITHM_RSA}, {"algorithm": sequence(oid("1.2.840.113549.1.1.10"))},
    {"algorithm": sequence(oid("1.2.840.113549.1.1.10"), sequence())}, {"algorithm": sequence(oid("1.2.840.113549.1.1.12"), NULL)},
    {"issuer": sequence(b"\4\0")}, {"issuer": sequence(value(0x31, sequence(oid("2.5.4.3"))))}, {"issuer": b""},
    {"issuer": sequence(value(0x31, sequence(oid("2.5.4.3"), value(12, b"a")), sequence(oid("2.5.4.6"), value(12, b"b"))))},
    {"issuer": sequence(*[value(0x31, sequence(oid("2.5.4.3"), value(12, b"a")))] * 2)},
    {"issuer": sequence(*[value(0x31, sequence(oid("2.5.4.6"), value(12, b"a")))] * 17)}, {"validity": sequence()},
    {"validity": sequence(value(23, b"250115212154Z"))}, {"validity": sequence(*[value(23, b"250115212154Z")] * 3)},
    {"validity": sequence(value(23, b"250115212154Z"), value(23, b"321315212154Z"))}, {"extra": NULL}, {"extra": context(1)},
    {"extensions": milan() + (extension("1.2.3", b"", TRUE),)}, {"extensions": milan() + milan()[:1]},
    {"extensions": [extension("1.2.%d" % i, b"") for i in range(33)]}, {"extensions": (sequence(oid("1.2.3")),)},
    {"extensions": (sequence(oid("1.2.3"), octets(b""), NULL),)}, {"extensions": (extension("2.5.29.19", b""),)},
    {"extensions": (extension("2.5.29.19", sequence(TRUE, integer(0), NULL)),)}, {"extensions": (extension("2.5.29.19", sequence() + NULL),)},
    {"extensions": (extension("2.5.29.15", NULL),)}, {"extensions": (extension("2.5.29.15", bits(b"\4", 2) + NULL),)},
)  # fmt: skip

BAD_KEYS = (
    sequence(sequence(oid("1.2.840.10045.2.2"), oid("1.3.132.0.34")), bits(POINT)), sequence(sequence(oid("1.2.840.10045.2.1"), oid("1.3.132.0.34"), NULL), bits(POINT)),
    sequence(sequence(oid("1.2.840.10045.2.1"), oid("1.3.132.0.34")), bits(POINT), NULL), sequence(sequence(oid("1.2.840.113549.1.1.1"), NULL, NULL), bits(sequence(integer(MODULUS), integer(3)))),
    b"", p384_key(POINT, "1.2.840.10045.3.1.7"), p384_key(POINT[:-1]), p384_key(POINT[:-1] + bytes((POINT[-1] ^ 1,))), p384_key(b""),
    p384_key(b"\2" + POINT[1:49]), p384_key(bytes(97)), rsa_key(MODULUS[:256]), rsa_key(MODULUS[:-1] + b"\2"), rsa_key(MODULUS, 65536),
    rsa_key(MODULUS, 1), rsa_key(b"\xc1" + bytes(1024) + b"\1"), rsa_key(MODULUS, 2**33 + 1), sequence(sequence(oid("1.3.101.112")), bits(bytes(32))),
    sequence(sequence(oid("1.2.840.113549.1.1.1")), bits(sequence(integer(MODULUS), integer(3)))),
    sequence(ALGORITHM_RSA, bits(sequence(integer(MODULUS), integer(3), NULL))), sequence(ALGORITHM_RSA, bits(sequence(integer(MODULUS), integer(3)) + NULL)),
    sequence(ALGORITHM_RSA, bits(sequence(integer(MODULUS)))),
)  # fmt: skip


def test_must_fail():
    for changes in BAD:
        raises(ValueError, Certificate, certificate("SEV-VCEK", KEY, **changes))
    for key in BAD_KEYS:
        raises(ValueError, Certificate, certificate("SEV-VCEK", key))


def test_lengths():
    """Cut anywhere, longer by anything, larger than any."""
    good = certificate("SEV-VCEK", KEY)
    for size in range(len(good)):
        raises(ValueError, Certificate, good[:size])
    for more in (b"\0", NULL, good):
        raises(ValueError, Certificate, good + more)
    raises(ValueError, Certificate, sequence(good))
    raises(ValueError, Certificate, certificate("SEV-VCEK", KEY, extensions=milan() + (extension("1.2.3", bytes(8000)),)))
    same(Certificate(bytearray(good)).raw, good)


def test_what_is_signed():
    """Any byte of the body that is changed is refused, or seen in the bytes that the signature covers."""
    good = certificate("SEV-VCEK", KEY)
    body = Certificate(good)._signed
    start = good.index(body)
    refused = 0
    for i in range(len(good)):
        try:
            got = Certificate(good[:i] + bytes((good[i] ^ 1 << (i & 7),)) + good[i + 1 :])
        except ValueError:
            refused += 1
            continue
        assert (got._signed != body) == (start <= i < start + len(body)), i
    assert refused > 200, refused


run(globals())
