"""sev/tcb.py: products, layouts, and comparing part by part."""

from check import raises, run, same
from sev import tcb

MILAN = {"boot_loader": 4, "tee": 1, "snp": 24, "microcode": 219}


def test_products():
    for family, model, name in (
        (0x19, 0x00, "Milan"), (0x19, 0x01, "Milan"), (0x19, 0x0F, "Milan"), (0x19, 0x10, "Genoa"), (0x19, 0x11, "Genoa"), (0x19, 0x1F, "Genoa"),
        (0x19, 0x20, None), (0x19, 0x9F, None), (0x19, 0xA0, "Genoa"), (0x19, 0xAF, "Genoa"), (0x19, 0xB0, None), (0x1A, 0x00, "Turin"),
        (0x1A, 0x02, "Turin"), (0x1A, 0x11, "Turin"), (0x1A, 0x12, None), (0x17, 0x01, None), (0, 0, None),
    ):  # fmt: skip
        same(tcb.product(family, model), name)


def test_layouts():
    same(tcb.layout("Milan"), tcb.CLASSIC)
    same(tcb.layout("Genoa"), tcb.CLASSIC)
    same(tcb.layout("Turin"), tcb.TURIN)
    same(tcb.parse(bytes((4, 1, 0, 0, 0, 0, 24, 219)), tcb.CLASSIC), MILAN)
    same(tcb.parse(bytes((3, 1, 2, 5, 0, 0, 0, 71)), tcb.TURIN), {"fmc": 3, "boot_loader": 1, "tee": 2, "snp": 5, "microcode": 71})


def test_reserved():
    for parts, reserved in ((tcb.CLASSIC, (2, 3, 4, 5)), (tcb.TURIN, (4, 5, 6))):
        for i in reserved:
            same(str(raises(ValueError, tcb.parse, bytes(i) + b"\1" + bytes(7 - i), parts)), "reserved byte %d of a TCB is not zero" % i)


def test_text():
    same(tcb.text(MILAN), "boot_loader 4, tee 1, snp 24, microcode 219")
    same(tcb.text(tcb.parse(bytes(8), tcb.TURIN)), "fmc 0, boot_loader 0, tee 0, snp 0, microcode 0")


def test_below():
    """A part that is ahead does not make up for one that is behind, as it would in one number."""
    same(tcb.below(MILAN, {}), "")
    same(tcb.below(MILAN, MILAN), "")
    same(tcb.below(MILAN, {"snp": 24, "tee": 0}), "")
    same(tcb.below(MILAN, dict(MILAN, microcode=220)), "microcode 219 below 220")
    same(tcb.below(dict(MILAN, microcode=255, boot_loader=3, tee=0), MILAN), "boot_loader 3 below 4, tee 0 below 1")
    same(tcb.below(MILAN, {"fmc": 0}), "fmc missing, below 0")


run(globals())
