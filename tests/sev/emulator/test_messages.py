"""Guest messages: what the secure processor takes, what it refuses and how, and that its counters then stay."""

import struct

import pytest

from pspc import AEAD_OFLOW, BAD_MEASUREMENT, INVALID_PARAM, KEY, OK, REPORT, TSC, UNTOUCHED, Guest, Keyed, key_payload, report_payload, seal

HEADERS = {  # field -> (status, words of the complaint, values)
    "rest": (INVALID_PARAM, "tag's second half", [bytes(i) + b"\1" for i in range(16)]),
    "zero28": (INVALID_PARAM, "reserved bytes at 0x28", [1 << 8 * i for i in range(8)]),
    "algorithm": (INVALID_PARAM, "algorithm", (0, 2, 0x81)),
    "header_version": (INVALID_PARAM, "header version", (0, 2, 0x81)),
    "header_len": (INVALID_PARAM, "header length", (0, 0x40, 0x5F, 0x61, 0x160)),
    "zero38": (INVALID_PARAM, "reserved bytes at 0x38", [1 << 8 * i for i in range(4)]),
    "zero3d": (INVALID_PARAM, "reserved bytes at 0x3d", [bytes(i) + b"\1" for i in range(35)]),
    "size": (INVALID_PARAM, "payload of", (0, 4001, 0xFFFF)),
    "vmpck": (INVALID_PARAM, "there are 0 to 3", (4, 5, 0xFF)),
}
PAYLOADS = {  # name -> (type, version, payload, words of the complaint)
    "report short": (REPORT, 1, bytes(95), "payload of 95 bytes"),
    "report long": (REPORT, 1, bytes(97), "payload of 97 bytes"),
    "report version 0": (REPORT, 0, bytes(96), "version 0 is not known"),
    "report version 2": (REPORT, 2, bytes(96), "version 2 is not known"),
    "key short": (KEY, 1, bytes(31), "payload of 31 bytes"),
    "key long": (KEY, 1, bytes(65), "payload of 65 bytes"),
    "key version 2 short": (KEY, 2, bytes(39), "payload of 39 bytes"),
    "key version 3": (KEY, 3, bytes(40), "version 3 is not known"),
    "TSC short": (TSC, 1, bytes(127), "payload of 127 bytes"),
    "TSC version 2": (TSC, 2, bytes(128), "version 2 is not known"),
    "key selection": (REPORT, 1, report_payload(key=4), "key selection 0x4"),
    "key root": (KEY, 1, key_payload(root=8), "root 0x8"),
    "key field": (KEY, 1, key_payload(fields=1 << 63), "fields 0x8000000000000000"),
    "key field of version 2": (KEY, 1, key_payload(fields=1 << 6), "fields 0x40"),
    "key field of version 3": (KEY, 2, key_payload(fields=1 << 7, mit=0), "fields 0x80"),
    **{f"type {kind}": (kind, 1, bytes(96), f"type {kind}, version 1 is not known") for kind in (0, 1, 2, 4, 6, 8, 18, 19, 255)},
}
RESERVED = {"report": (REPORT, 1, 96, range(72, 96)), "key": (KEY, 1, 32, range(4, 8)), "key tail": (KEY, 1, 64, range(32, 64)),
            "key 2 tail": (KEY, 2, 64, range(40, 64)), "TSC": (TSC, 1, 128, range(128))}  # fmt: skip


@pytest.fixture
def still_works(guest):
    """Afterwards a good message under the expected number is answered."""
    yield guest
    assert guest.report()[:4] == b"\5\0\0\0"
    assert guest.complaint is None
    status, _ = guest.hand_over(guest.seal(TSC, bytes(128), number=1))
    assert status == AEAD_OFLOW  # and counted


@pytest.mark.parametrize("field", HEADERS)
def test_header(still_works, field):
    """Under a number of its own: even so refused, a message that was sealed has spent its number."""
    status, words, values = HEADERS[field]
    for value in values:
        still_works.refuses(still_works.seal(REPORT, report_payload(), number=99, **{field: value}), status, words)
    assert still_works.library.psp_reuses() == (0 if field in ("rest", "zero28", "size", "vmpck") else len(values) - 1)
    for value in values:
        still_works.refuses(still_works.seal(REPORT, report_payload(), number=0, **{field: value}), status, words)
        damaged = bytearray(still_works.seal(REPORT, report_payload(), **{field: value}))
        damaged[0] ^= 1
        still_works.refuses(bytes(damaged), status, words)
    before = still_works.library.psp_reuses()
    still_works.refuses(still_works.seal(REPORT, report_payload(), **{field: values[0]}), status, words)  # the number of the next
    assert still_works.ask(REPORT, report_payload())
    spent = field not in ("rest", "zero28", "size", "vmpck")  # the first two the host may have written
    assert still_works.library.psp_reuses() == before + spent and (still_works.complaint is not None) == spent


