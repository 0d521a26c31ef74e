"""sev/kdf.py: what a derived key depends on, and the SSH host key."""

import struct

import crypto
import psp
from check import raises, run, same
from net.ssh.hostkey import HostKey
from sev import kdf, payload
from sev.channel import Channel
from sev.error import SevError
from sev.secrets import Secrets


def made(**guest):
    card = psp.Psp()
    for name, value in guest.items():
        setattr(card, name, value)
    host = psp.Host(card)
    return host, Channel(host, Secrets(card.secrets()).key())


def request(**fields):
    values = dict(zip(("fields", "vmpl", "svn", "tcb", "mit_vector", "key", "vmrk"), kdf.DEFAULT))
    values.update(fields)
    return payload.KeyRequest(**values)


def derive(guest=None, **fields):
    return bytes(kdf.derive(made(**(guest or {}))[1], request(**fields)))


def test_default():
    """The chip's key, for this policy, measurement and SVN 0."""
    same(kdf.DEFAULT, (0b011001, 0, 0, 0, None, 0, False))
    chosen = struct.pack("<IQI", 0, 0b011001, 0) + struct.pack("<Q", 0x30000) + bytes(range(48)) + struct.pack("<I", 0)
    same(derive(), crypto.hmac(256, b"the chip's secret", chosen))
    host, channel = made()
    same((type(kdf.derive(channel)), len(host.calls), bytes(kdf.derive(channel))), (bytearray, 1, derive()))


def test_what_it_depends_on():
    guests = ({"measurement": bytes(48)}, {"policy": 0xB0000})
    keys = [derive()] + [derive(g) for g in guests]
    keys += [derive(vmpl=1), derive(svn=1), derive(fields=payload.MEASUREMENT), derive(key=payload.VCEK), derive(vmrk=True)]
    keys += [derive(fields=kdf.DEFAULT.fields | payload.TCB_VERSION, tcb=t) for t in (0, 1)]
    same(len(set(keys)), len(keys))
    same([derive(g, fields=payload.GUEST_SVN) for g in guests], [derive(fields=payload.GUEST_SVN)] * 2)


def test_refusals():
    for fields in ({"svn": 3}, {"tcb": 6}, {"tcb": 1 << 32}, {"key": payload.VLEK}):
        host, channel = made()
        text = "invalid key (0x27)" if "key" in fields else "invalid parameter (0x16)"
        same(str(raises(SevError, kdf.derive, channel, request(**fields))), "key refused: " + text)
        same(bytes(kdf.derive(channel)), derive())  # the VMPCK is still there
    host, channel = made(vmpl=1)
    same(str(raises(SevError, kdf.derive, channel)), "key refused: invalid parameter (0x16)")


def test_launch_mitigation_vector():
    new = {"report_version": 5}
    with_vector = request(fields=kdf.DEFAULT.fields | payload.LAUNCH_MIT_VECTOR, mit_vector=3)
    host, channel = made(**new)
    key = bytes(kdf.derive(channel, with_vector))
    same((host.psp.done, key != derive(new)), ([(0, 1, 5), (0, 3, 3)], True))
    unset = request(fields=with_vector.fields, mit_vector=4)
    same(str(raises(SevError, kdf.derive, channel, unset)), "key refused: invalid parameter (0x16)")
    # Older firmware refuses the message, which would cost the key: it is not asked.
    host, channel = made(report_version=3, mit_known=False)
    same(str(raises(SevError, kdf.derive, channel, with_vector)), "the firmware does not know launch mitigation vectors: its reports have version 3")
    same(bytes(kdf.derive(channel)), derive())
    raises(ValueError, kdf.derive, channel, request(fields=64))
    same(host.psp.numbers[0], 4)


def test_ssh_host_key():
    key = kdf.ssh_host_key(made()[1])
    secret = derive(fields=0b011111)
    same((secret == derive(), kdf.SSH_HOST_KEY), (False, request(fields=0b011111)))
    same((key, len(key)), (crypto.hkdf(256, secret, b"", b"keelback/ssh-host-key/ecdsa-p256/v1/\0", 32), 32))
    same(key, kdf.ssh_host_key(made()[1]))
    assert key != kdf.ssh_host_key(made(measurement=bytes(48))[1])
    assert key != kdf.ssh_host_key(made()[1], request(fields=0b011111, svn=1))
    assert HostKey(key).fingerprint == HostKey(kdf.ssh_host_key(made()[1])).fingerprint


def test_candidates_out_of_range():
    """A candidate of 0, or at or above the order, is passed over; the curve itself says which numbers are keys."""
    order = int.from_bytes(kdf._P256_ORDER, "big")
    raises(ValueError, crypto.ec_public, 256, kdf._P256_ORDER)
    crypto.ec_public(256, (order - 1).to_bytes(32, "big"))
    wrong = [bytes(32), kdf._P256_ORDER, b"\xff" * 32, (order + 1).to_bytes(32, "big")]
    last = (order - 1).to_bytes(32, "big")

    class Stub:
        wiped = []

        def hkdf(self, bits, secret, salt, info, length):
            same((bits, secret, salt, info[:-1], length), (256, b"secret", b"", kdf._SSH_LABEL, 32))
            return (wrong + [last])[info[-1]] if info[-1] < 5 else bytes(32)

        def wipe(self, *what):
            self.wiped += what

    real, kdf.crypto = kdf.crypto, Stub()
    try:
        same((kdf.p256_key(b"secret"), Stub.wiped), (last, wrong))
        wrong[:] = [bytes(32)] * 5
        same(str(raises(SevError, kdf.p256_key, b"secret")), "no key for P-256 in a derived key")
    finally:
        kdf.crypto = real


def test_answers_are_wiped():
    """What the key passed through on its way holds nothing of it."""
    host, channel = made()
    seen = []
    real = channel.request

    def request_(*args):
        seen.append(real(*args))
        return seen[-1]

    channel.request = request_
    key = kdf.derive(channel)
    same((any(key), [any(answer) for answer in seen]), (True, [False]))
    real_derive = kdf.derive

    def derive_(*args):
        seen.append(real_derive(*args))
        return seen[-1]

    kdf.derive = derive_
    try:
        assert any(kdf.ssh_host_key(channel))
    finally:
        kdf.derive = real_derive
    same([any(answer) for answer in seen], [False] * 3)


run(globals())
