"""net/ssh/auth.py: who enters. Real keys of every kind: tests/ssh/test_keys.py."""

import crypto
from check import raises, run, same
from net.ssh.auth import Authentication
from net.ssh.consts import *
from net.ssh.keys import PublicKey
from net.ssh.wire import Reader, boolean, byte, mpint, string

PRIVATE, NAME = bytes(range(1, 33)), b"ecdsa-sha2-nistp256"
BLOB = string(NAME) + string(b"nistp256") + string(crypto.ec_public(256, PRIVATE))
OTHER = string(NAME) + string(b"nistp256") + string(crypto.ec_public(256, bytes(range(2, 34))))
SESSION = bytes(32)


def request(method, rest=b"", user=b"root", service=b"ssh-connection"):
    return Reader(string(user) + string(service) + string(method) + rest)


def signed(private=PRIVATE, blob=BLOB, session=SESSION, user=b"root", name=NAME, signed_user=None):
    head = string(signed_user or user) + string(b"ssh-connection") + string(b"publickey") + boolean(True) + string(name) + string(blob)
    r, s = crypto.ecdsa_sign(256, private, crypto.sha2(256, string(session) + byte(MSG_USERAUTH_REQUEST) + head))
    return request(b"publickey", boolean(True) + string(name) + string(blob) + string(string(NAME) + string(mpint(r) + mpint(s))), user)


def test_open():
    for method in (b"none", b"password", b"publickey"):
        answer, is_in, key = Authentication(None).request(SESSION, request(method))
        same((answer, is_in, key), (byte(MSG_USERAUTH_SUCCESS), True, None))


def test_key():
    key = PublicKey(BLOB)
    auth = Authentication([PublicKey(OTHER), key])
    answer, is_in, _ = auth.request(SESSION, request(b"publickey", boolean(False) + string(NAME) + string(BLOB)))
    same((answer, is_in), (byte(MSG_USERAUTH_PK_OK) + string(NAME) + string(BLOB), False))
    answer, is_in, who = auth.request(SESSION, signed())
    same((answer, is_in), (byte(MSG_USERAUTH_SUCCESS), True))
    assert who is key


def test_refused():
    refused = byte(MSG_USERAUTH_FAILURE) + string(b"publickey") + boolean(False)
    for attempt in (
        request(b"none"),
        request(b"password", boolean(False) + string(b"secret")),
        request(b"publickey", boolean(False) + string(NAME) + string(OTHER)),
        request(b"publickey", boolean(False) + string(b"ssh-rsa") + string(BLOB)),
        request(b"publickey", boolean(False) + string(b"") + string(BLOB)),
        signed(private=bytes(range(2, 34))),
        signed(blob=OTHER, private=bytes(range(2, 34))),
        signed(session=bytes(31) + b"\1"),
        signed(signed_user=b"other"),
        signed(name=b"ecdsa-sha2-nistp384"),
    ):
        same(Authentication([PublicKey(BLOB)]).request(SESSION, attempt), (refused, False, None))
    same(Authentication([]).request(SESSION, signed())[1], False)


def test_limits():
    auth = Authentication([PublicKey(BLOB)])
    for _ in range(20):
        auth.request(SESSION, request(b"password"))
        auth.request(SESSION, request(b"none"))
    same(raises(Disconnect, auth.request, SESSION, request(b"password")).args[0], DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE)


def test_malformed():
    auth = Authentication([PublicKey(BLOB)])
    same(raises(Disconnect, auth.request, SESSION, request(b"none", service=b"other")).args[0], DISCONNECT_SERVICE_NOT_AVAILABLE)
    for rest in (b"", boolean(True), boolean(False) + string(NAME), boolean(False) + string(NAME) + string(BLOB) + b"x", boolean(True) + string(NAME) + string(BLOB)):
        raises(Disconnect, auth.request, SESSION, request(b"publickey", rest))


run(globals())
