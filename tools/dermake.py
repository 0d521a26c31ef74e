"""Writing DER: values, and certificates in AMD's form, which tests damage at will; for CPython and MicroPython.

A certificate's signature is whatever sign(bytes of the body) gives. Source: X.690; RFC 5280, 4.1; AMD's certificates, seen by openssl asn1parse.
"""


def value(tag, *contents):
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = 1 if length < 0x100 else 2 if length < 0x10000 else 3
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def sequence(*contents):
    return value(0x30, *contents)


def context(number, *contents):
    return value(0xA0 | number, *contents)


def integer(n):
    """n: an int, or big-endian bytes of a number that is not negative."""
    if not isinstance(n, int):
        data = bytes(n).lstrip(b"\0") or b"\0"
        return value(2, (b"\0" if data[0] & 0x80 else b"") + data)
    size = 1
    while n >= 1 << (8 * size - 1):
        size += 1
    return value(2, n.to_bytes(size, "big"))


def octets(*contents):
    return value(4, *contents)


def bits(data, unused=0):
    return value(3, bytes((unused,)), data)


def oid(text):
    arcs = [int(arc) for arc in text.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        part = bytes((arc & 0x7F,))
        while arc > 0x7F:
            arc >>= 7
            part = bytes((arc & 0x7F | 0x80,)) + part
        out += part
    return value(6, out)


TRUE, NULL = b"\1\1\xff", b"\5\0"
SHA384 = sequence(oid("2.16.840.1.101.3.4.2.2"), NULL)


def pss(hash_=SHA384, salt=48, trailer=b""):
    mask = sequence(oid("1.2.840.113549.1.1.8"), hash_)
    return sequence(oid("1.2.840.113549.1.1.10"), sequence(context(0, hash_), context(1, mask), context(2, integer(salt)), trailer))


PSS = pss()


def name(common):
    parts = (("2.5.4.11", 12, b"Engineering"), ("2.5.4.6", 19, b"US"), ("2.5.4.7", 12, b"Santa Clara"), ("2.5.4.8", 12, b"CA"),
             ("2.5.4.10", 12, b"Advanced Micro Devices"), ("2.5.4.3", 12, common.encode()))  # fmt: skip
    return sequence(*[value(0x31, sequence(oid(kind), value(tag, text))) for kind, tag, text in parts])


def rsa_key(n, e=65537):
    """n: big-endian bytes."""
    return sequence(sequence(oid("1.2.840.113549.1.1.1"), NULL), bits(sequence(integer(n), integer(e))))


def p384_key(point, curve="1.3.132.0.34"):
    return sequence(sequence(oid("1.2.840.10045.2.1"), oid(curve)), bits(point))


def extension(kind, content, critical=b""):
    return sequence(oid(kind), critical, octets(content))


CA = (extension("2.5.29.19", sequence(TRUE), TRUE), extension("2.5.29.15", bits(b"\4", 2), TRUE))
ASK = (extension("2.5.29.19", sequence(TRUE, integer(0)), TRUE), extension("2.5.29.15", bits(b"\4", 2), TRUE))
AMD = "1.3.6.1.4.1.3704.1."


def milan(boot_loader=4, tee=1, snp=24, microcode=219, name=b"Milan-B0", last=("4", bytes(range(1, 65)))):
    """-> the extensions of a VCEK of a Milan; last: ("5", an IA5String) for a VLEK."""
    return (extension(AMD + "1", integer(0)), extension(AMD + "2", value(22, name)), extension(AMD + "3.1", integer(boot_loader)),
            extension(AMD + "3.2", integer(tee)), extension(AMD + "3.4", integer(0)), extension(AMD + "3.5", integer(0)),
            extension(AMD + "3.6", integer(0)), extension(AMD + "3.7", integer(0)), extension(AMD + "3.3", integer(snp)),
            extension(AMD + "3.8", integer(microcode)), extension(AMD + last[0], last[1]))  # fmt: skip


def turin(fmc=3, boot_loader=1, tee=2, snp=5, microcode=71, chip=bytes(range(1, 9)), last=None):
    """-> the same of a Turin."""
    parts = (("3.9", fmc), ("3.1", boot_loader), ("3.2", tee), ("3.3", snp), ("3.5", 0), ("3.6", 0), ("3.7", 0), ("3.8", microcode))
    first = [extension(AMD + "1", integer(1)), extension(AMD + "2", value(22, b"Turin"))]
    return tuple(first + [extension(AMD + kind, integer(number)) for kind, number in parts] + [extension(AMD + kind, content) for kind, content in (last or ("4", chip),)])


def certificate(subject, key, sign=lambda body: b"\x55" * 512, **changes):
    """-> a certificate in DER. key: its encoding; changes: encodings of other parts, by the names below."""
    v = {"version": context(0, integer(2)), "serial": integer(0), "algorithm": PSS, "issuer": name("SEV-Milan"),
         "validity": sequence(value(23, b"250115212154Z"), value(23, b"320115212154Z")), "extensions": milan(), "extra": b"",
         "outer_algorithm": None, "tail": b""}  # fmt: skip
    for change in changes:
        assert change in v, change
    v.update(changes)
    extensions = context(3, sequence(*v["extensions"])) if v["extensions"] else b""
    subject = subject if isinstance(subject, bytes) else name(subject)
    body = sequence(v["version"], v["serial"], v["algorithm"], v["issuer"], v["validity"], subject, key, extensions, v["extra"])
    return sequence(body, v["outer_algorithm"] or v["algorithm"], bits(sign(body)), v["tail"])


def crl(serials, sign=lambda body: b"\x55" * 512, **changes):
    """-> a list of revoked certificates; serials: encodings of numbers; changes: encodings of other parts."""
    v = {"version": integer(1), "algorithm": PSS, "issuer": name("ARK-Milan"), "dates": value(23, b"260101000000Z") + value(23, b"270101000000Z"),
         "extensions": (extension("2.5.29.20", integer(7)),), "extra": b"", "outer_algorithm": None, "tail": b""}  # fmt: skip
    for change in changes:
        assert change in v, change
    v.update(changes)
    revoked = sequence(*[sequence(serial, value(23, b"251231000000Z")) for serial in serials]) if serials else b""
    extensions = context(0, sequence(*v["extensions"])) if v["extensions"] else b""
    body = sequence(v["version"], v["algorithm"], v["issuer"], v["dates"], revoked, extensions, v["extra"])
    return sequence(body, v["outer_algorithm"] or v["algorithm"], bits(sign(body)), v["tail"])
