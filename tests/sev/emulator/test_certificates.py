"""The host's certificate table, in all its forms, as sev/certs.py and a reader of its own take it."""

import base64
import ctypes
import re
import struct
import subprocess
import uuid

import pytest

import pspc
from pspc import Guest, der

GUIDS = {"ark": "c0b406a4-a803-4952-9743-3fb6014cd0ae", "ask": "4ab7b379-bbac-4fe4-a02f-05aef327c782", "vcek": "63da758d-e664-4564-adc5-f4b93be8accd",
         "vlek": "a8074bc2-a25a-483e-aae6-39c045a0b8a1", "crl": "92f81bc3-5811-4d3d-97ff-d19f88dc67ea"}  # fmt: skip


def table(library, form, room=0x4000):
    """-> (bytes needed, the buffer)."""
    assert library.psp_certificates_form(form.encode())
    buffer = ctypes.create_string_buffer(b"\xee" * room, room)
    need = library.psp_certificates(buffer, room)
    return need, buffer.raw


def entries(data):
    """-> {GUID: content}; the table must be whole and exactly as long as it needs to be."""
    found, at, end = {}, 0, 0
    while data[at : at + 24] != bytes(24):
        offset, size = struct.unpack_from("<II", data, at + 16)
        found[str(uuid.UUID(bytes=data[at : at + 16]))] = data[offset : offset + size]
        assert size and offset + size <= len(data)
        at, end = at + 24, max(end, offset + size)
    assert end in (0, len(data)) and min([*[struct.unpack_from("<I", data, i + 16)[0] for i in range(0, at, 24)], at + 24]) == at + 24
    return found


@pytest.fixture(autouse=True)
def plain_again(library):
    yield
    library.psp_certificates_form(b"der")


@pytest.mark.parametrize("vlek", (False, True))
@pytest.mark.parametrize("product", ("Milan", "Genoa", "Turin"))
def test_contents(library, product, vlek):
    Guest(library, product=product, vlek=vlek)
    leaf, authority = ("vlek", "asvk") if vlek else ("vcek", "ask")
    chain = {GUIDS[leaf]: der(product, leaf), GUIDS["ask"]: der(product, authority), GUIDS["ark"]: der(product, "ark")}
    wanted = {"der": chain, "crl": {**chain, GUIDS["crl"]: der(product, "crl")}, "revoked": {**chain, GUIDS["crl"]: der(product, "crl_revoked")},
              "empty": {}, "no-chain": {GUIDS[leaf]: der(product, leaf)}}  # fmt: skip
    for form, expected in wanted.items():
        need, buffer = table(library, form)
        assert entries(buffer[:need]) == expected
        assert buffer[need:] == b"\xee" * (0x4000 - need)
        assert library.psp_certificates(None, 0) == need
        assert table(library, form, need)[1] == buffer[:need]
        assert table(library, form, need - 1) == (need, b"\xee" * (need - 1))


@pytest.mark.parametrize("vlek", (False, True))
@pytest.mark.parametrize("product", ("Milan", "Genoa", "Turin"))
def test_pem(library, product, vlek):
    Guest(library, product=product, vlek=vlek)
    need, buffer = table(library, "pem")
    found = entries(buffer[:need])
    leaf, authority = ("vlek", "asvk") if vlek else ("vcek", "ask")
    for guid, name in (("ark", "ark"), ("ask", authority), (leaf, leaf)):
        text = found[GUIDS[guid]].decode()
        assert text == (pspc.OUT / "identity" / product.lower() / f"{name}.pem").read_text()
        assert base64.b64decode(re.sub("-----.*-----", "", text)) == der(product, name)
    done = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=found[GUIDS[leaf]], capture_output=True, check=True)
    assert f"SEV-{leaf.upper()}".encode() in done.stdout


def test_damaged(library):
    Guest(library)
    need, buffer = table(library, "damaged")
    found = entries(buffer[:need])
    assert found[GUIDS["vcek"]][:-1] == der("Genoa", "vcek")[:-1]
    assert found[GUIDS["vcek"]][-1] ^ 1 == der("Genoa", "vcek")[-1]


def test_malformed(library):
    Guest(library)
    need, buffer = table(library, "beyond")
    assert struct.unpack_from("<I", buffer, 16)[0] + struct.unpack_from("<I", buffer, 20)[0] > need
    need, buffer = table(library, "endless")
    assert need == 4096 and bytes(24) not in buffer[:4096] and len({buffer[at : at + 24] for at in range(0, 4080, 24)}) == 1
    assert table(library, "endless", 4095) == (4096, b"\xee" * 4095)


def test_size(library):
    """What hosts have room for: Linux takes 16 KiB."""
    for product in ("Milan", "Genoa", "Turin"):
        for form in ("der", "crl", "pem"):
            Guest(library, product=product)
            assert 4096 < table(library, form)[0] < 0x4000
