"""AMD's three keys as a test makes them, and reports signed by them: Python's cryptography signs, tools/dermake.py writes.

Source: VCEK Certificate and KDS Interface Specification (57230); the forms of AMD's own certificates.
"""

import functools
import hashlib
import importlib.util
import pathlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import dermake
import snpidentity

FAKES = pathlib.Path(__file__).parents[1] / "fakes"


def fake(name):
    """Return a module of tests/fakes, without a path to the others, which take the places of MicroPython's."""
    spec = importlib.util.spec_from_file_location(name, FAKES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


snpreport = fake("snpreport")
CERTIFIED = snpidentity.validity(snpidentity.AUTHORITY_YEARS)  # an authority's
NOW = 1790000000  # 2026-09-21, within all validities here


@functools.cache
def rsa_key(name):
    """Return an RSA key of 4096 bits, one for each name."""
    return rsa.generate_private_key(65537, 4096)


@functools.cache
def p384_key(name):
    return ec.generate_private_key(ec.SECP384R1())


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def pin(key="ark"):
    """Return what stands for a root: the SHA-256 of its public key."""
    return hashlib.sha256(spki(rsa_key(key))).hexdigest()


def signer(key):
    pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
    return lambda body: rsa_key(key).sign(body, pss, hashes.SHA384())


@functools.cache
def ark(product="Milan", key="ark", by=None, **changes):
    """Return a root's certificate; changes: encodings, as dermake.certificate() takes them."""
    name = f"ARK-{product}"
    parts = {"issuer": dermake.name(name), "extensions": dermake.CA, "serial": dermake.integer(0x10001), "validity": CERTIFIED, "algorithm": snpidentity.TRAILER}
    return dermake.certificate(name, spki(rsa_key(key)), signer(by or key), **{**parts, **changes})


@functools.cache
def ask(product="Milan", vlek=False, key="ask", by="ark", **changes):
    """Return the certificate of a key that signs VCEKs, or VLEKs."""
    parts = {"issuer": dermake.name(f"ARK-{product}"), "extensions": dermake.ASK, "serial": dermake.integer(0x10002), "validity": CERTIFIED,
             "algorithm": snpidentity.TRAILER}
    return dermake.certificate(f"SEV-VLEK-{product}" if vlek else f"SEV-{product}", spki(rsa_key(key)), signer(by), **{**parts, **changes})


@functools.cache
def leaf(product="Milan", vlek=False, key="leaf", by="ask", **changes):
    """A VCEK, or a VLEK, with the TCB and the chip of tests/fakes/snpreport.py."""
    if product == "Turin":
        extensions = dermake.turin()
    else:
        last = ("5", dermake.value(22, b"Some Cloud")) if vlek else ("4", snpreport.CHIP)
        extensions = dermake.milan(name=b"Milan-B0" if product == "Milan" else product.encode(), last=last)
    parts = {"issuer": dermake.name(f"SEV-VLEK-{product}" if vlek else f"SEV-{product}"), "extensions": extensions}
    return dermake.certificate("SEV-VLEK" if vlek else "SEV-VCEK", spki(p384_key(key)), signer(by), **{**parts, **changes})


def crl(*serials, by="ark", **changes):
    """Return the root's list, with these numbers in it."""
    return dermake.crl([dermake.integer(n) for n in serials], signer(by), **changes)


def chain(product="Milan", vlek=False):
    """Return [leaf, ASK, ARK]."""
    return [leaf(product, vlek), ask(product, vlek), ark(product)]


def sign(data, key="leaf"):
    """Return a report with a signature over its first 0x2A0 bytes."""
    r, s = utils.decode_dss_signature(p384_key(key).sign(data[:0x2A0], ec.ECDSA(hashes.SHA384())))
    numbers = [number.to_bytes(48, "little") + bytes(24) for number in (r, s)]
    return data[:0x2A0] + b"".join(numbers) + data[0x330:]


def report(key="leaf", **fields):
    """Return a signed report of a Milan; fields: as of snpreport.make()."""
    return sign(snpreport.make(**fields), key)


def turin(**fields):
    return sign(snpreport.turin(**fields))
