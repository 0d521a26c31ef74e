"""Peers that send garbage, break off, flood or wait: harmless to the server and to everybody else."""

import random
import socket
import struct
import subprocess
import threading
import time

import pytest


def packet(payload):
    """Return a packet before the first keys."""
    padding = 8 - (len(payload) + 5) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def name_list(*names):
    return struct.pack(">I", len(",".join(names))) + ",".join(names).encode()


def kexinit(kex=("curve25519-sha256",), follows=0, tail=b"", cipher="aes256-ctr"):
    lists = [kex, ["ecdsa-sha2-nistp256"], [cipher], [cipher], ["hmac-sha2-256-etm@openssh.com"], ["hmac-sha2-256-etm@openssh.com"], ["none"],
             ["none"], [], []]
    return packet(b"\x14" + bytes(16) + b"".join(name_list(*names) for names in lists) + bytes([follows]) + bytes(4) + tail)


VERSION = b"SSH-2.0-test\r\n"
STRICT = ("curve25519-sha256", "kex-strict-c-v00@openssh.com")
IGNORE = packet(b"\x02\0\0\0\1x")
ECDH = packet(b"\x1e\0\0\0\x20" + b"\x09" + bytes(31))

# What is sent, and what the server's last words hold.
GARBAGE = {
    "http": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"this is an SSH-2.0 server"),
    "old version": (b"SSH-1.5-old\r\n", b"this is an SSH-2.0 server"),
    "endless line": (b"SSH-2.0-" + b"x" * 300, b"this is an SSH-2.0 server"),
    "nul in version": (b"SSH-2.0-a\0b\r\n", b"this is an SSH-2.0 server"),
    "random": (random.Random(1).randbytes(5000), b"this is an SSH-2.0 server"),
    "zero length": (VERSION + bytes(16), b"bad packet length"),
    "huge length": (VERSION + b"\xff" * 16, b"bad packet length"),
    "too large": (VERSION + struct.pack(">IB", 40004, 4) + bytes(100), b"bad packet length"),
    "no whole blocks": (VERSION + struct.pack(">IB", 13, 4) + bytes(100), b"bad packet length"),
    "padding": (VERSION + struct.pack(">IB", 12, 200) + bytes(11), b"bad padding"),
    "small padding": (VERSION + struct.pack(">IB", 12, 3) + bytes(11), b"bad padding"),
    "no kexinit": (VERSION + packet(b"\x05\0\0\0\x0cssh-userauth"), b"out of order"),
    "newkeys first": (VERSION + packet(b"\x15"), b"out of order"),
    "ecdh first": (VERSION + ECDH, b"out of order"),
    "userauth first": (VERSION + packet(b"\x32" + bytes(40)), b"out of order"),
    "channel first": (VERSION + packet(b"\x5a" + bytes(40)), b"out of order"),
    "short kexinit": (VERSION + packet(b"\x14" + bytes(10)), b"too short"),
    "long kexinit": (VERSION + kexinit(tail=b"x"), b"too long"),
    "no utf-8": (VERSION + packet(b"\x14" + bytes(16) + b"\0\0\0\2\xff\xfe" + bytes(41)), b"no key exchange algorithm"),
    "nothing in common": (VERSION + kexinit(["diffie-hellman-group1-sha1"]), b"no key exchange algorithm"),
    "no cipher": (VERSION + kexinit(cipher="3des-cbc"), b"no cipher algorithm"),
    "second kexinit": (VERSION + kexinit() + kexinit(), b"out of order"),
    "service in kex": (VERSION + kexinit() + packet(b"\x05\0\0\0\x0cssh-userauth"), b"out of order"),
    "strict, ignore before": (VERSION + IGNORE + kexinit(STRICT), b"not the first message"),
    "strict, ignore within": (VERSION + kexinit(STRICT) + IGNORE, b"out of order"),
    "newkeys too early": (VERSION + kexinit() + packet(b"\x15"), b"NEWKEYS without"),
    "short key": (VERSION + kexinit() + packet(b"\x1e\0\0\0\x05abcde"), b"invalid public key"),
    "zero key": (VERSION + kexinit() + packet(b"\x1e\0\0\0\x20" + bytes(32)), b"invalid public key"),
    "point off the curve": (VERSION + kexinit(["ecdh-sha2-nistp256"]) + packet(b"\x1e\0\0\0\x41\4" + b"\1" * 64), b"invalid public key"),
    "point at infinity": (VERSION + kexinit(["ecdh-sha2-nistp384"]) + packet(b"\x1e\0\0\0\x01\0"), b"invalid public key"),
    "two keys": (VERSION + kexinit() + ECDH + ECDH, None),
    "corrupted": (VERSION + kexinit() + ECDH + packet(b"\x15") + bytes(200), None),
    "guess": (VERSION + kexinit(["unknown", "curve25519-sha256"], 1) + packet(b"\x1e\0\0\0\3bad") + ECDH, b"\x1f"),
}


