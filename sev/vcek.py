"""What AMD's certificates of a signing key (VCEK, VLEK) say beyond X.509: product, TCB, and the chip or the provider.

Source: VCEK Certificate and KDS Interface Specification (57230), 3.1 and 3.2. Milan and Genoa have structure version 0, Turin 1.
"""

# SPDX-License-Identifier: BSD-3-Clause

from sev import der, tcb
from sev.der import DERError, Reader

_ARC = "1.3.6.1.4.1.3704.1."
VCEK_NAME, VLEK_NAME = "SEV-VCEK", "SEV-VLEK"  # common names of the subjects

_SPL = {"boot_loader": "3.1", "tee": "3.2", "snp": "3.3", "microcode": "3.8", "fmc": "3.9"}
_SPL_UNUSED = ("3.4", "3.5", "3.6", "3.7")  # zero; Turin has no 3.4
_PROVIDER_MAX = 64  # characters


class Endorsement:
    """product: "Milan", "Genoa" or "Turin"; stepping: "B0" or ""; tcb: as sev/tcb.py has it; hardware_id: of a VCEK, in the 64
    bytes of Report.chip_id, else None; provider: of a VLEK, text, else None.
    """

    def __init__(self, certificate):
        """ValueError: a certificate of AMD's form does not have these extensions."""
        self._extensions = certificate.extensions
        version = self._number("1")
        name = self._text("2")
        self.product, _, self.stepping = name.partition("-")
        if self.product not in ("Milan", "Genoa", "Turin") or version != (self.product == "Turin"):
            raise DERError("certificate is for product %s with structure %d" % (name[:16], version))
        self.tcb = {part: self._spl(_SPL[part]) for part in tcb.layout(self.product).values()}
        for oid in _SPL_UNUSED:
            if _ARC + oid in self._extensions and self._spl(oid):
                raise DERError("certificate has the unknown part %s of a TCB" % oid)
        if "fmc" not in self.tcb and _ARC + _SPL["fmc"] in self._extensions:
            raise DERError("certificate has an FMC, which its product has not")
        self.hardware_id = self.provider = None
        if certificate.subject_name == VCEK_NAME:
            self.hardware_id = self._hardware_id()
        elif certificate.subject_name == VLEK_NAME:
            self.provider = self._text("5")
        else:
            raise DERError("certificate is neither of a VCEK nor of a VLEK")
        if (self.hardware_id is None) != (_ARC + "4" not in self._extensions) or (self.provider is None) != (_ARC + "5" not in self._extensions):
            raise DERError("certificate has the extensions of a VCEK and of a VLEK")

    def _content(self, oid):
        if _ARC + oid not in self._extensions:
            raise DERError("certificate lacks AMD's extension " + oid)
        return self._extensions[_ARC + oid]

    def _number(self, oid):
        reader = Reader(self._content(oid), depth=3)
        number = reader.small()
        reader.check_end()
        return number

    def _spl(self, oid):
        number = self._number(oid)
        if number > 255:
            raise DERError("part %s of the certificate's TCB is %d" % (oid, number))
        return number

    def _text(self, oid):
        reader = Reader(self._content(oid), depth=3)
        if not reader.next_is(der.IA5):
            raise DERError("AMD's extension %s is no IA5String" % oid)
        text = reader.text()
        reader.check_end()
        if not 1 <= len(text) <= _PROVIDER_MAX:
            raise DERError("AMD's extension %s is empty, or too long" % oid)
        return text

    def _hardware_id(self):
        """The extension holds the bytes themselves, without an OCTET STRING of its own: 64, from Turin on 8."""
        data = self._content("4")
        if len(data) != (8 if self.product == "Turin" else 64):
            raise DERError("certificate has a hardware id of %d bytes" % len(data))
        return data + bytes(64 - len(data))
