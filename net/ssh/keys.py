"""Public keys of users: encodings, signatures, and the lines of an authorized_keys file.

A line is [options] algorithm base64 [comment]. Of sshd's options those are taken that only restrict and that this server
can keep; a line with another one is no key. Keys: Ed25519, ECDSA with P-256, P-384 and P-521, RSA from 2048 bits on.
Source: sshd(8), AUTHORIZED_KEYS FILE FORMAT; RFC 4253, 6.6; RFC 5656, 3.1; RFC 8332; RFC 8709.
"""

# SPDX-License-Identifier: BSD-3-Clause

from binascii import a2b_base64

import crypto
from micropython import const

from net.ssh.consts import Disconnect
from net.ssh.wire import Reader

_LINE_MAX = const(8192)
_RSA_BYTES_MIN = const(256)
_RSA_BYTES_MAX = const(1024)

# Algorithm of a signature -> (algorithm of the key, bits of the hash, curve), as server-sig-algs lists them.
ALGORITHMS = {
    "ssh-ed25519": ("ssh-ed25519", 0, 0),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256", 256, 256),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384", 384, 384),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521", 512, 521),
    "rsa-sha2-512": ("ssh-rsa", 512, 0),
    "rsa-sha2-256": ("ssh-rsa", 256, 0),
}
_KINDS = {kind: (bits, curve) for kind, bits, curve in ALGORITHMS.values()}

# Options that take away what this server never gives, or that give back what it never gives.
_HARMLESS = ("no-agent-forwarding", "no-port-forwarding", "no-X11-forwarding", "no-user-rc", "agent-forwarding",
             "port-forwarding", "X11-forwarding", "user-rc")


class PublicKey:
    """blob: its encoding; ValueError where that is none of a key we take. pty, command: what the options say."""

    def __init__(self, blob, comment="", pty=True, command=None):
        self.blob = blob
        self.comment = comment
        self.pty = pty
        self.command = command
        try:
            reader = Reader(blob)
            self.kind = reader.text()
            self._take(reader)
            reader.check_end()
        except Disconnect as e:
            raise ValueError(e.args[1])

    def _take(self, reader):
        if self.kind not in _KINDS:
            raise ValueError("unknown kind of key")
        if self.kind == "ssh-rsa":
            self._e, self._n = reader.mpint(), reader.mpint()
            if not _RSA_BYTES_MIN <= len(self._n) <= _RSA_BYTES_MAX or len(self._n) == _RSA_BYTES_MIN and not self._n[0] & 0x80:
                raise ValueError("RSA key of under 2048 or over 8192 bits")
        elif self.kind == "ssh-ed25519":
            self._point = reader.string()
            if len(self._point) != 32:
                raise ValueError("Ed25519 key is not 32 bytes")
        else:
            curve = _KINDS[self.kind][1]
            if reader.string() != b"nistp%d" % curve:
                raise ValueError("key of another curve")
            self._point = reader.string()
            crypto.ecdsa_verify(curve, self._point, bytes(32), b"\1", b"\1")  # ValueError: no point of the curve

    def verify(self, algorithm, signature, data):
        """-> True if signature (with its algorithm inside) is this key's of data."""
        try:
            reader = Reader(signature)
            if algorithm not in ALGORITHMS or reader.text() != algorithm or ALGORITHMS[algorithm][0] != self.kind:
                return False
            inner = reader.string()
            reader.check_end()
            return self._verify(algorithm, inner, data)
        except (Disconnect, ValueError):
            return False

    def _verify(self, algorithm, signature, data):
        _, bits, curve = ALGORITHMS[algorithm]
        if not bits:
            return crypto.ed25519_verify(self._point, data, signature)
        digest = crypto.sha2(bits, data)
        if curve:
            reader = Reader(signature)
            r, s = reader.mpint(), reader.mpint()
            reader.check_end()
            return crypto.ecdsa_verify(curve, self._point, digest, r, s)
        signature = bytes(len(self._n) - len(signature)) + signature  # some leave leading zeroes out
        return crypto.rsa_verify(self._n, self._e, bits, digest, signature)


def parse(text):
    """-> (keys, warnings) of an authorized_keys file: a line of text for each line that is no key."""
    keys, warnings = [], []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if line and line[0] != "#":
            try:
                keys.append(parse_line(line))
            except ValueError as e:
                warnings.append("line %d is no key: %s" % (number, e))
    return keys, warnings


def parse_line(line):
    """-> the PublicKey of one line. ValueError: it is none, or has an option that we do not keep."""
    if len(line) > _LINE_MAX:
        raise ValueError("too long")
    options, rest = [], line
    if line.split(None, 1)[0] not in _KINDS:
        options, rest = _options(line)
    words = rest.split(None, 2)
    if len(words) < 2 or words[0] not in _KINDS:
        raise ValueError("unknown kind of key")
    try:
        blob = a2b_base64(words[1])
    except ValueError:
        raise ValueError("bad base64")
    key = PublicKey(blob, words[2] if len(words) > 2 else "")
    if key.kind != words[0]:
        raise ValueError("two kinds of key")
    for name, value in options:
        _apply(key, name, value)
    return key


def _options(line):
    """-> ([(name, value or None)], what follows)."""
    options = []
    at = 0
    while True:
        start = at
        while at < len(line) and line[at] not in ' \t,="':
            at += 1
        name, value = line[start:at], None
        if line[at : at + 2] == '="':
            value, at = _quoted(line, at + 2)
        options.append((name, value))
        if at < len(line) and line[at] == ",":
            at += 1
        elif at < len(line) and line[at] in " \t":
            return options, line[at:].strip()
        else:
            raise ValueError("malformed options")


def _quoted(line, at):
    """-> (text up to the closing quote, offset behind it); a backslash keeps a quote from closing."""
    text = ""
    while at < len(line) and line[at] != '"':
        if line[at : at + 2] == '\\"':
            at += 1
        text += line[at]
        at += 1
    if at == len(line):
        raise ValueError("missing closing quote")
    return text, at + 1


def _apply(key, name, value):
    lower = name.lower()
    if lower == "command" and value is not None:
        key.command = value.encode()
    elif value is not None:
        raise ValueError("option %s is not supported" % name[:40])
    elif lower in ("restrict", "no-pty"):
        key.pty = False
    elif lower == "pty":
        key.pty = True
    elif lower not in [option.lower() for option in _HARMLESS]:
        raise ValueError("option %s is not supported" % name[:40])
