"""sev/der.py: values and their encodings, and every way in which DER can be wrong."""

from check import raises, run, same
from dermake import bits, context, integer, octets, oid, sequence, value
from sev import der
from sev.der import DERError, Reader


def read(method, data, *args):
    """-> what the method makes of data, of which nothing may be left."""
    reader = Reader(data)
    got = getattr(reader, method)(*args)
    reader.check_end()
    return got


VALUES = (  # method, value, encoding: by hand
    ("positive", b"", "020100"), ("positive", b"\x7f", "02017f"), ("positive", b"\x80", "02020080"), ("positive", b"\xdb", "020200db"),
    ("positive", b"\1\0\1", "0203010001"), ("small", 0, "020100"), ("small", 219, "020200db"), ("small", 2**31 - 1, "02047fffffff"),
    ("boolean", True, "0101ff"), ("boolean", False, "010100"), ("null", None, "0500"), ("bits", (b"\4", 2), "03020204"),
    ("bits", (b"", 0), "030100"), ("octet_bits", b"\x04\xff", "03030004ff"), ("oid", "1.3.132.0.34", "06052b81040022"),
    ("oid", "1.2.840.113549.1.1.10", "06092a864886f70d01010a"), ("oid", "1.3.6.1.4.1.3704.1.3.8", "060a2b060104019c78010308"),
    ("oid", "2.16.840.1.101.3.4.2.2", "0609608648016503040202"), ("oid", "2.999.3", "0603883703"), ("oid", "0.0", "060100"), ("oid", "1.2.16384.5", "06052a81800005"),
    ("text", "Milan-B0", "16084d696c616e2d4230"), ("text", "", "0c00"), ("text", "US", "13025553"),
    ("time", 0, "170d3730303130313030303030305a"), ("time", 1736976114, "170d3235303131353231323135345a"),
    ("time", 951782400, "180f32303030303232393030303030305a"), ("time", 2524607999, "170d3439313233313233353935395a"),
    ("time", 4102444799, "180f32303939313233313233353935395a"),
)  # fmt: skip


def test_values():
    for method, expected, encoding in VALUES:
        same((encoding, read(method, bytes.fromhex(encoding))), (encoding, expected))


BAD = (  # method, encoding
    ("positive", "0200"), ("positive", "020180"), ("positive", "0202ffff"), ("positive", "02020001"), ("positive", "02020000"),
    ("small", "02050080000000"), ("small", "020500ffffffff"), ("small", "0206010000000000"), ("boolean", "010101"), ("boolean", "0100"),
    ("boolean", "0102ffff"), ("null", "050100"), ("bits", "0300"), ("bits", "03020800"), ("bits", "030101"), ("bits", "03020201"),
    ("octet_bits", "03020204"), ("oid", "0600"), ("oid", "060180"), ("oid", "06022a86"), ("oid", "0603808001"), ("oid", "06032a8001"),
    ("oid", "0621" + "2a" + "01" * 32), ("text", "0c01ff"), ("text", "0c0342c3bc"), ("text", "0c011b"), ("text", "16017f"), ("text", "16010a"), ("text", "0c02c0af"), ("text", "1601e9"), ("text", "13012a"), ("text", "130140"),
    ("text", "1e00"), ("text", "0401"), ("time", "170b373030313031303030305a"), ("time", "170d3730303130313030303030302b"),
    ("time", "170d3730313330313030303030305a"), ("time", "170d3730303033303030303030305a"), ("time", "170d3730303130303030303030305a"),
    ("time", "170d3730303133323030303030305a"), ("time", "170d3739303232393030303030305a"), ("time", "170d3730303130313234303030305a"),
    ("time", "170d3730303130313030363030305a"), ("time", "170d3730303130313030303036305a"), ("time", "170d3639303130313030303030305a"),
    ("time", "170d2b30303130313030303030305a"), ("time", "170d3730303130313030303030615a"), ("time", "180d3730303130313030303030305a"),
    ("time", "180f31393639303130313030303030305a"), ("time", "181131393730303130313030303030302e305a"), ("time", "0c00"),
)  # fmt: skip


def test_must_fail():
    for method, encoding in BAD:
        try:
            got = read(method, bytes.fromhex(encoding))
        except DERError:
            continue
        raise AssertionError("%s %s gave %r" % (method, encoding, got))


def test_lengths():
    """Definite, in the shortest form, within what it lies in."""
    for size in (0, 1, 127, 128, 255, 256, 65535, 65536):
        same(read("content", octets(bytes(size)), der.OCTETS), bytes(size))
    for encoding in ("", "04", "0401", "0480", "048000", "0481", "048100", "04817f" + "00" * 127, "0482", "048200", "04820080" + "00" * 128,
                     "0482007f" + "00" * 127, "04830000ff" + "00" * 255, "048400000001", "0485", "04ff", "04810080", "0403aabb", "0482ffff00",
                     "0483ffffff00", "1f0100"):  # fmt: skip
        raises(DERError, read, "content", bytes.fromhex(encoding), der.OCTETS)
    for encoding in ("0480", "04840000008000", "0482ff", "0483ffff", "04ff"):
        same(str(raises(DERError, read, "content", bytes.fromhex(encoding), der.OCTETS)), "DER has a bad length")
    same(str(raises(DERError, read, "content", b"\4\2a", der.OCTETS)), "DER value is longer than what it lies in")
    inner = Reader(sequence(b"\4\2a") + b"bb").inside(der.SEQUENCE)  # the bytes behind are not its own
    raises(DERError, inner.content, der.OCTETS)
    raises(DERError, read, "content", b"\4\1a\0", der.OCTETS)


def test_tags():
    same(der.context(0), 0xA0)
    same(der.context(2, constructed=False), 0x82)
    same(str(raises(DERError, read, "content", octets(b""), der.SEQUENCE)), "DER has tag 0x4 in place of 0x30")
    same(read("inside", context(3), der.context(3)).more(), False)


def test_order():
    reader = Reader(sequence(integer(5), oid("1.2.3"), bits(b"\1")) + b"rest")
    inner = reader.inside(der.SEQUENCE)
    same((inner.more(), inner.next_is(der.INTEGER), inner.next_is(der.OID)), (True, True, False))
    same((inner.small(), inner.oid()), (5, "1.2.3"))
    same(str(raises(DERError, inner.check_end)), "4 bytes of DER too many")
    same(inner.whole(der.BITS), b"\3\2\0\1")
    inner.check_end()
    same((inner.more(), inner.next_is(der.BITS)), (False, False))
    raises(DERError, inner.small)
    raises(DERError, reader.check_end)


def test_depth():
    def nested(levels):
        data = b""
        for _ in range(levels):
            data = sequence(data)
        return data

    def descend(reader):
        while reader.more():
            reader = reader.inside(der.SEQUENCE)

    descend(Reader(nested(8)))
    same(str(raises(DERError, descend, Reader(nested(9)))), "DER is nested too deep")
    raises(DERError, descend, Reader(nested(2000)))


def test_our_own_encoder():
    """What tools/dermake.py makes is what openssl prints of the same values."""
    same(integer(128).hex(), "02020080")
    same(integer(bytes((0, 0, 0x80))).hex(), "02020080")
    same(oid("1.3.6.1.4.1.3704.1.3.8").hex(), "060a2b060104019c78010308")
    same(value(4, bytes(200))[:3].hex(), "0481c8")
    same(bits(b"\4", 2).hex(), "03020204")


run(globals())
