"""net/ssh/cipher.py: every cipher opens what it sealed, byte for byte as its specification says, and nothing else."""

import crypto
from check import raises, run, same
from net.ssh import cipher
from net.ssh.consts import DISCONNECT_MAC_ERROR, Disconnect

KINDS = (("aes256-gcm@openssh.com", None), ("chacha20-poly1305@openssh.com", None), ("aes256-ctr", "hmac-sha2-256-etm@openssh.com"),
         ("aes256-ctr", "hmac-sha2-512-etm@openssh.com"))
KEY, IV, MAC_KEY = bytes(range(64)), bytes(range(100, 116)), bytes(range(64, 128))
TEXT = b"\x04" + b"a message of some length, thirty-one"[:27] + bytes(4)  # 32 bytes: whole blocks of every cipher


def make(name, mac):
    kind = cipher.cipher_class(name)
    return kind(KEY[: kind.KEY_LEN], IV[: kind.IV_LEN], MAC_KEY[: cipher.MACS[mac] // 8 if mac else 0], mac)


def sealed(c, seq):
    packet = bytearray(len(TEXT).to_bytes(4, "big") + TEXT + bytes(c.tag_len))
    c.seal(seq, memoryview(packet))
    return packet


def test_both_ways():
    for name, mac in KINDS:
        there, here = make(name, mac), make(name, mac)
        for seq in (0, 1, 2, 0xFFFFFFFF):
            packet = sealed(there, seq)
            assert TEXT not in packet
            same(here.length(seq, memoryview(packet)[:4]), len(TEXT))
            here.open(seq, memoryview(packet))
            same(packet[4 : 4 + len(TEXT)], TEXT)


def test_twice_is_not_the_same():
    for name, mac in KINDS:
        c = make(name, mac)
        assert sealed(c, 0) != sealed(c, 1)


def test_each_bit_counts():
    for name, mac in KINDS:
        good = sealed(make(name, mac), 7)
        for i in range(len(good)):
            packet = bytearray(good)
            packet[i] ^= 1 << i % 8
            same(raises(Disconnect, make(name, mac).open, 7, memoryview(packet)).args[0], DISCONNECT_MAC_ERROR)
        if name != "aes256-gcm@openssh.com":  # its nonce is a counter of its own
            raises(Disconnect, make(name, mac).open, 8, memoryview(bytearray(good)))


def test_gcm_layout():
    """RFC 5647, 7.3: the length is associated data; the nonce's last 8 bytes count up, and wrap."""
    packet = sealed(make(*KINDS[0]), 0)
    text = bytearray(TEXT)
    tag = crypto.Gcm(KEY[:32]).seal(IV[:12], len(TEXT).to_bytes(4, "big"), text)
    same(packet, len(TEXT).to_bytes(4, "big") + text + tag)
    c = cipher.Gcm(KEY[:32], IV[:4] + b"\xff" * 8, b"", None)
    sealed(c, 0)
    wrapped = cipher.Gcm(KEY[:32], IV[:4] + bytes(8), b"", None)
    same(sealed(c, 1), sealed(wrapped, 0))


def test_chacha_layout():
    """PROTOCOL.chacha20poly1305: the second half of the key is for lengths; the tag's key is the first block."""
    packet = sealed(make(*KINDS[1]), 3)
    nonce, length, text, once = (3).to_bytes(8, "big"), bytearray(len(TEXT).to_bytes(4, "big")), bytearray(TEXT), bytearray(32)
    crypto.chacha20(KEY[32:64], nonce, 0, length)
    crypto.chacha20(KEY[:32], nonce, 1, text)
    crypto.chacha20(KEY[:32], nonce, 0, once)
    same(packet, length + text + crypto.poly1305(once, length, text))


def test_ctr_layout():
    """PROTOCOL 1.5: the MAC is over sequence number, length in the clear, and ciphertext."""
    packet = sealed(make(*KINDS[2]), 5)
    text = bytearray(TEXT)
    crypto.Ctr(KEY[:32], IV).crypt(text)
    clear = len(TEXT).to_bytes(4, "big") + text
    same(packet, clear + crypto.hmac(256, MAC_KEY[:32], (5).to_bytes(4, "big"), clear))


def test_wiped():
    for name, mac in KINDS:
        c = make(name, mac)
        c.wipe()
        if name != "chacha20-poly1305@openssh.com":
            raises(ValueError, sealed, c, 0)
        else:
            same(sealed(c, 0), sealed(cipher.ChaChaPoly(bytes(64), b"", b"", None), 0))


run(globals())
