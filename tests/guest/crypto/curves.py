# Elliptic curves against published vectors, both ways, and what must fail.
# Source: RFC 7748, 5.2; RFC 8032, 7.1 (and the Ed25519 authors' sign.input, lines 2 and 61); RFC 6979, A.2.5 to A.2.7 ("sample");
# NIST CAVP KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_init.fax, the first passing of each curve.
from binascii import unhexlify

import crypto

X25519 = (  # scalar, u, result
    ("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
     "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
     "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
    ("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
     "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
     "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"),
    ("0900000000000000000000000000000000000000000000000000000000000000",
     "0900000000000000000000000000000000000000000000000000000000000000",
     "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
)
ED25519 = (  # public, message, signature
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246551"
     "41438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d"
     "291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027"
     "beceea1ec40a"),
    ("788de540544d3feb0c919240b390729be487e94b64ad973eb65b4669ecf23501",
     "3a53594f3fba03029318f512b084a071ebd60baec7f55b028dc73bfc9c74e0ca496bf819dd92ab61cd8b74be3c0d6dcd128efc5ed3342cba124f"
     "726c",
     "d2fde02791e720852507faa7c3789040d9ef86646321f313ac557f4002491542dd67d05c6990cdb0d495501fbc5d5188bfbb84dc1bf6098bee06"
     "03a47fc2690f"),
)
ECDSA = (  # curve, bits of the hash, private, public, r, s, the signature in DER
    (256,
     256,
     "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
     "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177"
     "a3c294d4462299",
     "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
     "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7a1b6e29f65f3e9"
     "00dbb9aff4064dc4ab2f843acda8"),
    (256,
     384,
     "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
     "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177"
     "a3c294d4462299",
     "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719",
     "4861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954",
     "304402200eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef771902204861f0491e6998b9455193e34e7b0d284ddd7149"
     "a74b95b9261f13abde940954"),
    (256,
     512,
     "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
     "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177"
     "a3c294d4462299",
     "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00",
     "2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe",
     "30450221008496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f0002202362ab1adbe2b8adf9cb9edab740ea6049c028"
     "114f2460f96554f61fae3302fe"),
    (384,
     256,
     "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
     "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc138015d9b72d7d57244e"
     "a8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
     "21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33bde1e888e63355d92fa2b3c36d8fb2cd",
     "f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb8668a4fa0ab0",
     "3065023021b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33bde1e888e63355d92fa2b3c36d8fb2cd023100f3aa44"
     "3fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb8668a4fa0ab0"),
    (384,
     384,
     "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
     "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc138015d9b72d7d57244e"
     "a8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
     "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
     "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
     "306602310094edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe4602310099ef"
     "4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"),
    (384,
     512,
     "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
     "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc138015d9b72d7d57244e"
     "a8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
     "ed0959d5880ab2d869ae7f6c2915c6d60f96507f9cb3e047c0046861da4a799cfe30f35cc900056d7c99cd7882433709",
     "512c8cceee3890a84058ce1e22dbc2198f42323ce8aca9135329f03c068e5112dc7cc3ef3446defceb01a45c2667fdd5",
     "3065023100ed0959d5880ab2d869ae7f6c2915c6d60f96507f9cb3e047c0046861da4a799cfe30f35cc900056d7c99cd78824337090230512c8c"
     "ceee3890a84058ce1e22dbc2198f42323ce8aca9135329f03c068e5112dc7cc3ef3446defceb01a45c2667fdd5"),
    (521,
     256,
     "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec"
     "0c08b0e996b83538",
     "0401894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761"
     "dcac474b9a2f5023a400493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0db25741b5b34a828008b22acc23f92"
     "4faafbd4d33f81ea66956dfeaa2bfdfcf5",
     "01511bb4d675114fe266fc4372b87682baecc01d3cc62cf2303c92b3526012659d16876e25c7c1e57648f23b73564d67f61c6f14d527d5497281"
     "0421e7d87589e1a7",
     "004a171143a83163d6df460aaf61522695f207a58b95c0644d87e52aa1a347916e4f7a72930b1bc06dbe22ce3f58264afd23704cbb63b29b931f"
     "7de6c9d949a7ecfc",
     "308187024201511bb4d675114fe266fc4372b87682baecc01d3cc62cf2303c92b3526012659d16876e25c7c1e57648f23b73564d67f61c6f14d5"
     "27d54972810421e7d87589e1a702414a171143a83163d6df460aaf61522695f207a58b95c0644d87e52aa1a347916e4f7a72930b1bc06dbe22ce"
     "3f58264afd23704cbb63b29b931f7de6c9d949a7ecfc"),
    (521,
     384,
     "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec"
     "0c08b0e996b83538",
     "0401894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761"
     "dcac474b9a2f5023a400493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0db25741b5b34a828008b22acc23f92"
     "4faafbd4d33f81ea66956dfeaa2bfdfcf5",
     "01ea842a0e17d2de4f92c15315c63ddf72685c18195c2bb95e572b9c5136ca4b4b576ad712a52be9730627d16054ba40cc0b8d3ff035b12ae751"
     "68397f5d50c67451",
     "01f21a3cee066e1961025fb048bd5fe2b7924d0cd797babe0a83b66f1e35eeaf5fde143fa85dc394a7dee766523393784484bdf3e00114a1c857"
     "cde1aa203db65d61",
     "308188024201ea842a0e17d2de4f92c15315c63ddf72685c18195c2bb95e572b9c5136ca4b4b576ad712a52be9730627d16054ba40cc0b8d3ff0"
     "35b12ae75168397f5d50c67451024201f21a3cee066e1961025fb048bd5fe2b7924d0cd797babe0a83b66f1e35eeaf5fde143fa85dc394a7dee7"
     "66523393784484bdf3e00114a1c857cde1aa203db65d61"),
    (521,
     512,
     "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec"
     "0c08b0e996b83538",
     "0401894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761"
     "dcac474b9a2f5023a400493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0db25741b5b34a828008b22acc23f92"
     "4faafbd4d33f81ea66956dfeaa2bfdfcf5",
     "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b"
     "15bf05ec36e377fa",
     "00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc4399"
     "7f1ee0e44da4a67a",
     "308187024200c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8"
     "455cc91f9b15bf05ec36e377fa0241617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8"
     "c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a"),
)
ECDH = (  # curve, private, peer, x in common
    (256,
     "8087ab163864bfa81001c72f736b6d94e7612559ac4c847d06ba2171840684d6",
     "045a3955c54a49645ed818f3774ea10971a1db88c370d8966c5a6e88234ed5d82003b13f0dad73f64532f42b8b2fa6d1450d9ab24896e95c2467"
     "4298f2da07ccda",
     "0cb890a0dcc277c3dde0f91b4322a32e6365d7ec85316185d3286b4977849410"),
    (384,
     "f865418473e5bf7d2e1bbcd9bd5a9270c003a9dd35e778133ca59fcab4bb64fe24d6800e7047bdd033abc8bfa8db35b5",
     "04d1bf2ac21637d66d6398aac01dcd56ac6f065fb45d1f6f16747bab9e9b01b4630b59b20927aea147355bf41838acb4824c9e23f1c5a41647d0"
     "94086bf4ed31708651f21d996c47780688ac10f77deee2e43b5241b6caecd2fd5444bc50472e0e",
     "a781430e6078a179df3f9ee27cd8fdc6188f161b6c4ccc4053ef6c6ca6fc222946883a53c06db08f0a020023ced055aa"),
    (521,
     "01a23de55fb7ad153e7e65d21ad10c77fdf2072b2a5aa116aaf1bc31a345420c1fe8eaccbbcdeb07b73ba2fa706c7498e3a4828f348b00af9df1"
     "551780e709a7754c",
     "0401474af758238005238b2fa253c4f9c557de664d64c66d7d88f334555997591ccc242ff3c6d0e34d07fc835aaae024c2bd21f2ba5c0b0a8ac3"
     "fdd90e1c479cb8e53800a721b04654204ca19064b37a4abf4247413a6d29e9211a0df9d50975c7d8d4654dc04a478455ea24993f0fef5460f189"
     "c4729c15fba385fd85ef42ae7610e39450",
     "01e8ff7a8c57b017f8b8266adab65fe2c417173566087e15c5fc972071cc560ac93908a806468bc44b8312a8a48464886ca0d767db938447387a"
     "348f3f56c6463796"),
)
LOW_ORDER = ("00" * 32, "01" + "00" * 31, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
             "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")


def fails(kind, function, *args):
    try:
        function(*args)
    except kind:
        return
    print("no", kind.__name__, function, args)


def changed(data):
    """-> the data with each of some bits changed, one at a time."""
    for i in range(0, len(data), 7):
        yield data[:i] + bytes((data[i] ^ 1 << i % 8,)) + data[i + 1 :]


for scalar, u, result in X25519:
    assert crypto.x25519(unhexlify(scalar), unhexlify(u)).hex() == result
a, b = bytes(range(32)), bytes(range(1, 33))
assert crypto.x25519(a, crypto.x25519(b)) == crypto.x25519(b, crypto.x25519(a))
for point in LOW_ORDER:
    fails(ValueError, crypto.x25519, a, unhexlify(point))
fails(ValueError, crypto.x25519, a[1:], a)
fails(ValueError, crypto.x25519, a, a[1:])

for public, message, signature in ED25519:
    public, message, signature = unhexlify(public), unhexlify(message), unhexlify(signature)
    assert crypto.ed25519_verify(public, message, signature)
    for wrong in changed(signature):
        assert not crypto.ed25519_verify(public, message, wrong)
    for wrong in changed(public):
        assert not crypto.ed25519_verify(wrong, message, signature)
    assert not crypto.ed25519_verify(public, message + b"x", signature)
    assert not crypto.ed25519_verify(public, message, signature[:63])
    assert not crypto.ed25519_verify(bytes(32), message, signature)
fails(ValueError, crypto.ed25519_verify, bytes(31), b"", bytes(64))
# S + L in place of S says the same and must be refused (RFC 8032, 5.1.7).
public, message, signature = [unhexlify(text) for text in ED25519[0]]
s = int.from_bytes(signature[32:], "little") + (1 << 252) + 27742317777372353535851937790883648493
assert not crypto.ed25519_verify(public, message, signature[:32] + s.to_bytes(32, "little"))

for curve, bits, private, public, r, s, der in ECDSA:
    private, public, r, s, der = [unhexlify(text) for text in (private, public, r, s, der)]
    digest = crypto.sha2(bits, b"sample")
    assert crypto.ec_public(curve, private) == public
    assert crypto.ecdsa_sign(curve, private, digest) == (r, s)
    assert crypto.ecdsa_verify(curve, public, digest, r, s) and crypto.ecdsa_verify(curve, public, digest, der)
    assert crypto.ecdsa_verify(curve, public, digest, r.lstrip(b"\0"), s.lstrip(b"\0"))
    if bits == 256:
        assert not crypto.ecdsa_verify(curve, public, digest, s, r)
        assert not crypto.ecdsa_verify(curve, public, crypto.sha2(bits, b"other"), r, s)
        assert not crypto.ecdsa_verify(curve, public, digest, b"", s) and not crypto.ecdsa_verify(curve, public, digest, r, b"\0")
        assert not crypto.ecdsa_verify(curve, public, digest, b"\0" + r, s)
        assert not crypto.ecdsa_verify(curve, public, digest, der + b"\0") and not crypto.ecdsa_verify(curve, public, digest, der[:-1])
        assert not crypto.ecdsa_verify(curve, public, digest, b"")
        fails(ValueError, crypto.ecdsa_verify, curve, public[:-1] + bytes((public[-1] ^ 1,)), digest, r, s)
        fails(ValueError, crypto.ecdsa_verify, curve, public[:-1], digest, r, s)
        fails(ValueError, crypto.ecdsa_verify, curve, b"\x02" + public[1 : 1 + len(public) // 2], digest, r, s)

for curve, private, peer, secret in ECDH:
    private, peer = unhexlify(private), unhexlify(peer)
    assert crypto.ecdh(curve, private, peer).hex() == secret
    mine, public = crypto.ec_keypair(curve)
    assert crypto.ec_public(curve, mine) == public and len(mine) == (curve + 7) // 8
    assert crypto.ecdh(curve, mine, crypto.ec_public(curve, private)) == crypto.ecdh(curve, private, public)
    fails(ValueError, crypto.ecdh, curve, private, peer[:-1] + bytes((peer[-1] ^ 1,)))
    fails(ValueError, crypto.ecdh, curve, private, b"\0")
    fails(ValueError, crypto.ecdh, curve, private, b"")
    fails(ValueError, crypto.ecdh, curve, bytes(len(private)), peer)
    fails(ValueError, crypto.ecdh, curve, b"\xff" * len(private), peer)
    fails(ValueError, crypto.ec_public, curve, private[1:])
fails(ValueError, crypto.ec_keypair, 25519)
assert crypto.ec_keypair(256) != crypto.ec_keypair(256)
print("done")
