"""sev/vcek.py: AMD's extensions of both structures, and certificates that lack or contradict them."""

import crypto
from check import raises, run, same
from dermake import AMD, certificate, extension, integer, milan, octets, p384_key, turin, value
from sev.vcek import Endorsement
from sev.x509 import Certificate

KEY = p384_key(crypto.ec_public(384, bytes(47) + b"\5"))
PROVIDER = ("5", value(22, b"Cloud"))


def endorsed(extensions, subject="SEV-VCEK"):
    return Endorsement(Certificate(certificate(subject, KEY, extensions=extensions)))


def replaced(kind, content, of=milan()):
    """-> extensions, that kind with another content, or without it."""
    start = extension(AMD + kind, b"")[2:-1]
    kept = [e for e in of if not e[2:].startswith(start[:-1])]
    assert len(kept) == len(of) - 1, kind
    return tuple(kept + ([] if content is None else [extension(AMD + kind, content)]))


def test_milan():
    got = endorsed(milan())
    same((got.product, got.stepping, got.hardware_id, got.provider), ("Milan", "B0", bytes(range(1, 65)), None))
    same(got.tcb, {"boot_loader": 4, "tee": 1, "snp": 24, "microcode": 219})
    same((endorsed(milan(name=b"Genoa")).product, endorsed(milan(name=b"Genoa-B1")).stepping), ("Genoa", "B1"))


def test_turin():
    got = endorsed(turin())
    same((got.product, got.stepping, got.hardware_id), ("Turin", "", bytes(range(1, 9)) + bytes(56)))
    same(got.tcb, {"fmc": 3, "boot_loader": 1, "tee": 2, "snp": 5, "microcode": 71})


def test_vlek():
    got = endorsed(milan(last=PROVIDER), "SEV-VLEK")
    same((got.product, got.hardware_id, got.provider, got.tcb["snp"]), ("Milan", None, "Cloud", 24))


def test_order_does_not_matter():
    same(endorsed(tuple(reversed(milan()))).tcb, endorsed(milan()).tcb)


def test_must_fail():
    for kind in ("1", "2", "3.1", "3.2", "3.3", "3.8", "4"):  # each is needed
        raises(ValueError, endorsed, replaced(kind, None))
    raises(ValueError, endorsed, replaced("3.9", None, turin()))
    for kind, content in (
        ("1", integer(1)), ("1", integer(2)), ("1", b""), ("1", integer(0) + b"\0"), ("2", value(22, b"Rome")), ("2", value(22, b"Turin")),
        ("2", value(12, b"Milan")), ("2", value(22, b"")), ("2", value(22, b"Milan-" + b"x" * 60)), ("2", value(22, b"Milan\n")), ("2", b"Milan"), ("2", value(22, b"Milan") + b"\5\0"),
        ("3.1", integer(256)), ("3.1", value(2, b"\x80")), ("3.1", octets(b"\4")), ("3.3", b"\x18"), ("3.8", value(2, b"\0\1")), ("3.4", integer(1)),
        ("3.7", integer(9)), ("4", octets(bytes(range(1, 65)))), ("4", bytes(63)), ("4", bytes(8)), ("4", b""),
    ):  # fmt: skip
        raises(ValueError, endorsed, replaced(kind, content))
    for kind, content in (("1", integer(0)), ("4", bytes(64)), ("4", bytes(9)), ("3.5", integer(1)), ("2", value(22, b"Milan"))):
        raises(ValueError, endorsed, replaced(kind, content, turin()))
    for extensions, subject in (
        (milan(), "SEV-VLEK"), (milan()[:-1], "SEV-Milan"), (milan(last=PROVIDER), "SEV-VCEK"), (milan(), "SEV-Milan"), (milan(), "sev-vcek"), ((), "SEV-VCEK"),
        (milan() + (extension(AMD + "5", value(22, b"Cloud")),), "SEV-VCEK"), (milan() + (extension(AMD + "5", value(22, b"Cloud")),), "SEV-VLEK"),
        (milan() + (extension(AMD + "3.9", integer(0)),), "SEV-VCEK"),
    ):  # fmt: skip
        raises(ValueError, endorsed, extensions, subject)


run(globals())
