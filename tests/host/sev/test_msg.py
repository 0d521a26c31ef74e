"""sev/msg.py: messages byte for byte, and answers that are none.

The vectors were made with another AES-GCM (pyca/cryptography); tests/tools/test_sev_messages.py makes more of them.
"""

import struct

import crypto
from check import raises, run, same
from psp import message
from sev import msg
from sev.error import SevError

KEY = bytes(range(32))
REPORT = bytes(range(64)) + bytes(32)
SEALED = bytes.fromhex(
    "e22d803ca0aaea00420d0fc830cc86c4dc70dd3d68bd7d05560647e5013b996fccddd2ea048788e8f0f437f862242ea7"
    "c0e4fcb7d1456ca0bbb1da492b891678bcafa49213c0f2445044cd48be94fd5eb5f3e8b761e80896f353185b4abd740d"
)


def seal(number, kind, payload, version=1, vmpck=0):
    return bytes(msg.seal(crypto.Gcm(KEY), number, kind, version, vmpck, payload))


def open_(page, number=1, kind=5, version=1, vmpck=0):
    return bytes(msg.open(crypto.Gcm(KEY), bytearray(page), number, kind, version, vmpck))


def test_vectors():
    head = bytes.fromhex("0f354f26b13f7433d3674d8eebcaf847") + bytes(16) + b"\1" + bytes(15)
    aad = bytes.fromhex("0101600005016000") + bytes(40)
    same(seal(1, 5, REPORT), head + aad + SEALED)
    got = seal(3, 3, struct.pack("<QQQQ", 0, 0x3F, 0, 0))
    same((got[:16], got[0x60:]), (bytes.fromhex("ace850d9449cc60e007940813eab9841"), bytes.fromhex("908c5899595132d8c7388fa492d606c92fd3c064da9bd2e0cb97494f1e4bd012")))
    got = seal(5, 17, bytes(128))
    same((got[:16], got[0x60:0x70]), (bytes.fromhex("8ec619b8da31bbad0b05ab61b8c0db63"), bytes.fromhex("e66badc133a753d9b48a5d04097e24b2")))


def test_types():
    same((msg.KEY_REQ, msg.REPORT_REQ, msg.VMRK_REQ, msg.TSC_INFO_REQ, msg.PAGE_LEN), (3, 5, 13, 17, 4096))


def test_offsets():
    m = seal(0x1122334455667788, 0x0D, bytes(0x123), version=7, vmpck=2)
    same(len(m), 0x60 + 0x123)
    same((m[0x10:0x20], m[0x20:0x28], m[0x28:0x30]), (bytes(16), bytes.fromhex("8877665544332211"), bytes(8)))
    same((m[0x30:0x38], m[0x38:0x3C], m[0x3C], m[0x3D:0x60]), (bytes.fromhex("010160000d072301"), bytes(4), 2, bytes(35)))


def test_open():
    answer = bytes.fromhex("de3801bae370a7895a2281d7fc5cc6be") + bytes(16) + b"\2" + bytes(15) + bytes.fromhex("0101600006012000") + bytes(40)
    answer += bytes.fromhex("f06eeb60faa568bdadbd6e148c86f702510c68c0d6fb80134a76183a68817913")
    same(open_(answer), struct.pack("<I28x", 0x16))
    same(open_(answer + bytes(4096 - len(answer))), struct.pack("<I28x", 0x16))  # a page of it
    for n in (1, 31, 3999, 4000):
        text = bytes((i & 0xFF for i in range(n)))
        same(open_(message(KEY, 8, 18, text, 1, 3), 7, 17, 1, 3), text)
    page = bytearray(answer)
    msg.open(crypto.Gcm(KEY), page, 1, 5, 1, 0)
    same(page[0x60:], bytes(32))  # nothing of it stays where it was decrypted
    # Bytes that are not authenticated, and reserved ones that are.
    other = bytearray(answer)
    other[0x10:0x20] = other[0x28:0x30] + b"\xff" * 8
    same(open_(other), struct.pack("<I28x", 0x16))


def test_every_bit_counts():
    """One flipped bit, anywhere but where the format has nothing: no answer."""
    answer = message(KEY, 2, 6, bytes(32))
    for bit in range(8 * len(answer)):
        if 0x10 <= bit >> 3 < 0x20 or 0x28 <= bit >> 3 < 0x30:
            continue
        page = bytearray(answer)
        page[bit >> 3] ^= 1 << (bit & 7)
        raises(SevError, open_, page)


def test_what_is_no_answer():
    table = (
        (bytes(0x5F), "answer of 95 bytes"),
        (bytes(4096), "answer with algorithm 0, not 1"),
        (message(KEY, 2, 6, bytes(32), algorithm=2), "answer with algorithm 2, not 1"),
        (message(KEY, 2, 6, bytes(32), header=2), "answer with header version 2, not 1"),
        (message(KEY, 2, 6, bytes(32), length=0x61), "answer with header length 97, not 96"),
        (message(KEY, 2, 5, bytes(32)), "answer with type 5, not 6"),
        (message(KEY, 2, 6, bytes(32), version=2), "answer with version 2, not 1"),
        (message(KEY, 2, 6, bytes(32), vmpck=1), "answer with VMPCK 1, not 0"),
        (message(KEY, 1, 6, bytes(32)), "answer with sequence number 1, not 2"),
        (message(KEY, 0, 6, bytes(32)), "answer with sequence number 0, not 2"),
        (message(KEY, 3, 6, bytes(32)), "answer with sequence number 3, not 2"),
        (message(KEY, 1 << 32 | 2, 6, bytes(32)), "answer with sequence number 4294967298, not 2"),
        (message(KEY, 2, 6, b""), "answer with a payload of 0 bytes"),
        (message(KEY, 2, 6, bytes(4001)), "answer with a payload of 4001 bytes"),
        (message(KEY, 2, 6, bytes(32), size=33), "answer with a payload of 33 bytes"),
        (message(KEY, 2, 6, bytes(32))[:-1], "answer with a payload of 32 bytes"),
        (message(KEY, 2, 6, bytes(32), size=31), "answer that is not the secure processor's: its tag is wrong"),
        (message(bytes(32), 2, 6, bytes(32)), "answer that is not the secure processor's: its tag is wrong"),
    )
    for page, text in table:
        same(str(raises(SevError, open_, page)), text)


def test_what_cannot_be_sent():
    for number, vmpck, payload in ((0, 0, b"x"), (-1, 0, b"x"), (1 << 64, 0, b"x"), (1, 4, b"x"), (1, -1, b"x"), (1, 0, b""), (1, 0, bytes(4001))):
        raises(ValueError, seal, number, 5, payload, 1, vmpck)
    same(len(seal((1 << 64) - 1, 5, bytes(4000), 1, 3)), 4096)


run(globals())
