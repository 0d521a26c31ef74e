# AES-GCM, AES-CTR, ChaCha20 and Poly1305 against published vectors, and what must fail.
# Source: NIST CAVP gcmEncryptExtIV256.rsp (the first of several sizes); NIST SP 800-38A, F.5.5; RFC 8439, 2.4.2, 2.5.2 and A.2 #1.
from binascii import unhexlify

import crypto

GCM = (  # key, nonce, aad, plaintext, ciphertext, tag
    ("886cff5f3e6b8d0e1ad0a38fcdb26de97e8acbe79f6bed66959a598fa5047d65",
     "3a8efa1cd74bbab5448f9945",
     "519fee519d25c7a304d6c6aa1897ee1eb8c59655",
     "",
     "",
     "f6d47505ec96c98a42dc3ae719877b87"),
    ("92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b",
     "ac93a1a6145299bde902f21a",
     "1e0889016f67601c8ebea4943bc23ad6",
     "2d71bcfa914e4ac045b2aa60955fad24",
     "8995ae2e6df3dbf96fac7b7137bae67f",
     "eca5aa77d51d4a0a14d9c51e1da474ab"),
    ("82c4f12eeec3b2d3d157b0f992d292b237478d2cecc1d5f161389b97f999057a",
     "7b40b20f5f397177990ef2d1",
     "",
     "982a296ee1cd7086afad976945",
     "ec8e05a0471d6b43a59ca5335f",
     "113ddeafc62373cac2f5951bb9165249"),
    ("24501ad384e473963d476edcfe08205237acfd49b5b8f33857f8114e863fec7f",
     "9ff18563b978ec281b3f2794",
     "adb5ec720ccf9898500028bf34afccbcaca126ef",
     "27f348f9cdc0c5bd5e66b1ccb63ad920ff2219d14e8d631b3872265cf117ee86757accb158bd9abb3868fdc0d0b074b5f01b2c",
     "eb7cb754c824e8d96f7c6d9b76c7d26fb874ffbf1d65c6f64a698d839b0b06145dae82057ad55994cf59ad7f67c0fa5e85fab8",
     "bc95c532fecc594c36d1550286a7a3f0"),
    ("148579a3cbca86d5520d66c0ec71ca5f7e41ba78e56dc6eebd566fed547fe691",
     "b08a5ea1927499c6ecbfd4e0",
     "e4f963f015ffbb99ee3349bbaf7e8e8e6c2a71c230a48f9d59860a29091d2747e01a5ca572347e247d25f56ba7ae8e05cde2be3c97931292c023"
     "70208ecd097ef692687fecf2f419d3200162a6480a57dad408a0dfeb492e2c5d",
     "9d0b15fdf1bd595f91f8b3abc0f7dec927dfd4799935a1795d9ce00c9b879434420fe42c275a7cd7b39d638fb81ca52b49dc41",
     "2097e372950a5e9383c675e89eea1c314f999159f5611344b298cda45e62843716f215f82ee663919c64002a5c198d7878fd3f",
     "adbecdb0d5c2224d804d2886ff9a5760"),
    ("595b98d1a67ae7344a7adb48c352e6bd3762afb56ab93b0297c542edce3f23ea",
     "5e",
     "f9d19d75f93df302b3cd494fd8827efd62050beb",
     "72400c523095ac82cf9264b4ce74ba76",
     "477db7a0463fc9265c166cf28ca5b4c0",
     "9f302dcc3f45e18bdd254984e4fd61cd"),
)
CTR_KEY = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
CTR_COUNTER = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
CTR_PLAIN = ("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
             "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
CTR_CIPHER = ("601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
              "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6")
SUNSCREEN = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
             b"sunscreen would be it.")
CHACHA = ("6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b3571639d624e65152ab"
          "8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab77937365af90bbf74a35be6b40b8eedf2785e42"
          "874d")
CHACHA_ZERO = ("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
               "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586")
POLY_KEY = "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"


