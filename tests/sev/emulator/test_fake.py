"""tests/fakes/psp.py, with which the tests of sev/ were made, judges messages as the emulator's secure processor does."""

import os
import pathlib
import random
import struct
import subprocess

import pspc
import qemu
from pspc import KEY, OK, REPORT, TSC, Keyed, key_payload, report_payload

HERE = pathlib.Path(__file__).parent
POLICY, SVN, TCB, MIT = 0x30000, 2, 0x4408000000000005, 0b1011  # of the fake
GUESTS, MESSAGES = 30, 60
EDGES = (0, 1, 2, 3, 4, 7, 8, 0x3F, 0x40, 0x7F, 0x80, 1 << 63, TCB, TCB + 1, TCB + (1 << 56))


def payload(dice):
    """-> (type, version, a payload), good more often than not."""
    kind = dice.choice((REPORT, REPORT, KEY, KEY, KEY, TSC, 13, dice.randrange(20)))
    version = dice.choice((1, 1, 1, 2, 2, 0, 3)) if kind == KEY else dice.choice((1, 1, 1, 1, 2))
    if kind == REPORT:
        data = bytearray(report_payload(dice.randbytes(64), dice.choice((0, 1, 2, 3, 4)), dice.choice((0, 0, 1, 2, 3, 4))))
    elif kind == KEY:
        pick = lambda *good: dice.choice((*good, *good, dice.choice(EDGES)))
        data = bytearray(key_payload(pick(0, 0x3F, 0x7F), pick(0, 1, 2, 4) & 0xFFFFFFFF, pick(0, 1, 3) & 3, pick(0, 2) & 0xFF, pick(0, TCB),
                                     None if version == 1 else pick(0, 1, MIT)))
        data += bytes(dice.choice((0, 0, 64 - len(data), 1, 30)))
    else:
        data = bytearray(128)
    if dice.randrange(6) == 0:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return kind, version, bytes(data)[: dice.choice((None, None, None, None, dice.randrange(1, len(data))))]


def page(dice, guest):
    """-> a request, good more often than not."""
    vmpck = dice.choice((0, 0, 0, 1, 2, 3))
    kind, version, data = payload(dice)
    number = guest.numbers[vmpck] + dice.choice((0, 0, 0, 0, 0, 0, 1, -2, 2))
    wrong = dice.choice((*[{}] * 12, {"algorithm": 2}, {"header_version": 0}, {"header_len": 0x61}, {"zero28": 1}, {"zero38": 1 << 31}, {"size": 0},
                         {"zero3d": bytes(34) + b"\1"}, {"rest": bytes(15) + b"\1"}, {"size": 4001}))  # fmt: skip
    made = bytearray(pspc.seal(guest.keys[vmpck], max(number, 0), kind, data, version, vmpck, **wrong))
    if dice.randrange(10) == 0:
        made[dice.randrange(0xC0)] ^= 1 << dice.randrange(8)
    return bytes(made)


def same_answer(kind, ours, theirs, key):
    """Both must have the same header, size and status; what a key is made of is each one's own."""
    assert ours[16:0x60] == theirs[16:0x60]
    size = struct.unpack_from("<H", ours, 0x36)[0]
    number = ours[0x20:0x28] + bytes(4)
    plain = [pspc.AESGCM(key).decrypt(number, p[0x60 : 0x60 + size] + p[:16], p[0x30:0x60]) for p in (ours, theirs)]
    if kind == REPORT:
        plain = [p[:0x58] + p[0x70:0xB0] for p in plain]  # up to the TCB, and the report data
    elif kind == KEY:
        assert bool(any(plain[0][32:])) == bool(any(plain[1][32:]))
        plain = [p[:32] for p in plain]
    assert plain[0] == plain[1]


def test_same_judgment(library):
    dice = random.Random(1)
    path = os.pathsep.join(map(str, [pspc.ROOT / "tests" / "fakes", pspc.ROOT, ".frozen"]))
    with subprocess.Popen([qemu.BUILD / "unix" / "micropython", HERE / "fake_side.py"], text=True, cwd=pspc.ROOT, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env={**os.environ, "MICROPYPATH": path}) as process:  # fmt: skip

        def tell(line):
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return process.stdout.readline().split()

        seen = {}
        for seed in range(GUESTS):
            vlek, mit, vmpl = dice.random() < 0.5, dice.random() < 0.5, dice.choice((0, 0, 1))
            (keys,) = tell(f"{seed} {vlek:d} {mit:d} {vmpl}")
            guest = Keyed(library, bytes.fromhex(keys), policy=POLICY, guest_svn=SVN, launch_mit=MIT if mit else 0, vlek=vlek, measurement=bytes(range(48)),
                          committed_tcb=TCB, tsc_factor=200, tsc_offset=0xFFFFFFFFFFFF0000, report_version=5 if mit else 3, product="Milan")
            for _ in range(MESSAGES):
                request = page(dice, guest)
                status, response = guest.hand_over(request, vmpl)
                theirs = tell(request.hex())
                assert status == int(theirs[0]), (request[:0xC0].hex(), guest.complaint, theirs[0])
                seen[status] = seen.get(status, 0) + 1
                if status == OK:
                    vmpck = request[0x3C]
                    same_answer(request[0x34], response, bytes.fromhex(theirs[1]).ljust(4096, b"\0"), guest.keys[vmpck])
                    guest.numbers[vmpck] += 2
        assert len(seen) == 4 and min(seen.values()) > 20 and seen[OK] > 150, seen
        process.stdin.close()
