"""DNS messages: a question for addresses, and what an answer to it says. Pure: bytes in, values out.

Specification: RFC 1035 (3.1, 4.1), RFC 3596 (AAAA), RFC 6891 (EDNS). Answers come from the network and are not
trusted: a message that is not wholly well-formed, or answers another question, is none. Leaves out: every record but
A, AAAA, CNAME and OPT (they are stepped over), DNSSEC, international names (RFC 5890; give the xn-- form).
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct
from collections import namedtuple

from micropython import const

A = const(1)
AAAA = const(28)
_CNAME = const(5)
_OPT = const(41)
_IN = const(1)

_QR = const(0x8000)  # RFC 1035, 4.1.1
_OPCODE = const(0x7800)
_TC = const(0x0200)
_RD = const(0x0100)

NOERROR = const(0)
FORMERR = const(1)
NXDOMAIN = const(3)
NOTIMP = const(4)
BADVERS = const(16)

UDP_LEN = const(1232)  # bytes of an answer that no path cuts into fragments: DNS flag day 2020
_NAME_LEN = const(255)
_LABEL_LEN = const(63)
_HOPS = const(8)  # CNAMEs that lead from one name to another
_RECORDS = const(512)  # in one message; the reading of more would keep others waiting

# rcode: NOERROR ... . truncated: ask again over TCP, the rest was not read. addresses: list of bytes.
# alias: the name (bytes) at which the message's CNAMEs end without an address, or None.
Answer = namedtuple("Answer", ("rcode", "truncated", "addresses", "alias"))


class MessageError(Exception):
    """The bytes are no answer to the question."""


def encode_name(name):
    """-> the wire form of a domain name, as typed. ValueError: it cannot be one."""
    if not name or [c for c in name if not "!" <= c <= "~"]:
        raise ValueError("not a host name of ASCII letters, digits and hyphens")
    out = bytearray()
    for label in (name[:-1] if name[-1] == "." else name).split("."):
        if not 1 <= len(label) <= _LABEL_LEN:
            raise ValueError("a part of the name has no or more than 63 characters")
        out.append(len(label))
        out += label.encode()
    out.append(0)
    if len(out) > _NAME_LEN:
        raise ValueError("the name has more than 253 characters")
    return bytes(out)


def query(ident, name, kind, edns=True):
    """-> the message that asks for a name (in wire form). edns: tell the server that answers may have UDP_LEN bytes."""
    head = struct.pack(">HHHHHH", ident, _RD, 1, 0, 0, 1 if edns else 0)
    opt = struct.pack(">BHHIH", 0, _OPT, UDP_LEN, 0, 0) if edns else b""
    return head + name + struct.pack(">HH", kind, _IN) + opt


def parse(message, ident, name, kind):
    """-> the Answer in a message to query(ident, name, kind). Raises MessageError."""
    if len(message) < 12:
        raise MessageError("too short")
    got, flags, questions, answers, authorities, others = struct.unpack(">HHHHHH", message)
    if got != ident or flags & (_QR | _OPCODE) != _QR:
        raise MessageError("not an answer to the question")
    if len(message) == 12 and flags & 15 in (FORMERR, NOTIMP):
        return Answer(flags & 15, False, [], None)  # from who did not get as far as the question
    if questions != 1:
        raise MessageError("not an answer to the question")
    name = name.lower()
    asked, at = _name(message, 12)
    if asked != name or message[at : at + 4] != struct.pack(">HH", kind, _IN):
        raise MessageError("not an answer to the question")
    if flags & _TC:
        return Answer(flags & 15, True, [], None)
    if answers + authorities + others > _RECORDS:
        raise MessageError("too many records")
    records, at = _records(message, at + 4, answers)
    rest, at = _records(message, at, authorities + others)
    if at != len(message):
        raise MessageError("bytes behind the last record")
    rcode = flags & 15
    for _, record_kind, _, ttl, _, _ in rest:
        if record_kind == _OPT:
            rcode |= ttl >> 24 << 4
    addresses, alias = _follow(message, records, name, kind)
    return Answer(rcode, False, addresses, alias)


def _records(message, at, count):
    """-> (list of (owner, kind, class, ttl, start of data, end of data), where they end)."""
    out = []
    for _ in range(count):
        owner, at = _name(message, at)
        if at + 10 > len(message):
            raise MessageError("cut in a record")
        kind, group, ttl, data_len = struct.unpack_from(">HHIH", message, at)
        at += 10
        out.append((owner, kind, group, ttl, at, at + data_len))
        at += data_len
        if at > len(message):
            raise MessageError("cut in a record")
    return out, at


def _follow(message, records, name, kind):
    """-> (addresses, alias): what the records say of a name, CNAMEs followed."""
    found = {}
    aliases = {}
    for host, record_kind, group, _, start, end in records:
        if group == _IN and record_kind == kind:
            if end - start != (4 if kind == A else 16):
                raise MessageError("an address of a wrong length")
            found.setdefault(host, []).append(bytes(message[start:end]))
        elif group == _IN and record_kind == _CNAME:
            aliases[host], at = _name(message, start)
            if at != end:
                raise MessageError("an alias of a wrong length")
    owner = name
    for _ in range(_HOPS):
        if owner in found or owner not in aliases:
            break
        owner = aliases[owner]
    else:
        raise MessageError("aliases without end")
    unique = []
    for address in found.get(owner, ()):
        if address not in unique:
            unique.append(address)
    return unique, owner if owner != name and not unique else None


def _name(message, at):
    """-> (a name in wire form and lower case, where the bytes behind it are). Pointers lead backwards only."""
    out = bytearray()
    after = None
    limit = at  # a pointer must lead to before the part of the name that holds it
    while True:
        if at >= len(message):
            raise MessageError("cut in a name")
        count = message[at]
        if count >= 0xC0:
            if at + 2 > len(message):
                raise MessageError("cut in a name")
            after = after or at + 2
            at = (count & 0x3F) << 8 | message[at + 1]
            if at >= limit:
                raise MessageError("a pointer that does not lead backwards")
            limit = at
        elif count > _LABEL_LEN:
            raise MessageError("a label of unknown kind")
        else:
            out += message[at : at + count + 1]
            at += count + 1
            if len(out) > _NAME_LEN:
                raise MessageError("a name of more than 255 bytes")
            if count == 0:
                return bytes(out).lower(), after or at
