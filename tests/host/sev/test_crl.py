"""sev/crl.py: lists of revoked certificates, and what is none. Signatures that are true: tests/sev."""

from check import raises, run, same
from dermake import NULL, PSS, TRUE, bits, context, crl, extension, integer, name, oid, pss, sequence, value
from sev.crl import RevocationList


def test_values():
    got = RevocationList(crl([integer(0x10002), integer(0), integer(255)]))
    same((got.serials, got.issuer), ([b"\1\0\2", b"", b"\xff"], name("ARK-Milan")))
    same((got.this_update, got.next_update), (1767225600, 1798761600))
    same([got.current_at(s) for s in (1767225599, 1767225600, 1798761600, 1798761601)], [False, True, True, False])


def test_forms():
    same(RevocationList(crl([])).serials, [])
    same(RevocationList(crl([integer(1)], extensions=())).serials, [b"\1"])
    got = RevocationList(crl([], dates=value(23, b"260101000000Z")))
    same((got.next_update, got.current_at(9999999999)), (None, True))
    got = RevocationList(crl([], dates=value(24, b"20260101000000Z") + value(24, b"20510101000000Z")))
    same(got.next_update, 2556144000)
    RevocationList(crl([], extensions=(extension("2.5.29.20", integer(7), TRUE), extension("1.2.3", b""))))


    same(len(RevocationList(crl([integer(i) for i in range(500)])).serials), 500)


BAD = (
    {"tail": NULL}, {"outer_algorithm": pss(trailer=context(3, integer(1)))}, {"extensions": (), "extra": context(0, sequence(), NULL)},
    {"extensions": (sequence(oid("1.2.3"), value(4, b""), NULL),)},
    {"version": b""}, {"version": integer(0)}, {"version": integer(2)}, {"outer_algorithm": pss(salt=32)}, {"algorithm": pss(salt=32)},
    {"algorithm": sequence(oid("1.2.840.113549.1.1.11"), NULL)}, {"issuer": b""}, {"issuer": sequence(NULL)}, {"dates": b""},
    {"dates": value(23, b"260101000000Z") * 3}, {"dates": value(23, b"261301000000Z")}, {"extra": NULL}, {"extra": context(1)},
    {"extensions": (extension("2.5.29.27", integer(1), TRUE),)}, {"extensions": (extension("2.5.29.28", sequence(), TRUE),)},
    {"extensions": (sequence(oid("1.2.3")),)}, {"extensions": (NULL,)},
)  # fmt: skip


def test_must_fail():
    for changes in BAD:
        raises(ValueError, RevocationList, crl([integer(1)], **changes))
    for serial in (value(2, b"\x80"), value(2, b""), value(2, b"\0\1"), b"", NULL):
        raises(ValueError, RevocationList, crl([serial]))
    raises(ValueError, RevocationList, crl([integer(i) for i in range(1000)]))


def test_lengths():
    good = crl([integer(1)])
    for size in range(len(good)):
        raises(ValueError, RevocationList, good[:size])
    raises(ValueError, RevocationList, good + b"\0")
    raises(ValueError, RevocationList, sequence(good))


def test_entries():
    """An entry may say why; it may not say more."""
    def one(*parts):
        return RevocationList(crl([], dates=value(23, b"260101000000Z") + sequence(sequence(integer(5), value(23, b"251231000000Z"), *parts)))).serials

    same(one(), [b"\5"])
    same(one(sequence(extension("2.5.29.21", value(10, b"\1")))), [b"\5"])
    for wrong in (NULL, sequence() + NULL, bits(b"")):
        raises(ValueError, one, wrong)
    same(PSS, pss())


run(globals())