def test_tag(still_works):
    good = still_works.seal(REPORT, report_payload())
    for bit in [*range(128), *range(0x30 * 8, 0x60 * 8, 8), *range(0x60 * 8, 0xC0 * 8, 5)]:
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        status, response = still_works.hand_over(bytes(bad))
        assert status == (INVALID_PARAM if 0x30 <= bit // 8 < 0x34 or 0x38 <= bit // 8 < 0x60 and bit // 8 != 0x3C else BAD_MEASUREMENT), bit
        assert response == UNTOUCHED
    still_works.refuses(still_works.seal(REPORT, report_payload(), tag=b"\1")[:16] + bytes(16) + good[32:0x60] + bytes(96) + good[0xC0:],
                        BAD_MEASUREMENT, "the tag is wrong")  # fmt: skip


def test_wrong_key(still_works):
    for vmpck in range(1, 4):
        page = seal(still_works.keys[vmpck], 1, REPORT, report_payload())
        still_works.refuses(page, BAD_MEASUREMENT, "VMPCK0: sequence number 1: the tag is wrong")
    still_works.refuses(seal(bytes(32), 1, REPORT, report_payload()), BAD_MEASUREMENT, "the tag is wrong")


@pytest.mark.parametrize("name", PAYLOADS)
def test_payload(guest, name):
    kind, version, payload, words = PAYLOADS[name]
    guest.refuses(guest.seal(kind, payload, version), INVALID_PARAM, words)
    assert guest.report()  # the counters stayed
    assert "for a second text" in guest.complaint and guest.library.psp_reuses() == 1  # but a guest must not do that


@pytest.mark.parametrize("name", RESERVED)
def test_reserved(library, name):
    kind, version, size, where = RESERVED[name]
    for at in where:
        guest = Guest(library)
        payload = bytearray(size)
        payload[at] = 0x80
        guest.refuses(guest.seal(kind, bytes(payload), version), INVALID_PARAM, "of the payload are not zero")
        page = guest.seal(kind, bytes(size), version)
        assert guest.hand_over(page)[0] == OK


@pytest.mark.parametrize("vmpck", range(4))
def test_sequence(guest, vmpck):
    for number in (0, 2, 3, 1 << 32, (1 << 64) - 1):
        guest.refuses(guest.seal(TSC, bytes(128), vmpck=vmpck, number=number), AEAD_OFLOW,
                      f"VMPCK{vmpck}: sequence number {number} that is not the next (expected 1)")
    first = guest.seal(REPORT, report_payload(b"1" * 64, vmpl=3), vmpck=vmpck)
    for _ in range(3):
        guest.ask(REPORT, report_payload(b"1" * 64, vmpl=3), vmpck=vmpck)
    guest.refuses(first, AEAD_OFLOW, f"VMPCK{vmpck}: sequence number 1 again, for the same text (expected 7)")
    assert guest.library.psp_reuses() == 0
    other = guest.seal(REPORT, report_payload(b"2" * 64, vmpl=3), vmpck=vmpck, number=3)
    guest.refuses(other, AEAD_OFLOW, "sequence number 3 again, for another text: the key stream is given away (expected 7)")
    assert guest.library.psp_reuses() == 1
    guest.refuses(guest.seal(TSC, bytes(128), vmpck=vmpck, number=4), AEAD_OFLOW, "sequence number 4 that an answer had: the key stream")
    guest.refuses(guest.seal(TSC, bytes(128), vmpck=vmpck, number=6), AEAD_OFLOW, "sequence number 6 that an answer had: the key stream")
    assert guest.library.psp_reuses() == 3
    guest.refuses(seal(bytes(32), 5, TSC, bytes(128), vmpck=vmpck), AEAD_OFLOW, "sequence number 5 again, and a wrong tag")
    guest.ask(TSC, bytes(128), vmpck=vmpck)
    for other in set(range(4)) - {vmpck}:  # each key has a counter of its own
        guest.refuses(guest.seal(TSC, bytes(128), vmpck=other, number=9), AEAD_OFLOW, "expected 1")


def test_long_ago(guest):
    for _ in range(20):
        guest.ask(TSC, bytes(128))
    guest.refuses(guest.seal(TSC, bytes(128), number=1), AEAD_OFLOW, "sequence number 1 again, of long ago (expected 41)")
    guest.refuses(guest.seal(TSC, bytes(128), number=11), AEAD_OFLOW, "sequence number 11 again, for the same text")
    guest.library.psp_observe(guest.seal(TSC, bytes(128), number=1))  # forgotten, and nothing newer forgotten for it
    guest.refuses(guest.seal(REPORT, report_payload(), number=33), AEAD_OFLOW, "sequence number 33 again, for another text")


def test_unseen_text(guest):
    """The host was busy and kept a message; the guest then seals another one under its number, which the processor cannot notice."""
    page = guest.seal(REPORT, report_payload(b"1" * 64))
    guest.library.psp_observe(page)
    assert guest.complaint is None
    guest.library.psp_observe(page)
    assert guest.complaint is None and guest.library.psp_reuses() == 0
    assert guest.hand_over(guest.seal(REPORT, report_payload(b"2" * 64)))[0] == OK
    assert "VMPCK0: sequence number 1 for a second text" in guest.complaint
    assert guest.library.psp_reuses() == 1
    guest.library.psp_observe(guest.seal(REPORT, report_payload(b"3" * 64)))
    assert "for a second text" in guest.complaint and guest.library.psp_reuses() == 2
    for page in (bytes(4096), guest.seal(TSC, bytes(128), vmpck=200), guest.seal(TSC, bytes(128), size=4001), guest.seal(TSC, bytes(128), number=0),
                 guest.seal(TSC, bytes(128), number=4), seal(bytes(32), 1, TSC, bytes(128))):  # no messages, or not yet a guest's
        guest.library.psp_observe(page)
        assert guest.complaint is None and guest.library.psp_reuses() == 2
    guest.library.psp_observe(guest.seal(TSC, bytes(128), number=2))  # which an answer had
    assert "for a second text" in guest.complaint and guest.library.psp_reuses() == 3


def test_used_before(library):
    """Another used the keys before: the secrets page says so, and the numbers go on."""
    guest = Guest(library, used=(2, 0, (1 << 32) - 2, 1 << 40))
    assert struct.unpack_from("<4I", guest.secrets, 0xA0) == (2, 0, 0xFFFFFFFE, 0)
    assert struct.unpack_from("<4I", guest.secrets, 0xB8) == (0, 0, 0, 256) and guest.secrets[0xDE:0xE0] == b"\1\0"
    for vmpck in range(4):
        guest.ask(TSC, bytes(128), vmpck=vmpck)
        guest.ask(TSC, bytes(128), vmpck=vmpck)


def test_used_up(library):
    guest = Guest(library, used=((1 << 64) - 4, 0, 0, 0))
    guest.ask(TSC, bytes(128))
    guest.refuses(guest.seal(TSC, bytes(128), number=(1 << 64) - 1), AEAD_OFLOW, "VMPCK0: sequence numbers are used up")


def test_tsc(library):
    guest = Guest(library, tsc_scale=0x123456789ABCDEF0, tsc_offset=(1 << 64) - 5, tsc_factor=200)
    assert guest.ask(TSC, bytes(128)) == struct.pack("<IIQQI100x", OK, 0, 0x123456789ABCDEF0, (1 << 64) - 5, 200)


@pytest.mark.parametrize("kind", (7, 9, 11, 13, 15))
def test_migration(guest, kind):
    """Only an agent may: a well-made answer says that."""
    assert guest.ask(kind, bytes(64)) == struct.pack("<I12x", INVALID_PARAM)
    assert f"type {kind} is a migration agent's" in guest.complaint
    assert guest.report()


def test_longest(guest):
    assert guest.ask(7, bytes(4000))[:4] == struct.pack("<I", INVALID_PARAM)


def test_in_place(guest):
    """The response page may be the request page."""
    import ctypes

    page = ctypes.create_string_buffer(guest.seal(TSC, bytes(128)), 4096)
    assert guest.library.psp_guest_request(page, page, 0) == OK
    assert guest.open(page.raw, TSC)[:4] == bytes(4)


KNOWN = [  # number, type, payload, tag and ciphertext by another AES-GCM under the key 00..1f, VMPCK0
    (1, REPORT, report_payload(bytes(range(64))), "0f354f26b13f7433d3674d8eebcaf847"
     "e22d803ca0aaea00420d0fc830cc86c4dc70dd3d68bd7d05560647e5013b996fccddd2ea048788e8f0f437f862242ea7c0e4fcb7d1456ca0bbb1da492b891678"
     "bcafa49213c0f2445044cd48be94fd5eb5f3e8b761e80896f353185b4abd740d"),
    (3, KEY, key_payload(fields=0x3F), "ace850d9449cc60e007940813eab9841908c5899595132d8c7388fa492d606c92fd3c064da9bd2e0cb97494f1e4bd012"),
    (5, TSC, bytes(128), "8ec619b8da31bbad0b05ab61b8c0db63e66badc133a753d9b48a5d04097e24b2"),
]  # fmt: skip
KNOWN_REFUSAL = "de3801bae370a7895a2281d7fc5cc6bef06eeb60faa568bdadbd6e148c86f702510c68c0d6fb80134a76183a68817913"  # 16h, 32 bytes, number 2


def test_known_messages(library):
    """Sealed elsewhere, and taken here byte by byte; a refusal is, byte by byte, what it must be."""
    keys = bytes(range(32)) + bytes(96)
    guest = Keyed(library, keys)
    for number, kind, payload, known in KNOWN:
        known = bytes.fromhex(known)
        page = guest.seal(kind, payload)
        assert number == guest.numbers[0] and page[:16] == known[:16] and page[0x60 : 0x50 + len(known)] == known[16:]
        assert guest.hand_over(page)[0] == OK
        guest.numbers[0] += 2
    guest = Keyed(library, keys)
    status, response = guest.hand_over(guest.seal(REPORT, report_payload(vmpl=4)))
    assert status == OK and response[:16] + response[0x60:0x80] == bytes.fromhex(KNOWN_REFUSAL)
