"""Certificates and the like in PEM: text in, the bytes of each out; they are not looked into.

Source: RFC 7468, 3 (strict form of the lines between the two that mark them), 5. What stands outside of these is passed over.
"""

# SPDX-License-Identifier: BSD-3-Clause

from binascii import a2b_base64

from micropython import const

CERTIFICATE, CRL = "CERTIFICATE", "X509 CRL"
_BASE64_MAX = const(16384)  # characters of a certificate; AMD's have under 2400


def parse(text, label=CERTIFICATE):
    """-> the bytes of each part with this label in a text of PEM, in its order. ValueError: one is malformed, or there is none."""
    begin, end = "-----BEGIN %s-----" % label, "-----END %s-----" % label
    found, lines = [], None
    for line in text.replace("\r\n", "\n").split("\n"):
        if line == begin and lines is None:
            lines = []
        elif line == end and lines is not None:
            found.append(_base64("".join(lines)))
            lines = None
        elif lines is not None:
            lines.append(line)
    if lines is not None or not found:
        raise ValueError("PEM has no %s, or ends within one" % ("certificate" if label == CERTIFICATE else label))
    return found


def _base64(text):
    """a2b_base64 passes over what is no base64."""
    body = text.rstrip("=")
    if len(text) % 4 or len(text) - len(body) > 2 or len(text) > _BASE64_MAX:
        raise ValueError("PEM has bad base64")
    for c in body:
        if not ("A" <= c <= "Z" or "a" <= c <= "z" or "0" <= c <= "9" or c in "+/"):
            raise ValueError("PEM has bad base64")
    return a2b_base64(text)