def last_words(s):
    """Return what comes until the server closes or is silent for a while."""
    s.settimeout(1)
    data = b""
    try:
        while piece := s.recv(65536):
            data += piece
    except (TimeoutError, ConnectionError):
        pass
    return data


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage(server, name):
    sent, words = GARBAGE[name]
    with server.raw() as s:
        s.sendall(sent)
        assert words is None or words in last_words(s)


def test_after_garbage(server):
    server.check()


def test_ignored_messages_without_strict(server):
    """Without strict KEX, messages to be ignored do no harm anywhere."""
    with server.raw() as s:
        s.sendall(VERSION + IGNORE + kexinit() + IGNORE + packet(b"\x04\0\0\0\0\x01d\0\0\0\0") + ECDH)
        assert b"\x1f\0\0\0" in last_words(s)


def test_waits_for_kexinit(server):
    """A client that sends nothing but its version gets the server's KEXINIT."""
    with server.raw() as s:
        s.sendall(VERSION)
        data = b""
        while b"curve25519-sha256" not in data:
            data += s.recv(65536)
        s.sendall(kexinit() + ECDH)
        assert b"\x1f\0\0\0" in last_words(s)


class Cutter(threading.Thread):
    """Passes a client's bytes on to the server, and breaks off after so many; corrupt: turns one bit round there instead."""

    def __init__(self, server, count, corrupt=False):
        super().__init__(daemon=True)
        self.server, self.count, self.corrupt = server, count, corrupt
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        near, _ = self.listener.accept()
        far = self.server.raw()
        threading.Thread(target=self.back, args=(far, near), daemon=True).start()
        passed = 0
        try:
            while data := near.recv(65536):
                if passed <= self.count < passed + len(data):
                    data = bytearray(data[:self.count - passed] if not self.corrupt else data)
                    if self.corrupt:
                        data[self.count - passed] ^= 1
                passed += len(data)
                far.sendall(data)
                if passed == self.count and not self.corrupt:
                    break
        except OSError:
            pass
        for s in (near, far):
            s.close()

    def back(self, far, near):
        try:
            while data := far.recv(65536):
                near.sendall(data)
            near.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def test_broken_off(server):
    """Wherever a client breaks off, from the first byte to the running command."""
    for count in [0, 5, 21, 22, 30, 700, 1600, *range(1700, 2600, 60)]:
        server.ssh("t-bulk", "1000", port=Cutter(server, count).port)
    server.check()


@pytest.mark.parametrize("cipher", ["aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"])
def test_corrupted(server, cipher):
    """A bit that is turned round anywhere ends the connection, behind the keys as a packet that is corrupted."""
    for count in [3, 40, 400, *range(1750, 2300, 70)]:
        done = server.ssh("t-wait", "3000", options=["-c", cipher, "-o", "LogLevel=INFO"], port=Cutter(server, count, corrupt=True).port)
        assert done.returncode in (0, 255)  # 0: the bit was in the reserved part, or behind the end
    server.check()


def test_slow_to_authenticate(serve):
    server = serve(grace_ms=500)
    with server.raw() as s:
        s.sendall(VERSION)
        start = time.monotonic()
        while s.recv(65536):
            pass
        assert 0.3 < time.monotonic() - start < 5


def test_too_much_before_authentication(serve):
    server = serve(unauthenticated_bytes=20000)
    with server.raw() as s:
        s.sendall(VERSION + IGNORE * 2000)
        assert b"too much before authentication" in last_words(s)
    server.check()


def test_silent_peer(serve):
    """Who does not answer is not there any more; who does stays."""
    server = serve(grace_ms=200, alive_ms=200, missed_max=3)
    done = server.ssh("t-wait", "2500")
    assert done.stdout == b"waited\n"


def test_flood_of_connections(server):
    """Hundreds of connections that say nothing keep nobody out for long."""
    held = [server.raw() for _ in range(300)]
    server.check()
    for s in held:
        s.close()
    server.check()


def test_many_connections_that_are_in(serve):
    """Those who are in are never pushed out by others."""
    server = serve(connections_max=3)
    users = [subprocess.Popen([*server.command(), "t-wait", "4000"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(3)]
    time.sleep(2)
    assert server.ssh("t-width").returncode == 255
    assert [user.communicate()[0] for user in users] == [b"waited\n"] * 3
    server.check()
