"""net/ssh/kex.py: what is agreed on, the exchange as a client sees it, and the keys that come out."""

import crypto
from check import raises, run, same
from net.ssh import kex
from net.ssh.consts import DISCONNECT_KEY_EXCHANGE_FAILED, MSG_KEX_ECDH_REPLY, MSG_KEXINIT, Disconnect
from net.ssh.hostkey import HostKey
from net.ssh.keys import PublicKey
from net.ssh.wire import Reader, boolean, byte, mpint, name_list, string, u32

GCM, CHACHA, CTR = "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"
ETM256, ETM512 = "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"
HOST = "ecdsa-sha2-nistp256"


def client(kexes=("curve25519-sha256",), hosts=(HOST,), there=(GCM,), here=(GCM,), macs=(ETM256,), compression=("none",), follows=False, tail=b""):
    lists = (kexes, hosts, there, here, macs, macs, compression, compression, (), ())
    return byte(MSG_KEXINIT) + bytes(16) + b"".join([name_list(names) for names in lists]) + boolean(follows) + u32(0) + tail


def test_ours():
    """Our own KEXINIT can be agreed with, announces extensions in the first exchange only, and never comes twice."""
    agreement = kex.Agreement(kex.kexinit(True), True)
    same((agreement.method, agreement.cipher_in, agreement.cipher_out, agreement.mac_in), ("curve25519-sha256", GCM, GCM, None))
    assert b"kex-strict-s-v00@openssh.com" in kex.kexinit(True) and b"ext-info-s" in kex.kexinit(True)
    assert b"kex-strict" not in kex.kexinit(False) and b"ext-info" not in kex.kexinit(False)
    assert kex.kexinit(True)[1:17] != kex.kexinit(True)[1:17]


def test_agreement():
    """The client's order decides; the directions are apart; a MAC is agreed on where the cipher has none."""
    a = kex.Agreement(client(("x", "ecdh-sha2-nistp384", "curve25519-sha256"), there=("y", CTR, GCM), here=(CHACHA,), macs=(ETM512, ETM256)), True)
    same((a.method, a.cipher_in, a.mac_in, a.cipher_out, a.mac_out), ("ecdh-sha2-nistp384", CTR, ETM512, CHACHA, None))
    same((a.strict, a.ext_info, a.wrong_guess), (False, False, False))
    a = kex.Agreement(client(("curve25519-sha256", "kex-strict-c-v00@openssh.com", "ext-info-c"), macs=("none",)), True)
    same((a.strict, a.ext_info), (True, True))
    a = kex.Agreement(client(("curve25519-sha256", "kex-strict-c-v00@openssh.com", "ext-info-c")), False)
    same((a.strict, a.ext_info), (False, False))


def test_names_are_whole():
    """A name that is only a part of one of theirs is none of theirs."""
    e = raises(Disconnect, kex.Agreement, client(there=("x" + CTR, CTR + "x", "aes256-ct")), True)
    same(e.args[1], "no cipher algorithm in common")
    a = kex.Agreement(client(("curve25519-sha256@libssh.org", "curve25519-sha256", "ext-info-c2", "xkex-strict-c-v00@openssh.com")), True)
    same((a.method, a.strict, a.ext_info), ("curve25519-sha256@libssh.org", False, False))


def test_guess():
    same(kex.Agreement(client(follows=True), True).wrong_guess, False)
    same(kex.Agreement(client(("ecdh-sha2-nistp256", "curve25519-sha256"), follows=True), True).wrong_guess, True)
    same(kex.Agreement(client(hosts=("ssh-rsa", HOST), follows=True), True).wrong_guess, True)
    same(kex.Agreement(client(("curve25519-sha256@libssh.org",), follows=True), True).wrong_guess, True)
    same(kex.Agreement(client(hosts=("ssh-rsa", HOST)), True).wrong_guess, False)


def test_nothing_in_common():
    for message, what in (
        (client(("diffie-hellman-group14-sha1",)), "key exchange"),
        (client(("ext-info-s", "kex-strict-s-v00@openssh.com")), "key exchange"),
        (client(()), "key exchange"),
        (client(hosts=("ssh-ed25519",)), "host key"),
        (client(there=("aes128-cbc",)), "cipher"),
        (client(here=()), "cipher"),
        (client(there=(CTR,), macs=("hmac-sha1",)), "MAC"),
        (client(compression=("zlib",)), "compression"),
    ):
        e = raises(Disconnect, kex.Agreement, message, True)
        same(e.args, (DISCONNECT_KEY_EXCHANGE_FAILED, "no %s algorithm in common" % what))


def test_malformed():
    good = client()
    raises(Disconnect, kex.Agreement, client(tail=b"x"), True)
    for end in range(1, len(good)):
        raises(Disconnect, kex.Agreement, good[:end], True)


def exchanged(method):
    """Play the client of one exchange. -> (its secret in common, digest, secrets of the server)."""
    bits, curve = kex._METHODS[method]
    key = HostKey()
    init, versions = client((method,)), (b"SSH-2.0-c", b"SSH-2.0-s")
    if curve:
        private, public = crypto.ec_keypair(curve)
    else:
        private = bytes(range(32))
        public = crypto.x25519(private)
    reply, secrets = kex.exchange(kex.Agreement(init, True), key, public, versions, (init, b"server's init"))
    reader = Reader(reply)
    same(reader.byte(), MSG_KEX_ECDH_REPLY)
    blob, theirs, signature = reader.string(), reader.string(), reader.string()
    reader.check_end()
    shared = mpint(crypto.ecdh(curve, private, theirs) if curve else crypto.x25519(private, theirs))
    parts = versions + (init, b"server's init", blob, public, theirs)
    digest = crypto.sha2(bits, *[string(part) for part in parts], shared)
    assert PublicKey(blob).verify(HOST, signature, digest)
    return shared, digest, secrets, bits


def test_exchange():
    """What the server signs is the hash that the client computes; keys are as RFC 4253, 7.2 says, of any length."""
    for method in kex._METHODS:
        shared, digest, secrets, bits = exchanged(method)
        same(secrets.digest, digest)
        first = crypto.sha2(bits, shared, digest, b"C", b"session")
        second = crypto.sha2(bits, shared, digest, first)
        third = crypto.sha2(bits, shared, digest, first, second)
        same(secrets.key(b"C", b"session", 96)[:96], (first + second + third)[:96])
        same(secrets.key(b"C", b"session", 8)[:8], first[:8])
        secrets.wipe()
        assert secrets.key(b"C", b"session", 8) != first


def test_bad_public_keys():
    key = HostKey()
    for method, points in (("curve25519-sha256", (bytes(32), b"\1" + bytes(31), bytes(31), bytes(33), b"")),
                           ("ecdh-sha2-nistp256", (b"\0", bytes(65), b"\4" + bytes(64), b"\2" + bytes(32), b"")),
                           ("ecdh-sha2-nistp384", (b"\4" + bytes(96), b"\4" + bytes(64)))):
        for point in points:
            e = raises(Disconnect, kex.exchange, kex.Agreement(client((method,)), True), key, point, (b"c", b"s"), (b"i", b"j"))
            same(e.args[0], DISCONNECT_KEY_EXCHANGE_FAILED)


run(globals())
