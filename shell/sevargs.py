"""Arguments of the commands about SEV-SNP: words in, values out, or CommandError."""

# SPDX-License-Identifier: BSD-3-Clause

from sev import payload
from shell import syntax
from shell.registry import CommandError

_KEYS = {"either": payload.EITHER, "vcek": payload.VCEK, "vlek": payload.VLEK}
_ROOTS = {"chip": False, "vmrk": True}


def vmpl(word):
    """-> 0 to 3, or None."""
    return None if word is None else _number("vmpl", word, payload.VMPL_MAX)


def key(word):
    """-> payload.EITHER, VCEK or VLEK."""
    return _choice("key", _KEYS, word or "either")


def key_request(root, signer, fields, level, svn, tcb, mit):
    """-> the fields of a payload.KeyRequest that were given, as a dict."""
    values = {"vmrk": root and _choice("root", _ROOTS, root), "key": signer and key(signer), "fields": fields and _fields(fields, mit)}
    values["vmpl"] = vmpl(level)
    values["svn"] = svn and _number("svn", svn, 0xFFFFFFFF)
    values["tcb"] = tcb and _hexadecimal(tcb)
    values["mit_vector"] = mit and _hexadecimal(mit)
    return {name: value for name, value in values.items() if value is not None}


def _fields(word, mit):
    known = {name: bit for bit, name in payload.FIELDS}
    chosen = 0
    for name in () if word == "none" else word.split(","):
        chosen |= _choice("fields", known, name)
    if chosen & payload.LAUNCH_MIT_VECTOR and mit is None:
        raise CommandError("the field launch-mit wants `mit <hex>`")
    return chosen


def data(word, length):
    """-> the bytes of a word in hexadecimal, with zeroes up to length."""
    digits = word[2:] if word[:2] in ("0x", "0X") else word
    if not digits or len(digits) % 2 or digits.strip("0123456789abcdefABCDEF") or len(digits) > 2 * length:
        raise CommandError("invalid <hex> %s, not up to %d bytes in hexadecimal" % (syntax.shown(word), length))
    given = bytes.fromhex(digits)
    return given + bytes(length - len(given))


def _number(name, word, largest):
    if word.strip("0123456789") or not word or len(word) > 10 or int(word) > largest:
        raise CommandError("invalid <%s> %s, not a number up to %d" % (name, syntax.shown(word), largest))
    return int(word)


def _hexadecimal(word):
    try:
        return syntax.hexadecimal(word)
    except ValueError as e:
        raise CommandError("invalid <hex> %s, %s" % (syntax.shown(word), e))


def _choice(name, known, word):
    if word not in known:
        raise CommandError("invalid <%s> %s, expected %s" % (name, syntax.shown(word), ", ".join(sorted(known))))
    return known[word]
