"""net/ssh/keys.py: encodings of public keys, and the lines of authorized_keys. Signatures of all kinds: tests/ssh/test_keys.py."""

from binascii import b2a_base64

import crypto
from check import raises, run, same
from net.ssh import keys
from net.ssh.wire import mpint, string

PRIVATE = bytes(range(1, 33))


def ecdsa(curve=256):
    return string(b"ecdsa-sha2-nistp%d" % curve) + string(b"nistp%d" % curve) + string(crypto.ec_keypair(curve)[1])


def text(blob):
    return str(b2a_base64(blob).strip(), "utf-8")


ED25519 = string(b"ssh-ed25519") + string(bytes(range(32)))
RSA = string(b"ssh-rsa") + mpint(b"\1\0\1") + mpint(b"\x80" + bytes(254) + b"\1")
LINE = "ssh-ed25519 " + text(ED25519)


def test_blobs():
    for kind, blob in (("ssh-ed25519", ED25519), ("ssh-rsa", RSA), ("ecdsa-sha2-nistp256", ecdsa()), ("ecdsa-sha2-nistp521", ecdsa(521))):
        same(keys.PublicKey(blob).kind, kind)


def test_bad_blobs():
    good = ecdsa()
    for blob in (
        b"",
        string(b"ssh-dss"),
        string(b"ssh-ed25519") + string(bytes(31)),
        ED25519 + b"\0",
        ED25519[:-1],
        string(b"ssh-rsa") + mpint(b"\1\0\1") + mpint(b"\x7f" + bytes(254) + b"\1"),  # 2047 bits
        string(b"ssh-rsa") + mpint(b"\1\0\1") + mpint(b"\x80" + bytes(1023) + b"\1"),
        string(b"ssh-rsa") + mpint(b"\1\0\1"),
        good[:-1] + bytes((good[-1] ^ 1,)),  # off the curve
        string(b"ecdsa-sha2-nistp384") + good[23:],
        string(b"ssh-ed25519-cert-v01@openssh.com") + string(bytes(32)),
    ):
        raises(ValueError, keys.PublicKey, blob)


def test_verify():
    """The algorithm must be the key's, and the one that the signature names."""
    key = keys.PublicKey(string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(crypto.ec_public(256, PRIVATE)))
    r, s = crypto.ecdsa_sign(256, PRIVATE, crypto.sha2(256, b"data"))
    good = string(mpint(r) + mpint(s))
    name = "ecdsa-sha2-nistp256"
    assert key.verify(name, string(name.encode()) + good, b"data")
    for algorithm, signature in (
        ("ssh-rsa", string(b"ssh-rsa") + good),
        (name, string(b"ecdsa-sha2-nistp384") + good),
        ("ecdsa-sha2-nistp384", string(b"ecdsa-sha2-nistp384") + good),
        ("rsa-sha2-256", string(b"rsa-sha2-256") + good),
        (name, string(name.encode()) + good + b"\0"),
        (name, string(name.encode()) + good[:-1]),
        (name, string(name.encode()) + string(mpint(r) + mpint(s) + b"\0")),
        (name, string(name.encode()) + string(mpint(b"") + mpint(s))),
        (name, string(name.encode()) + string(mpint(r) + string(b"\x80"))),
        (name, b""),
        ("", b""),
    ):
        assert not key.verify(algorithm, signature, b"data"), (algorithm, signature)
    rsa = keys.PublicKey(RSA)
    for length in (0, 1, 255, 256, 257, 5000):
        assert not rsa.verify("rsa-sha2-256", string(b"rsa-sha2-256") + string(b"\1" * length), b"data")
    assert not keys.PublicKey(ED25519).verify("ssh-ed25519", string(b"ssh-ed25519") + string(bytes(63)), b"data")


def test_lines():
    for line, comment, pty, command in (
        (LINE, "", True, None),
        (LINE + "  a b c ", "a b c", True, None),
        ("\t" + LINE.replace(" ", "\t"), "", True, None),
        ("restrict " + LINE, "", False, None),
        ("no-pty,no-port-forwarding,no-agent-forwarding,no-X11-forwarding,no-user-rc " + LINE, "", False, None),
        ("RESTRICT,pty,port-forwarding " + LINE, "", True, None),
        ('command="info" ' + LINE + " x", "x", True, b"info"),
        ('restrict,command="a, \\"b\\" =c" ' + LINE, "", False, b'a, "b" =c'),
        ('command="" ' + LINE, "", True, b""),
    ):
        found, warnings = keys.parse(line)
        same(warnings, [])
        same((found[0].comment, found[0].pty, found[0].command, found[0].blob), (comment, pty, command, ED25519))


def test_bad_lines():
    for line, why in (
        ("ssh-ed25519", "unknown kind"),
        ("ssh-ed25519 ", "unknown kind"),
        ("ssh-ed25519 !!!!", ""),
        ("ssh-ed25519 " + text(RSA), "two kinds"),
        ("ssh-ed25519 " + text(ED25519)[:-8], "too short"),
        ("ssh-dss AAAA", "unknown kind"),
        ("nonsense", "malformed options"),
        ('from="10.0.0.1" ' + LINE, "from is not supported"),
        ('command=info ' + LINE, "malformed"),
        ('command ' + LINE, "command is not supported"),
        ('command="info ' + LINE, "closing quote"),
        ('restrict="x" ' + LINE, "restrict is not supported"),
        ('environment="A=b",restrict ' + LINE, "environment is not supported"),
        ("cert-authority " + LINE, "cert-authority is not supported"),
        ("expiry-time=\"20200101\" " + LINE, "expiry-time is not supported"),
        ("restrict,," + LINE, ""),
        ("," + LINE, ""),
        ("x" * 9000, "too long"),
    ):
        found, warnings = keys.parse("# comment\n\n" + line + "\r\n")
        same(found, [])
        assert len(warnings) == 1 and warnings[0].startswith("line 3 is no key: ") and why in warnings[0], (line, warnings)


def test_good_ones_stay():
    found, warnings = keys.parse("x\n%s\ny\nssh-rsa %s\n" % (LINE, text(RSA)))
    same(([key.kind for key in found], len(warnings)), (["ssh-ed25519", "ssh-rsa"], 2))


run(globals())
