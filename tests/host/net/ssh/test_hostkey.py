"""net/ssh/hostkey.py: encodings, signatures, fingerprints."""


import crypto
from check import raises, run, same
from net.ssh.hostkey import HostKey, fingerprint
from net.ssh.keys import PublicKey
from net.ssh.wire import Reader



def test_signature():
    key = HostKey()
    public = PublicKey(key.blob)
    same(public.kind, "ecdsa-sha2-nistp256")
    signature = key.sign(b"data")
    assert public.verify("ecdsa-sha2-nistp256", signature, b"data")
    assert not public.verify("ecdsa-sha2-nistp256", signature, b"other")
    assert HostKey().blob != key.blob


def test_given():
    private = bytes(range(1, 33))
    key = HostKey(private)
    same(private, bytes(range(1, 33)))  # the caller's own stays
    reader = Reader(key.blob)
    same((reader.string(), reader.string(), reader.string()), (b"ecdsa-sha2-nistp256", b"nistp256", crypto.ec_public(256, private)))
    reader.check_end()
    same(HostKey(private).sign(b"x"), key.sign(b"x"))
    for wrong in (bytes(32), b"\xff" * 32, bytes(31), b""):
        raises(ValueError, HostKey, wrong)


def test_fingerprint():
    """As `ssh-keygen -l` prints it, without the padding of base64."""
    same(fingerprint(b""), "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")
    key = HostKey(bytes(range(1, 33)))
    same(key.fingerprint, fingerprint(key.blob))


def test_wiped():
    key = HostKey()
    key.wipe()
    raises(ValueError, key.sign, b"x")


run(globals())
