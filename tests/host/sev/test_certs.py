"""sev/certs.py: the host's table, which may say anything; and where AMD has its certificates."""

import struct
from binascii import b2a_base64, unhexlify

from check import raises, run, same
from sev import certs
from snpreport import CHIP

GUIDS = {  # as the document prints them
    "ARK": "c0b406a4-a803-4952-9743-3fb6014cd0ae", "ASK": "4ab7b379-bbac-4fe4-a02f-05aef327c782", "VCEK": "63da758d-e664-4564-adc5-f4b93be8accd",
    "VLEK": "a8074bc2-a25a-483e-aae6-39c045a0b8a1", "CRL": "92f81bc3-5811-4d3d-97ff-d19f88dc67ea",
}  # fmt: skip
OTHER = "ecae0c0f-9502-43b1-afa2-0ae2e0d565b6"


def entry(guid, at, size):
    return unhexlify(guid.replace("-", "")) + struct.pack("<II", at, size)


def table(*contents, gap=0, shift=0):
    """-> a table of (GUID, content), each behind the other."""
    head, body, at = b"", b"", 24 * (len(contents) + 1) + gap
    for guid, content in contents:
        head += entry(guid, at + len(body) + shift, len(content))
        body += content
    return head + bytes(24 + gap) + body


def pem(data):
    return b"-----BEGIN CERTIFICATE-----\n" + b2a_base64(data) + b"-----END CERTIFICATE-----\n"


def test_kinds():
    same(sorted(certs.KINDS.items()), sorted([(guid, kind) for kind, guid in GUIDS.items()]))


def test_tables():
    one = table((GUIDS["VCEK"], b"0vcek"))
    same(certs.table(one), [(GUIDS["VCEK"], b"0vcek")])
    same(one[:24].hex(), "63da758de6644564adc5f4b93be8accd" + "30000000" + "05000000")
    contents = [(guid, b"0" + kind.encode()) for kind, guid in sorted(GUIDS.items())]
    same(certs.table(table(*contents)), contents)
    same(certs.table(table(*contents, gap=100) + bytes(4000)), contents)
    same(certs.table(memoryview(bytearray(one))), [(GUIDS["VCEK"], b"0vcek")])
    for empty in (b"", bytes(24), bytes(4096), bytes(0x10000)):
        same(certs.table(empty), [])
    many = [("%08x-0000-0000-0000-000000000000" % i, b"x") for i in range(1, 17)]
    same(certs.table(table(*many)), many)


def test_must_fail():
    vcek = GUIDS["VCEK"]
    for wrong in (
        bytes(0x10001), b"\0", bytes(23), entry(vcek, 48, 1), entry(vcek, 48, 1) + b"x", entry(vcek, 48, 1) + bytes(23),
        table((vcek, b"0vcek"), shift=1), table((vcek, b"0vcek"))[:-1], table((vcek, b"0vcek"), shift=-1), table((vcek, b"0vcek"), shift=-48),
        table((vcek, b"")), table((vcek, b"a"), (vcek, b"b")), entry(vcek, 0xFFFFFFFF, 1) + bytes(24), entry(vcek, 48, 0xFFFFFFFF) + bytes(24),
        entry(vcek, 0xFFFFFFF0, 0x20) + bytes(24 + 32), bytes(16) + struct.pack("<II", 48, 1) + bytes(25),
        table(*[("%08x-0000-0000-0000-000000000000" % i, b"x") for i in range(1, 18)]), b"\xff" * 4096,
    ):  # fmt: skip
        raises(ValueError, certs.table, wrong)


def test_certificates_of_a_table():
    """DER and PEM; revocations and what nobody knows are passed over."""
    data = table((GUIDS["ASK"], pem(b"0ask") + pem(b"0ark")), (GUIDS["VCEK"], b"0vcek"), (GUIDS["CRL"], b"junk"), (OTHER, b"\1\0\0\0"))
    same(certs.from_table(data), [b"0ask", b"0ark", b"0vcek"])
    same(certs.crls_from_table(data), [b"junk"])
    same((certs.from_table(b""), certs.crls_from_table(b"")), ([], []))
    raises(ValueError, certs.from_table, table((GUIDS["VCEK"], b"junk")))


def test_load():
    same(certs.load(b"0der"), [b"0der"])
    same(certs.load(pem(b"0one") + b"\n" + pem(b"0two")), [b"0one", b"0two"])
    same(certs.load(pem(b"0one") + bytes(8)), [b"0one"])
    for wrong in (b"", b"text", b"\xff\xfe", pem(b"0one")[:-30], pem(b"0one").replace(b"M", b"*")):
        raises(ValueError, certs.load, wrong)


def test_urls():
    host = "https://kdsintf.amd.com"
    old = {"boot_loader": 4, "tee": 0, "snp": 24, "microcode": 219}
    new = {"fmc": 0, "boot_loader": 1, "tee": 0, "snp": 2, "microcode": 71}
    same(certs.vcek_url("Milan", CHIP, old), host + "/vcek/v1/Milan/" + CHIP.hex() + "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219")
    same(certs.vcek_url("Turin", CHIP[:8] + bytes(56), new), host + "/vcek/v1/Turin/0102030405060708?fmcSPL=00&blSPL=01&teeSPL=00&snpSPL=02&ucodeSPL=71")
    same(certs.vlek_url("Genoa", old), host + "/vlek/v1/Genoa/cert?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219")
    same(certs.chain_url("Genoa"), host + "/vcek/v1/Genoa/cert_chain")
    same(certs.chain_url("Milan", vlek=True), host + "/vlek/v1/Milan/cert_chain")
    same((certs.crl_url("Turin"), certs.crl_url("Turin", vlek=True)), (host + "/vcek/v1/Turin/crl", host + "/vlek/v1/Turin/crl"))
    raises(ValueError, certs.vcek_url, "Milan", bytes(64), old)


run(globals())
