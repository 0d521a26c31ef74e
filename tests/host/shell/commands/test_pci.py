"""shell/commands/pci.py: the documented columns, with class names."""

import cpu
import efi
import mem
import pcibus
from check import run, same
from talk import command


def test_lspci():
    mem.reset()
    efi.state["rsdp"] = 0
    cpu.ports = pcibus.Ports(
        {
            (0, 0, 0): pcibus.header(0x8086, 0x29C0, 0x060000),
            (0, 31, 0): pcibus.header(0x8086, 0x2918, 0x060100, kind=0x80),
            (0, 31, 2): pcibus.header(0x1AF4, 0x1000, 0x020000, bars=(0xC041,)),
        }
    )
    same(
        command("lspci"),
        "Bus     Vendor Device Bar0               Class\n"
        "00:00.0 8086   29c0   0x0000000000000000 Host bridge\n"
        "00:1f.0 8086   2918   0x0000000000000000 ISA bridge\n"
        "00:1f.2 1af4   1000   0x000000000000c040 Ethernet controller\n\n",
    )


run(globals())
