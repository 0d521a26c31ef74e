"""net/dnswire.py: messages byte for byte, and hostile ones that must not be taken for answers."""

import random
import struct

from check import raises, run, same
from net import dnswire
from net.dnswire import A, AAAA, Answer, MessageError

NAME = b"\x06golang\x03org\x00"
V4 = bytes((142, 251, 209, 17))
V6 = bytes.fromhex("2a001450400204100000000000002011")


def head(flags=0x8180, questions=1, answers=0, authorities=0, others=0, ident=0x1234):
    return struct.pack(">HHHHHH", ident, flags, questions, answers, authorities, others)


def question(kind=A, name=NAME):
    return name + struct.pack(">HH", kind, 1)


def record(kind, data, owner=b"\xc0\x0c", group=1):
    return owner + struct.pack(">HHIH", kind, group, 300, len(data)) + data


OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


def test_query():
    same(
        dnswire.query(0xABCD, NAME, AAAA),
        bytes.fromhex("abcd01000001000000000001") + b"\x06golang\x03org\x00\x00\x1c\x00\x01" + bytes.fromhex("00002904d000000000" "0000"),
    )
    same(dnswire.query(1, NAME, A, edns=False), bytes.fromhex("000101000001000000000000") + b"\x06golang\x03org\x00\x00\x01\x00\x01")


def test_names():
    same(dnswire.encode_name("golang.org"), NAME)
    same(dnswire.encode_name("golang.org."), NAME)
    same(dnswire.encode_name("_a.B-1"), b"\x02_a\x03B-1\x00")
    same(len(dnswire.encode_name(".".join(["a" * 63] * 3 + ["a" * 61]))), 255)
    for wrong in ("", ".", "a..b", ".a", "a" * 64, ".".join(["a" * 63] * 3 + ["a" * 62]), "bücher.de", "a b", "a\0b", "a\nb", "a.."):
        raises(ValueError, dnswire.encode_name, wrong)


# One table of answers, and what they say.
GOOD = (
    (head(answers=1) + question() + record(A, V4), A, Answer(0, False, [V4], None)),
    (head(answers=1) + question(AAAA) + record(AAAA, V6), AAAA, Answer(0, False, [V6], None)),
    (head(answers=3) + question() + record(A, V4) + record(A, b"\x01\x02\x03\x04") + record(A, V4), A,
     Answer(0, False, [V4, b"\x01\x02\x03\x04"], None)),
    (head(answers=1, others=1) + question(name=b"\x06GoLang\x03ORG\x00") + record(A, V4) + OPT, A, Answer(0, False, [V4], None)),
    # an alias, and the address behind it in whichever order
    (head(answers=2) + question() + record(5, b"\x03www\xc0\x0c") + record(A, V4, b"\xc0\x28"), A, Answer(0, False, [V4], None)),
    (head(answers=2) + question() + record(A, V4, b"\x03www\xc0\x0c") + record(5, b"\x03WWW\xc0\x0c"), A, Answer(0, False, [V4], None)),
    (head(answers=1) + question() + record(5, b"\x03www\xc0\x0c"), A, Answer(0, False, [], b"\x03www" + NAME)),
    # nothing of this kind; no such name; another class, another owner, another kind
    (head() + question(), A, Answer(0, False, [], None)),
    (head(0x8183, authorities=1) + question() + record(6, b"\0" * 22), A, Answer(3, False, [], None)),
    (head(answers=1) + question() + record(A, V4, group=3), A, Answer(0, False, [], None)),
    (head(answers=1) + question() + record(A, V4, b"\x01x\x00"), A, Answer(0, False, [], None)),
    (head(answers=1) + question() + record(AAAA, V6), A, Answer(0, False, [], None)),
    (head(answers=1) + question() + record(5, b"\x01a\x00", b"\x01b\x00"), A, Answer(0, False, [], None)),
    # failures, the truncated, and the extended code (RFC 6891, 6.1.3)
    (head(0x8182) + question(), A, Answer(2, False, [], None)),
    (head(0x8181, questions=0), A, Answer(1, False, [], None)),
    (head(0x8380, answers=9) + question() + b"cut", A, Answer(0, True, [], None)),
    (head(others=1) + question() + b"\0\0\x29\x04\xd0\x01\0\0\0\0\0", A, Answer(16, False, [], None)),
)  # fmt: skip


def test_answers():
    for message, kind, answer in GOOD:
        same(dnswire.parse(message, 0x1234, NAME, kind), answer)