def fails(kind, function, *args):
    try:
        function(*args)
    except kind:
        return
    print("no", kind.__name__, function, args)


for key, nonce, aad, plain, cipher, tag in GCM:
    gcm, nonce, aad, tag = crypto.Gcm(unhexlify(key)), unhexlify(nonce), unhexlify(aad), unhexlify(tag)
    text = bytearray(unhexlify(plain))
    assert gcm.seal(nonce, aad, text) == tag and text == unhexlify(cipher)
    gcm.open(nonce, aad, text, tag)
    assert text == unhexlify(plain)
    for i in range(16):
        text = bytearray(unhexlify(cipher))
        fails(ValueError, gcm.open, nonce, aad, text, tag[:i] + bytes((tag[i] ^ 1,)) + tag[i + 1 :])
        assert text == bytes(len(text))
    fails(ValueError, gcm.open, nonce, aad + b"x", bytearray(unhexlify(cipher)), tag)
    fails(ValueError, gcm.open, nonce, aad, bytearray(unhexlify(cipher)), tag[:15])

ctr, text = crypto.Ctr(unhexlify(CTR_KEY), unhexlify(CTR_COUNTER)), bytearray(unhexlify(CTR_PLAIN))
for start, end in ((0, 5), (5, 5), (5, 40), (40, 64)):
    ctr.crypt(memoryview(text)[start:end])
assert text.hex() == CTR_CIPHER

text = bytearray(SUNSCREEN)
crypto.chacha20(bytes(range(32)), unhexlify("000000000000004a00000000"), 1, text)
assert text.hex() == CHACHA
zero, wide = bytearray(64), bytearray(128)
crypto.chacha20(bytes(32), bytes(12), 0, zero)
crypto.chacha20(bytes(32), bytes(8), 0, wide)
assert zero.hex() == wide[:64].hex() == CHACHA_ZERO
short, long = bytearray(64), bytearray(64)
crypto.chacha20(bytes(32), b"12345678", 1, short)
crypto.chacha20(bytes(32), bytes(4) + b"12345678", 1, long)
assert short == long
assert crypto.poly1305(unhexlify(POLY_KEY), b"Cryptographic Forum ", b"Research Group").hex() == "a8061dc1305136c6c22b8baf0c0127a9"

gcm = crypto.Gcm(bytes(16))
gcm.wipe()
ctr.wipe()
fails(ValueError, gcm.seal, bytes(12), b"", bytearray(1))
fails(ValueError, gcm.open, bytes(12), b"", bytearray(1), bytes(16))
fails(ValueError, ctr.crypt, bytearray(1))
for length in (0, 15, 17, 33):
    fails(ValueError, crypto.Gcm, bytes(length))
    fails(ValueError, crypto.Ctr, bytes(length), bytes(16))
fails(ValueError, crypto.Ctr, bytes(32), bytes(15))
fails(ValueError, crypto.Gcm(bytes(32)).seal, b"", b"", bytearray(1))
fails(TypeError, crypto.Gcm(bytes(32)).seal, bytes(12), b"", b"read only")
fails(TypeError, crypto.Ctr(bytes(32), bytes(16)).crypt, b"read only")
fails(TypeError, crypto.chacha20, bytes(32), bytes(12), 0, b"read only")
fails(ValueError, crypto.chacha20, bytes(31), bytes(12), 0, bytearray(1))
fails(ValueError, crypto.chacha20, bytes(32), bytes(11), 0, bytearray(1))
fails(ValueError, crypto.chacha20, bytes(32), bytes(12), -1, bytearray(1))
fails(ValueError, crypto.chacha20, bytes(32), bytes(12), 1 << 32, bytearray(1))
fails(ValueError, crypto.chacha20, bytes(32), bytes(12), (1 << 32) - 1, bytearray(65))
fails(ValueError, crypto.poly1305, bytes(31), b"")
fails(TypeError, crypto.poly1305, bytes(32), b"", 1)
print("done")
