"""What a report must say to be accepted: a Policy, and the lines of an options file that make one.

A line is `name = value`; lines that are empty or begin with # are passed over. Values: bytes in hexadecimal, numbers in decimal,
yes or no, lists with commas. Not here: how a policy is kept to (sev/verify.py), how a server is asked (sev/evidence.py).
"""

# SPDX-License-Identifier: BSD-3-Clause

from binascii import unhexlify

from sev import tcb

_BYTES = {"report_data": 64, "host_data": 32, "family_id": 16, "image_id": 16, "id_key_digest": 48, "author_key_digest": 48, "chip_id": 64}
_NUMBERS = {"vmpl": 3, "guest_svn": (1 << 32) - 1}  # name -> the largest
_FLAGS = ("allow_debug", "allow_migration", "allow_smt")
_PRODUCTS = ("Milan", "Genoa", "Turin")


class Policy:
    """report_data, host_data, family_id, image_id, id_key_digest, author_key_digest, chip_id: the bytes that the report must
    have, or None; measurement: a list of measurements of which it must have one, or None; vmpl: its VMPL, or None; guest_svn:
    its least; tcb: the least for parts of the reported TCB; product: those that may be, or None; allow_debug,
    allow_migration, allow_smt: whether the guest's own policy may; provider: the text of a VLEK's provider, or None; root: SHA-256
    of the public keys of roots that are trusted beside AMD's, in hexadecimal; kds: a server that has AMD's certificates, in
    place of AMD's own, or None.
    """

    def __init__(self, **values):
        self.report_data = self.host_data = self.family_id = self.image_id = self.id_key_digest = self.author_key_digest = None
        self.chip_id = self.measurement = self.vmpl = self.product = self.provider = None
        self.guest_svn = 0
        self.tcb = {}
        self.root = []
        self.kds = None
        self.allow_debug = self.allow_migration = False
        self.allow_smt = True
        for name, value in values.items():
            if name not in self.__dict__:
                raise ValueError("policy has no " + name)
            setattr(self, name, value)


def parse(text):
    """-> the Policy of an options file. ValueError: its first line that is wrong, with its number."""
    values = {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if line and line[0] != "#":
            name, equals, value = [part.strip() for part in line.partition("=")]
            try:
                if not equals or name in values:
                    raise ValueError("a name twice" if equals else "no '='")
                values[name] = _value(name, value)
            except ValueError as e:
                raise ValueError("line %d of the policy: %s" % (number, e))
    return Policy(**values)


def _value(name, value):
    if name in _BYTES:
        return _bytes(name, value, _BYTES[name])
    if name == "measurement":
        return [_bytes(name, one.strip(), 48) for one in value.split(",")]
    if name in _NUMBERS:
        return _number(name, value, _NUMBERS[name])
    if name in _FLAGS:
        if value not in ("yes", "no"):
            raise ValueError("%s is yes or no" % name)
        return value == "yes"
    if name == "tcb":
        return _tcb(value)
    if name == "root":
        return [_bytes(name, one.strip(), 32).hex() for one in value.split(",")]
    if name == "kds":
        return _server(value)
    if name == "product":
        names = [one.strip() for one in value.split(",")]
        if [one for one in names if one not in _PRODUCTS]:
            raise ValueError("product is one or more of " + ", ".join(_PRODUCTS))
        return names
    if name == "provider" and value:
        return value
    raise ValueError("no value" if name == "provider" else "there is no %r" % name[:40])


def _bytes(name, value, size):
    try:
        data = unhexlify(value)
    except ValueError:
        data = b""
    if len(data) != size:
        raise ValueError("%s is %d bytes in hexadecimal" % (name, size))
    return data


def _server(value):
    """-> the address without a slash at its end."""
    if value[:8] != "https://" and value[:7] != "http://" or [c for c in value if not "!" <= c <= "~"]:
        raise ValueError("kds is an address such as https://host:port")
    return value.rstrip("/")


def _number(name, value, largest):
    if not value.isdigit() or len(value) > 10 or int(value) > largest:
        raise ValueError("%s is a number up to %d" % (name, largest))
    return int(value)


def _tcb(value):
    """`boot_loader 4, snp 24`: the least of these parts."""
    least = {}
    for one in value.split(","):
        words = one.split()
        if len(words) != 2 or words[0] not in tcb.PARTS or words[0] in least:
            raise ValueError("tcb is a list of a part (%s) and its least version" % ", ".join(tcb.PARTS))
        least[words[0]] = _number(words[0], words[1], 255)
    return least