def chain(count):
    """CNAMEs a0 -> a1 -> ...; the question asks for a0."""
    names = [b"\x02a%c\x00" % (ord("a") + i) for i in range(count + 1)]
    body = b"".join([record(5, names[i + 1], names[i]) for i in range(count)])
    return head(answers=count + 1) + question(name=names[0]) + body + record(A, V4, names[count]), names[0]


def test_alias_chains_end():
    message, name = chain(7)
    same(dnswire.parse(message, 0x1234, name, A).addresses, [V4])
    message, name = chain(8)
    raises(MessageError, dnswire.parse, message, 0x1234, name, A)
    loop = head(answers=2) + question() + record(5, b"\x01b\x00") + record(5, b"\xc0\x0c", b"\x01b\x00")
    raises(MessageError, dnswire.parse, loop, 0x1234, NAME, A)


BAD = (
    b"",
    head()[:11],
    head(ident=0x1235) + question(),  # another question's
    head(0x0100) + question(),  # a question itself
    head(0x8980) + question(),  # not a standard query
    head(questions=0),
    head(questions=2) + question() + question(),
    head() + question(AAAA),
    head() + question(name=b"\x06golanh\x03org\x00"),
    head() + NAME + b"\0\1\0\3",  # another class
    head() + question() + b"\0",  # more than the message
    head() + question()[:-1],
    head(answers=1) + question(),
    head(answers=65535, authorities=65535, others=65535) + question() + record(A, V4),
    head(answers=513) + question() + record(A, V4) * 513,
    head(answers=1) + question() + record(A, V4)[:-1],
    head(answers=1) + question() + record(A, V4)[:9],
    head(answers=1) + question() + record(A, V4 + b"\0"),
    head(answers=1) + question() + record(A, b""),
    head(answers=1) + question() + b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 0, 65535) + V4,
    # names: a pointer to itself, forwards, to each other, into nothing; labels of other kinds; too long; cut
    head(answers=1) + question() + record(A, V4, b"\xc0\x1c"),
    head(answers=1) + question() + record(A, V4, b"\xc0\x1e"),
    head(answers=1) + question() + record(A, V4, b"\xff\xff"),
    head(answers=1) + question() + record(A, V4, b"\x01a\xc0\x1c"),
    head() + b"\xc0\x0c" + struct.pack(">HH", A, 1),
    head(answers=1) + question() + record(A, V4, b"\x40a\0"),
    head(answers=1) + question() + record(A, V4, b"\x80a\0"),
    head(answers=1) + question() + record(A, V4, b"\x3f" + b"a" * 63),
    head(answers=1) + question() + record(A, V4, (b"\x3f" + b"a" * 63) * 4 + b"\0"),
    head(answers=1) + question() + b"\xc0",
    head(answers=1) + question() + record(5, b"\xc0\x0c\0"),  # behind the alias
    head(answers=1) + question() + record(5, b"\x01"),
)


def test_must_fail():
    for message in BAD:
        raises(MessageError, dnswire.parse, message, 0x1234, NAME, A)
    raises(MessageError, dnswire.parse, head(answers=1) + question(AAAA) + record(AAAA, V4), 0x1234, NAME, AAAA)


def test_every_cut_of_an_answer_fails():
    for message, kind, answer in GOOD:
        if not answer.truncated and answer.rcode != 1:
            for length in range(len(message)):
                raises(MessageError, dnswire.parse, message[:length], 0x1234, NAME, kind)


def test_names_that_double_by_pointers():
    """Each record's name ends in the one before: 255 bytes are the end of it."""
    owner, body, at = b"\x0aaaaaaaaaaa\xc0\x0c", b"", 12 + len(question())
    for _ in range(40):
        body += record(16, b"", owner)
        owner = b"\x0aaaaaaaaaaa" + struct.pack(">H", 0xC000 | at)
        at = 12 + len(question()) + len(body)
    raises(MessageError, dnswire.parse, head(answers=40) + question() + body, 0x1234, NAME, A)


def test_random_damage():
    """A damaged answer is refused or read; nothing else happens, and addresses have their length."""
    random.seed(1)
    for _ in range(4000):
        message, kind, _ = random.choice(GOOD)
        message = bytearray(message)
        for _ in range(random.randrange(1, 4)):
            message[random.randrange(len(message))] = random.getrandbits(8)
        try:
            answer = dnswire.parse(message, 0x1234, NAME, kind)
        except MessageError:
            continue
        same([a for a in answer.addresses if len(a) != (4 if kind == A else 16)], [])


run(globals())
