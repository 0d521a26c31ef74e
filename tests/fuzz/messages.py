# Fuzz what reads messages of the network in Python: DNS answers and NTP answers.
#
#     MICROPYPATH=tests/fakes:.:.frozen micropython tests/fuzz/messages.py SEED OPERATIONS
#
# Whatever comes in: MessageError, NTPError or None, or a value whose parts have their sizes; no other exception, and
# no message takes longer than its length allows. Prints the seed that fails.
import random
import struct
import sys
import time

sys.path.pop(0)  # this folder

from net import dnswire, sntp

NAME = b"\x06golang\x03org\x00"
COOKIE = b"\1\2\3\4\5\6\7\x08"
LIMIT_MS = 2000  # for one message, on a busy host


def pieces():
    """-> a part of a DNS message, sound or not."""
    kind = random.randrange(6)
    owner = random.choice((b"\xc0\x0c", NAME, b"\0", b"\xc0" + bytes((random.getrandbits(6),)), b"\x01a\xc0\x0c", struct.pack(">H", 0xC000 | random.getrandbits(9))))
    record_kind = random.choice((1, 28, 5, 41, 2, random.getrandbits(16)))
    data = random.choice((bytes(4), bytes(16), owner, NAME, b"", bytes(random.getrandbits(6))))
    length = len(data) if kind else random.getrandbits(16)
    return owner + struct.pack(">HHIH", record_kind, random.choice((1, 1, 1, 3, 255)), random.getrandbits(30), length) + data


def dns_message():
    count = random.randrange(8)
    body = b"".join([pieces() for _ in range(count)])
    counts = [count, 0, 0] if random.randrange(3) else [random.getrandbits(random.choice((2, 4, 16))) for _ in range(3)]
    flags = random.choice((0x8180, 0x8180, 0x8183, 0x8380, random.getrandbits(16)))
    message = struct.pack(">HHHHHH", 7, flags, random.choice((1, 1, 1, 0, 2)), *counts) + NAME + b"\0\1\0\1" + body
    if random.randrange(16) == 0:
        message += pieces() * random.randrange(4000)
    return damaged(message)


def damaged(message):
    message = bytearray(message)
    for _ in range(random.choice((0, 0, 1, 2, 8))):
        if message:
            message[random.randrange(len(message))] = random.getrandbits(8)
    return bytes(message[: random.randrange(len(message) + 1)] if random.randrange(4) == 0 else message)


def dns():
    try:
        answer = dnswire.parse(dns_message(), 7, NAME, dnswire.A)
    except dnswire.MessageError:
        return
    assert all(len(a) == 4 for a in answer.addresses), answer
    assert answer.alias is None or (not answer.addresses and 0 < len(answer.alias) <= 255), answer


def ntp():
    head = struct.pack(">BBbbII4s", random.choice((0x24, 0x1C, random.getrandbits(8))), random.choice((0, 1, 15, 16, 255)), 6, -20,
                       random.getrandbits(random.choice((8, 16, 30))), random.getrandbits(random.choice((8, 16, 30))), bytes(4))  # fmt: skip
    times = b"".join([random.getrandbits(30).to_bytes(4, "big") + bytes(4) for _ in range(2)])
    try:
        answer = sntp.parse(damaged(head + bytes(8) + COOKIE + times), COOKIE)
    except sntp.NTPError:
        return
    assert answer is None or (1 <= answer[0] <= 15 and answer[1] > -(10**18) and answer[2] > -(10**18)), answer


def main(seed, operations):
    for i in range(operations):
        random.seed(seed + i)
        start = time.ticks_ms()
        try:
            (dns if i & 3 else ntp)()
            assert time.ticks_diff(time.ticks_ms(), start) < LIMIT_MS, "too slow"
        except BaseException:
            print("seed %d" % (seed + i))
            raise
    print("%d messages" % operations)


main(int(sys.argv[1]), int(sys.argv[2]))
