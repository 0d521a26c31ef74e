# Fuzz what the SEV guest reads that others wrote: replies to guest messages, the secrets and CPUID pages, the blob.
#
#     MICROPYPATH=tests/fakes:.:.frozen micropython tests/fuzz/sev_replies.py SEED OPERATIONS
#
# Whatever comes in: SevError, or values that are within their bounds; no other exception. A channel whose replies are
# damaged keeps its key only in step with the processor, and the fake host fails where a number carries two texts.
# Prints the seed that fails.
import random
import struct
import sys

sys.path.pop(0)  # this folder

import psp
from sev import blob, cpuidpage, kdf, msg, payload, requests, secrets, status
from sev.channel import Channel
from sev.error import SevError

KEY = bytes(range(32))
EDGES = (0, 1, 2, 3, 4, 6, 0x1F, 0x20, 0x60, 0x7F, 0x80, 0xFF)


def noise(n):
    return b"".join([random.getrandbits(30).to_bytes(4, "little") for _ in range(n // 4 + 1)])[:n]


def damage(data, most=8):
    """Change some bytes of a buffer, at its start more often than not."""
    for _ in range(random.randrange(most)):
        if len(data):
            at = random.randrange(min(len(data), random.choice((0x40, 0x100, 4096))))
            data[at] = random.choice(EDGES) if random.getrandbits(1) else random.getrandbits(8)
    return data


def messages():
    """An answer of the processor's, damaged on the way or made badly."""
    fields = {}
    for name, bits in (("algorithm", 8), ("header", 8), ("length", 16), ("size", 16), ("version", 8), ("vmpck", 8)):
        if random.randrange(12) == 0:
            fields[name] = random.getrandbits(bits)
    text = noise(random.choice((0, 1, 31, 32, 64, 96, 128, 0x4C0, 4000, 4001)))
    page = bytearray(psp.message(KEY, random.choice((2, 2, 2, 3, 0)), random.choice((6, 6, 6, 4)), text, **fields))
    page = damage(page) if random.getrandbits(1) else page
    page = page[: random.randrange(len(page) + 1)] if random.randrange(8) == 0 else page
    try:
        got = msg.open(psp.crypto.Gcm(KEY), page, 1, 5, 1, 0)
    except SevError:
        return
    assert bytes(got) == text[: len(got)] and 0 < len(got) <= 4000


def payloads():
    data = damage(bytearray(struct.pack("<II24x", random.choice((0, 0, 0, 0x16)), 0x4A0) + noise(random.choice((0, 32, 96, 0x49F, 0x4A0, 3000)))))
    for parse, length in ((payload.report, 0x4A0), (payload.key, 32), (payload.tsc_info, 3), (payload.vmrk, None)):
        try:
            got = parse(data)
        except SevError:
            continue
        assert got is None if length is None else len(got) == length


def secrets_page():
    page = damage(psp.Psp(random.getrandbits(8)).secrets(), 16)
    if random.getrandbits(1):
        page[0x140:0x160] = damage(bytearray(struct.pack("<QQQIB3x", 0x100000, 0x100000, 0x180000, 1, random.getrandbits(3))))
    try:
        s = secrets.Secrets(page)
    except SevError:
        return
    assert 0 <= s.vmpl <= 3 and (s.svsm is None) == (s.vmpl == 0)
    for i in range(4):
        key = s.key(i)
        try:
            number = key.next()
            key.spend(number)
            assert 0 < number < (1 << 64) - 1
            assert key.next() == number + 2
        except SevError:
            pass
        key.erase("fuzz")
        assert not any(page[0x20 + 32 * i : 0x40 + 32 * i])


def cpuid_page():
    rows = [(0, 0, 0, 0, 0x1F, 0, 0, 0), (0x80000000, 0, 0, 0, 0x80000026, 0, 0, 0), (0x8000001F, 0, 0, 0, 0x1A, 51, 0, 0)]
    for _ in range(random.randrange(30)):
        leaf = random.choice((1, 1, 4, 7, 0xB, 0xD, 0xD, 0xD, 0x1F, 0x40000000, 0x8000001D, 0x8000001E, random.getrandbits(32)))
        rows.append((leaf, random.choice((0, 1, 2, 9, 63)), random.getrandbits(2), random.randrange(8) // 7) + tuple([random.getrandbits(random.choice((4, 12, 32))) for _ in range(4)]))
    if random.getrandbits(1):
        rows.sort(key=lambda row: random.getrandbits(16))
    page = bytearray(4096)
    struct.pack_into("<I", page, 0, len(rows))
    for i, row in enumerate(rows):
        struct.pack_into("<IIQQIIII", page, 0x10 + 0x30 * i, *row)
    try:
        table = cpuidpage.Table(damage(page) if random.getrandbits(1) else page)
    except SevError:
        return
    assert 32 <= table.memory.cbit <= 51
    state = cpuidpage.State(bool(random.getrandbits(1)), bool(random.getrandbits(1)), random.getrandbits(10), random.getrandbits(13))
    for leaf in (0, 1, 7, 0xB, 0xD, 0x1F, 0x40000000, 0x8000001E, random.getrandbits(32)):
        try:
            regs = table.cpuid(leaf, random.choice((0, 0, 1, 2, 63, random.getrandbits(32))), state, lambda *_: [random.getrandbits(32)] * 4)
        except SevError:
            assert leaf == 0xD
            continue
        assert len(regs) == 4 and all(0 <= reg < 1 << 32 for reg in regs), (leaf, regs)


def blobs():
    data = damage(bytearray(struct.pack("<IHHQIIQII", 0x45444D41, 1, 0, 0x80D000, 4096, 0, 0x80E000, 4096, 0)))
    try:
        found = blob.parse(data)
    except SevError:
        return
    assert found.secrets_len == 4096 <= found.cpuid_len and found.secrets_addr != found.cpuid_addr
    assert all(addr and not addr & 0xFFF and addr < 1 << 47 for addr in (found.secrets_addr, found.cpuid_addr))


def statuses():
    value, implemented = random.choice((0, 1, 3, 7, 7, 7, 7, 6)), random.getrandbits(20)
    for _ in range(random.randrange(4)):
        value |= 1 << random.randrange(random.choice((19, 64)))
    try:
        status.check(value, bool(random.getrandbits(1)), implemented)
    except SevError:
        return
    assert not value & 4 or not value & ~(0x824307 | implemented), hex(value)


def replies():
    """A channel and a host that damages what it gives back."""
    card = psp.Psp(random.getrandbits(8))
    host, page = psp.Host(card, noise(random.choice((24, 24, 17000)))), card.secrets()
    channel = Channel(host, secrets.Secrets(page).key(0))
    damages = psp.tampers(damage)

    def small(host, call):
        return psp.honest(host, call) if call.certs is None else (0, 1 << 32, random.getrandbits(random.choice((2, 5, 30))))

    for _ in range(4):
        host.faults = [random.choice((None, None, damages, psp.busy, small,
                                      psp.forged(payload=noise(random.randrange(1, 4000))))) for _ in range(3)]  # fmt: skip
        try:
            ask = random.getrandbits(2)
            if ask == 0:
                assert len(kdf.derive(channel)) == 32
            elif ask == 1:
                requests.tsc_info(channel)
            else:
                got = (requests.report if ask == 2 else requests.extended_report)(channel, bytes(64))
                assert len(got if ask == 2 else got[0]) == 0x4A0
        except SevError:
            pass
        used = struct.unpack_from("<I", page, 0xA0)[0]
        assert not any(page[0x20:0x40]) or used == card.numbers[0], "the key is out of step"


KINDS = (messages, payloads, secrets_page, cpuid_page, blobs, statuses, replies, replies)


def main(seed, operations):
    for i in range(seed, seed + operations):
        random.seed(i)
        try:
            KINDS[i % len(KINDS)]()
        except BaseException:
            print("seed %d" % i)
            raise
    print("%d replies and pages" % operations)


main(int(sys.argv[1]), int(sys.argv[2]))
