"""Key exchange: what is offered, what both sides agree on, and the keys that come out of it.

An exchange is elliptic-curve Diffie-Hellman with one message each way, the server's signed with the host key.
Source: RFC 4253, 7 and 8; RFC 5656, 4; RFC 8731 (curve25519); RFC 8308 (ext-info); OpenSSH's PROTOCOL 1.9 (strict KEX).
"""

# SPDX-License-Identifier: BSD-3-Clause

import os

import crypto
from micropython import const

from net.ssh import cipher, hostkey
from net.ssh.consts import DISCONNECT_KEY_EXCHANGE_FAILED, MSG_KEX_ECDH_REPLY, MSG_KEXINIT, Disconnect
from net.ssh.wire import Reader, boolean, byte, mpint, name_list, string, u32

_COOKIE_LEN = const(16)
_STRICT_CLIENT = b",kex-strict-c-v00@openssh.com,"
_STRICT_SERVER = "kex-strict-s-v00@openssh.com"
_EXT_INFO_CLIENT = b",ext-info-c,"
_EXT_INFO_SERVER = "ext-info-s"

# name -> (bits of the hash, curve), the best first; curve 0 is Curve25519
_METHODS = {
    "curve25519-sha256": (256, 0),
    "curve25519-sha256@libssh.org": (256, 0),
    "ecdh-sha2-nistp256": (256, 256),
    "ecdh-sha2-nistp384": (384, 384),
}
_METHOD_NAMES = ("curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384")
_MAC_NAMES = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")


def _wanted(names):
    """-> [(a name as it is looked for in the peer's list, the name)]"""
    return [(b"," + name.encode() + b",", name) for name in names]


_METHODS_WANTED = _wanted(_METHOD_NAMES)
_HOST_KEYS_WANTED = _wanted((hostkey.ALGORITHM,))
_CIPHERS_WANTED = _wanted(cipher.CIPHERS)
_MACS_WANTED = _wanted(_MAC_NAMES)
_COMPRESSION_WANTED = _wanted(("none",))


def _offer(methods):
    """-> a KEXINIT message behind its cookie."""
    lists = (methods, (hostkey.ALGORITHM,), cipher.CIPHERS, cipher.CIPHERS, _MAC_NAMES, _MAC_NAMES, ("none",), ("none",), (), ())
    return b"".join([name_list(names) for names in lists]) + boolean(False) + u32(0)


_OFFER = _offer(_METHOD_NAMES)
_FIRST_OFFER = _offer(_METHOD_NAMES + (_EXT_INFO_SERVER, _STRICT_SERVER))


def kexinit(first):
    """-> the KEXINIT message. first: of this connection, where extensions are announced."""
    return byte(MSG_KEXINIT) + os.urandom(_COOKIE_LEN) + (_FIRST_OFFER if first else _OFFER)


class Agreement:
    """What follows from the client's KEXINIT (whole message, bytes) and ours. Disconnect: nothing in common."""

    def __init__(self, message, first):
        reader = Reader(message, 1 + _COOKIE_LEN)
        lists = [b"," + reader.string() + b"," for _ in range(10)]
        follows = reader.boolean()
        reader.u32()
        reader.check_end()
        self.method = _choose("key exchange", lists[0], _METHODS_WANTED)
        _choose("host key", lists[1], _HOST_KEYS_WANTED)
        self.cipher_in, self.mac_in = _protection(lists[2], lists[4])
        self.cipher_out, self.mac_out = _protection(lists[3], lists[5])
        _choose("compression", lists[6], _COMPRESSION_WANTED)
        _choose("compression", lists[7], _COMPRESSION_WANTED)
        self.strict = first and _STRICT_CLIENT in lists[0]
        self.ext_info = first and _EXT_INFO_CLIENT in lists[0]
        # The client sent its next message on a guess; where that is wrong the message is passed over.
        self.wrong_guess = follows and not (lists[0].startswith(_METHODS_WANTED[0][0]) and lists[1].startswith(_HOST_KEYS_WANTED[0][0]))


