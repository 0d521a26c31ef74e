"""sev/msg.py and sev/kdf.py against pyca/cryptography: each opens what the other sealed, and derives the same."""

import os
import pathlib
import random
import struct
import subprocess

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import qemu

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
ROUNDS = 200


def micropython(lines):
    """Run sev_messages.py over lines -> its lines."""
    path = os.pathsep.join(map(str, [ROOT / "tests" / "fakes", ROOT, ".frozen"]))
    done = subprocess.run([qemu.BUILD / "unix" / "micropython", "-X", "heapsize=16M", HERE / "sev_messages.py"], input="\n".join(lines) + "\n",
                          env={**os.environ, "MICROPYPATH": path}, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def rounds(seed):
    """Yield (key, number, type, version, VMPCK, payload) at random."""
    dice = random.Random(seed)
    for i in range(ROUNDS):
        payload = dice.randbytes(dice.choice((1, 16, 32, 40, 96, 128, 0x4C0, 3999, 4000)))
        yield dice.randbytes(32), dice.choice((1, 2, dice.getrandbits(32), dice.getrandbits(63))) | 1, dice.randrange(1, 255), i % 3, i % 4, payload


def header(number, kind, version, vmpck, size):
    """The header without its tag, from the table of the specification."""
    return struct.pack("<32xQ8xBBHBBH4xB35x", number, 1, 1, 0x60, kind, version, size, vmpck)[32:]


def nonce(number):
    return number.to_bytes(12, "little")


def test_sealed_here():
    wanted = list(rounds(1))
    lines = micropython([f"seal {key.hex()} {number} {kind} {version} {vmpck} {payload.hex()}" for key, number, kind, version, vmpck, payload in wanted])
    assert len(lines) == ROUNDS
    for line, (key, number, kind, version, vmpck, payload) in zip(lines, wanted):
        sealed = bytes.fromhex(line)
        head = header(number, kind, version, vmpck, len(payload))
        assert sealed[16:0x60] == bytes(16) + head
        assert AESGCM(key).decrypt(nonce(number), sealed[0x60:] + sealed[:16], head[16:]) == payload


def test_sealed_elsewhere():
    wanted, lines = list(rounds(2)), []
    for i, (key, number, kind, version, vmpck, payload) in enumerate(wanted):
        head = header(number + 1, kind + 1, version, vmpck, len(payload))
        sealed = AESGCM(key).encrypt(nonce(number + 1), payload, head[16:])
        page = bytearray((sealed[-16:] + bytes(16) + head + sealed[:-16]).ljust(4096, b"\0"))
        if i % 5 == 0:
            page[(0, 15, 0x60, 0x5F + len(payload))[i % 4]] ^= 1
        lines.append(f"open {key.hex()} {number} {kind} {version} {vmpck} {page.hex()}")
    for i, (line, (*_, payload)) in enumerate(zip(micropython(lines), wanted, strict=True)):
        assert line == (payload.hex() if i % 5 else "answer that is not the secure processor's: its tag is wrong")


def test_host_key():
    secrets = [random.Random(seed).randbytes(32) for seed in range(20)]
    for line, secret in zip(micropython([f"p256 {secret.hex()}" for secret in secrets]), secrets, strict=True):
        key = HKDF(hashes.SHA256(), 32, None, b"keelback/ssh-host-key/ecdsa-p256/v1/\0").derive(secret)
        assert line == key.hex()
        ec.derive_private_key(int.from_bytes(key, "big"), ec.SECP256R1())
