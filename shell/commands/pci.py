"""Commands about PCI: lspci."""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import command


@command("lspci", "", "list PCI devices")
def lspci(ctx):
    import efi
    from drivers import pci
    from drivers.pci_names import class_name

    yield "Bus     Vendor Device Bar0               Class"
    for function in pci.functions(pci.config(efi.rsdp())):
        bars = function.bars()
        bar0 = bars[0].addr if bars and bars[0] else 0
        ids = (str(function), function.vendor, function.device, bar0, class_name(function.code))
        yield "%s %04x   %04x   0x%016x %s" % ids
