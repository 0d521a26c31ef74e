"""Ciphers of SSH packets: how one is sealed and opened, in place.

A packet is length (4 bytes), padding length (1), payload, padding, tag; seal() and open() get all of it as a memoryview.
CLEAR: bytes at its start that do not count towards whole blocks. Every cipher here but Plain checks a packet before
anything of it is looked at but its length.
Source: RFC 4253, 6; RFC 5647 with OpenSSH's PROTOCOL 1.6 (AES-GCM), PROTOCOL.chacha20poly1305, PROTOCOL 1.5 (ETM), RFC 4344
(CTR), RFC 6668 (HMAC).
"""

# SPDX-License-Identifier: BSD-3-Clause

import crypto
from micropython import const

from net.ssh.consts import DISCONNECT_MAC_ERROR, Disconnect

_TAG = const(16)


class Plain:
    """What is spoken before the first keys."""

    CLEAR = 0
    BLOCK = 8
    tag_len = 0

    def seal(self, seq, packet):
        pass

    def length(self, seq, packet):
        return int.from_bytes(packet[:4], "big")

    def open(self, seq, packet):
        pass

    def wipe(self):
        pass


class Gcm:
    """aes256-gcm@openssh.com: the nonce is a fixed part and a counter of 8 bytes that starts anywhere."""

    CLEAR = 4
    BLOCK = 16
    KEY_LEN = 32
    IV_LEN = 12
    MAC_LEN = 0
    tag_len = _TAG

    def __init__(self, key, iv, mac_key, mac):
        self._gcm = crypto.Gcm(key)
        self._fixed = bytes(iv[:4])
        self._counter = int.from_bytes(iv[4:], "big")

    def _nonce(self):
        nonce = self._fixed + self._counter.to_bytes(8, "big")
        self._counter = self._counter + 1 & 0xFFFFFFFFFFFFFFFF
        return nonce

    def seal(self, seq, packet):
        packet[-_TAG:] = self._gcm.seal(self._nonce(), packet[:4], packet[4:-_TAG])

    def length(self, seq, packet):
        return int.from_bytes(packet[:4], "big")

    def open(self, seq, packet):
        try:
            self._gcm.open(self._nonce(), packet[:4], packet[4:-_TAG], packet[-_TAG:])
        except ValueError:
            raise mac_error()

    def wipe(self):
        self._gcm.wipe()


class ChaChaPoly:
    """chacha20-poly1305@openssh.com: one key for texts, one for lengths; the sequence number is the nonce."""

    CLEAR = 4
    BLOCK = 8
    KEY_LEN = 64
    IV_LEN = 0
    MAC_LEN = 0
    tag_len = _TAG

    def __init__(self, key, iv, mac_key, mac):
        self._main = bytearray(key[:32])
        self._header = bytearray(key[32:])

    def _tag(self, nonce, covered):
        once = bytearray(32)
        crypto.chacha20(self._main, nonce, 0, once)
        tag = crypto.poly1305(once, covered)
        crypto.wipe(once)
        return tag

    def seal(self, seq, packet):
        nonce = seq.to_bytes(8, "big")
        crypto.chacha20(self._header, nonce, 0, packet[:4])
        crypto.chacha20(self._main, nonce, 1, packet[4:-_TAG])
        packet[-_TAG:] = self._tag(nonce, packet[:-_TAG])

    def length(self, seq, packet):
        length = bytearray(packet[:4])
        crypto.chacha20(self._header, seq.to_bytes(8, "big"), 0, length)
        return int.from_bytes(length, "big")

    def open(self, seq, packet):
        nonce = seq.to_bytes(8, "big")
        if not crypto.equal(self._tag(nonce, packet[:-_TAG]), packet[-_TAG:]):
            raise mac_error()
        crypto.chacha20(self._main, nonce, 1, packet[4:-_TAG])

    def wipe(self):
        crypto.wipe(self._main, self._header)


class CtrEtm:
    """aes256-ctr with a MAC over the encrypted packet; the length stays in the clear."""

    CLEAR = 4
    BLOCK = 16
    KEY_LEN = 32
    IV_LEN = 16

    def __init__(self, key, iv, mac_key, mac):
        self._ctr = crypto.Ctr(key, iv)
        self._mac_key = bytearray(mac_key)
        self._bits = MACS[mac]
        self.tag_len = self._bits // 8

    def _tag(self, seq, covered):
        return crypto.hmac(self._bits, self._mac_key, seq.to_bytes(4, "big"), covered)

    def seal(self, seq, packet):
        n = self.tag_len
        self._ctr.crypt(packet[4:-n])
        packet[-n:] = self._tag(seq, packet[:-n])

    def length(self, seq, packet):
        return int.from_bytes(packet[:4], "big")

    def open(self, seq, packet):
        n = self.tag_len
        if not crypto.equal(self._tag(seq, packet[:-n]), packet[-n:]):
            raise mac_error()
        self._ctr.crypt(packet[4:-n])

    def wipe(self):
        self._ctr.wipe()
        crypto.wipe(self._mac_key)


def mac_error():
    return Disconnect(DISCONNECT_MAC_ERROR, "packet corrupted")


# Names as they are negotiated, the best first.
CIPHERS = ("aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr")
MACS = {"hmac-sha2-256-etm@openssh.com": 256, "hmac-sha2-512-etm@openssh.com": 512}  # -> bits of tag and key
_CLASSES = {CIPHERS[0]: Gcm, CIPHERS[1]: ChaChaPoly, CIPHERS[2]: CtrEtm}


def cipher_class(name):
    return _CLASSES[name]


def needs_mac(name):
    """-> True if a cipher goes with a MAC that is negotiated."""
    return _CLASSES[name] is CtrEtm
