"""sev/pem.py: certificates between their two lines, and text that has none, or half of one."""

from binascii import b2a_base64

from check import raises, run, same
from sev import pem

LINES = b2a_base64(bytes(range(48)))[:64].decode()
PEM = "-----BEGIN CERTIFICATE-----\n%s\n%s\n-----END CERTIFICATE-----\n" % (LINES, "//79")
DATA = bytes(range(48)) + b"\xff\xfe\xfd"


def test_pem():
    same(pem.parse(PEM), [DATA])
    same(pem.parse(PEM + PEM.replace("//79", "AA==")), [DATA, bytes(range(48)) + b"\0"])
    same(pem.parse("# ASK\r\n" + PEM.replace("\n", "\r\n") + "# end"), [DATA])
    for wrong in ("", "text", PEM[:-27], PEM.replace("BEGIN", "BEGAN"), PEM.replace("//79", "AAE"), PEM.replace("//79", "AA=C"),
                  PEM.replace("//79", "A==="), PEM.replace("//79", "AA*C"), PEM.replace("//79", "// 79"), PEM.replace("//79", " //79"),
                  PEM + PEM[:40], PEM.replace("//79", PEM), PEM.replace("//79", "//79" * 5000), PEM.replace("//79", "\u00e4AEC"), PEM + PEM[:-30], PEM.replace("//79", "****"), PEM.replace("//79", "//79===="), PEM.replace("//79", "===="),
                  PEM.replace("//79", "//7"), PEM.replace("//79", "//79\u2028\u2028\u2028\u2028")):  # fmt: skip
        raises(ValueError, pem.parse, wrong)


def test_labels():
    """Only parts with the label that is asked for count."""
    other = PEM.replace("CERTIFICATE", "X509 CRL").replace("//79", "AA==")
    same((pem.parse(PEM + other), len(pem.parse(PEM + other, pem.CRL)[0])), ([DATA], 49))
    raises(ValueError, pem.parse, PEM, pem.CRL)


run(globals())