def _choose(what, theirs, wanted):
    """-> the first of their names that is one of ours.

    theirs: bytes, a comma before and behind each name. Ours are looked for in them: OpenSSH has some eighty, and to make strings
    of all took 5 % of a login's instructions.
    """
    least, chosen = len(theirs), None
    for pattern, name in wanted:
        at = theirs.find(pattern)
        if 0 <= at < least:
            least, chosen = at, name
    if not chosen:
        raise Disconnect(DISCONNECT_KEY_EXCHANGE_FAILED, "no %s algorithm in common" % what)
    return chosen


def _protection(ciphers, macs):
    name = _choose("cipher", ciphers, _CIPHERS_WANTED)
    return name, _choose("MAC", macs, _MACS_WANTED) if cipher.needs_mac(name) else None


def exchange(agreement, key, theirs, versions, inits):
    """Answer the client's public key. -> (KEX_ECDH_REPLY message, Secrets).

    versions, inits: (client's, server's) identification without line end, KEXINIT messages. Disconnect: a bad public key.
    """
    bits, curve = _METHODS[agreement.method]
    try:
        ours, shared = _agree(curve, theirs)
    except ValueError:
        raise Disconnect(DISCONNECT_KEY_EXCHANGE_FAILED, "invalid public key")
    secret = mpint(shared)
    crypto.wipe(shared)
    parts = [string(part) for part in versions + inits + (key.blob, theirs, ours)]
    digest = crypto.sha2(bits, *parts, secret)
    reply = byte(MSG_KEX_ECDH_REPLY) + string(key.blob) + string(ours) + string(key.sign(digest))
    return reply, Secrets(bits, secret, digest)


def rehearse(key):
    """Do one exchange with nobody. What runs for the first time is slow: caches are cold, and QEMU must translate it."""
    init = kexinit(True)
    agreement = Agreement(init, True)
    secrets = exchange(agreement, key, crypto.x25519(os.urandom(32)), (b"", b""), (init, init))[1]
    secrets.cipher(agreement.cipher_out, agreement.mac_out, b"BDF", b"").wipe()
    secrets.wipe()


def _agree(curve, theirs):
    """-> (our public key, secret in common)."""
    if curve:
        private, public = crypto.ec_keypair(curve)
        shared = crypto.ecdh(curve, private, theirs)
    else:
        private = os.urandom(32)
        public = crypto.x25519(private)
        shared = crypto.x25519(private, theirs)
    crypto.wipe(private)
    return public, shared


class Secrets:
    """Makes keys out of an exchange. digest: its hash; the first one of a connection is the session identifier."""

    def __init__(self, bits, secret, digest):
        self.digest = digest
        self._bits = bits
        self._secret = secret

    def key(self, letter, session_id, length):
        """-> bytes, the caller's to wipe. letter: b"A" to b"F"."""
        key = crypto.sha2(self._bits, self._secret, self.digest, letter, session_id)
        while len(key) < length:
            more = crypto.sha2(self._bits, self._secret, self.digest, key)
            key, parts = key + more, (key, more)
            crypto.wipe(*parts)
        return key

    def cipher(self, name, mac, letters, session_id):
        """-> a cipher for one direction. letters: of its IV, key and MAC key."""
        kind = cipher.cipher_class(name)
        lengths = (kind.IV_LEN, kind.KEY_LEN, cipher.MACS[mac] // 8 if mac else 0)
        iv, key, mac_key = [self.key(letters[i : i + 1], session_id, lengths[i]) for i in range(3)]
        made = kind(key[: lengths[1]], iv[: lengths[0]], mac_key[: lengths[2]], mac)
        crypto.wipe(iv, key, mac_key)
        return made

    def wipe(self):
        """Forget the secret in common."""
        crypto.wipe(self._secret)
