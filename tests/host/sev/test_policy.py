"""sev/policy.py: what an options file may ask for, and lines that are wrong."""

from check import raises, run, same
from sev import policy

FULL = """
# what we take
measurement = %s, %s
host_data=%s
vmpl = 1
guest_svn = 4294967295
tcb = boot_loader 4, snp 24
product = Genoa, Turin
allow_smt = no
allow_debug = yes
provider = Some Cloud
root = %s,%s
kds = https://cache.test:8443/
""" % ("4d" * 48, "4E" * 48, "48" * 32, "Ab" * 32, "01" * 32)


def test_defaults():
    for got in (policy.Policy(), policy.parse(""), policy.parse("\n# nothing\n\n")):
        same((got.measurement, got.report_data, got.vmpl, got.tcb, got.product, got.provider, got.guest_svn), (None, None, None, {}, None, None, 0))
        same((got.allow_debug, got.allow_migration, got.allow_smt, got.root, got.kds), (False, False, True, [], None))


def test_full():
    got = policy.parse(FULL)
    same((got.measurement, got.host_data, got.vmpl, got.guest_svn), ([b"M" * 48, b"N" * 48], b"H" * 32, 1, 0xFFFFFFFF))
    same((got.tcb, got.product, got.provider), ({"boot_loader": 4, "snp": 24}, ["Genoa", "Turin"], "Some Cloud"))
    same((got.allow_smt, got.allow_debug, got.allow_migration), (False, True, False))
    same((got.root, got.kds), (["ab" * 32, "01" * 32], "https://cache.test:8443"))
    same(policy.parse("kds = http://10.0.0.2:80").kds, "http://10.0.0.2:80")
    for name, size in (("report_data", 64), ("family_id", 16), ("image_id", 16), ("id_key_digest", 48), ("author_key_digest", 48), ("chip_id", 64)):
        same(getattr(policy.parse("%s = %s\r\n" % (name, "61" * size)), name), b"a" * size)


def test_must_fail():
    for line, why in (
        ("vmpl", "no '='"), ("vmpl 1", "no '='"), ("= 1", "there is no ''"), ("colour = red", "there is no 'colour'"), ("vmpl = 4", "vmpl is a number up to 3"),
        ("vmpl = -1", "vmpl is a number up to 3"), ("vmpl =", "vmpl is a number up to 3"), ("vmpl = 0x1", "vmpl is a number up to 3"),
        ("guest_svn = 4294967296", "guest_svn is a number up to 4294967295"), ("guest_svn = " + "9" * 5000, "guest_svn is a number up to 4294967295"),
        ("measurement = " + "4d" * 47, "measurement is 48 bytes in hexadecimal"), ("measurement = " + "4d" * 48 + ",", "measurement is 48 bytes in hexadecimal"),
        ("host_data = " + "zz" * 32, "host_data is 32 bytes in hexadecimal"), ("host_data = " + "4" * 63, "host_data is 32 bytes in hexadecimal"),
        ("allow_debug = true", "allow_debug is yes or no"), ("allow_debug =", "allow_debug is yes or no"), ("product = Rome", "product is one or more of Milan, Genoa, Turin"),
        ("provider =", "no value"), ("\x1b[2J\u2028 = 1", "there is no '\\x1b[2J"), ("vmpl = 1\nvmpl = 1", "a name twice"), ("tcb = snp", None), ("tcb = snp 1 2", None), ("tcb =", None),
        ("root = " + "00" * 31, "root is 32 bytes in hexadecimal"), ("root = " + "00" * 32 + ", x", "root is 32 bytes in hexadecimal"),
        ("kds = cache.test", "kds is an address such as"), ("kds = ftp://x", "kds is an address such as"), ("kds = https://a b", "kds is an address such as"),
        ("kds = https://\x1b", "kds is an address such as"), ("tcb = snp 256", "snp is a number up to 255"), ("tcb = spl4 1", None), ("tcb = snp 1, snp 2", None),
    ):  # fmt: skip
        text = str(raises(ValueError, policy.parse, "# first\n" + line))
        number = 3 if "\n" in line else 2
        assert text.startswith("line %d of the policy: %s" % (number, why or "tcb is a list of a part")) and "\n" not in text, text


def test_by_name():
    same(policy.Policy(vmpl=2).vmpl, 2)
    raises(ValueError, lambda: policy.Policy(colour=1))


run(globals())
