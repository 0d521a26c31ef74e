"""Commands about the processor: cpuid, info."""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import command


@command("cpuid", "<leaf> <subleaf>", "show CPU capabilities")
def cpuid(ctx, leaf, subleaf):
    import cpu

    return "EAX      EBX      ECX      EDX\n%08x %08x %08x %08x\n" % cpu.cpuid(leaf, subleaf)


@command("info", "", "device information")
def info(ctx):
    import gc

    import clock
    import cpu
    import mem
    from shell.about import version
    from shell.table import table

    start, end = _ram()
    total = mem.info()[0]
    rows = (
        ("Runtime", "v%s micropython/x86_64" % version()),
        ("RAM", "0x%08x-0x%08x (%d MiB)" % (start, end, total >> 20)),
        ("Text", "0x%08x-0x%08x" % mem.text()),
        ("Heap", "Alloc:%d KiB Free:%d KiB" % (gc.mem_alloc() >> 10, gc.mem_free() >> 10)),
        ("CPU", cpu_name()),
        ("Cores", cpu.count()),
        ("Frequency", "%g GHz" % (clock.tsc_hz() / 1e9)),
    )
    return table(rows, 14)


def cpu_name():
    """-> the processor's brand string. Source: AMD APM 3, Fn8000_000[4:2]."""
    import struct

    import cpu

    if cpu.cpuid(0x80000000)[0] < 0x80000004:
        return "unknown"
    text = b"".join([struct.pack("<IIII", *cpu.cpuid(leaf)) for leaf in range(0x80000002, 0x80000005)])
    return str(text.split(b"\x00")[0].strip(), "ascii")


def _ram():
    """-> (first, last address) of the memory that the firmware's map calls RAM."""
    import mem
    from drivers.efi import is_ram

    first = None
    last = i = 0
    while True:
        entry = mem.map(i)
        if entry is None:
            return first or 0, last
        kind, start, pages, _ = entry
        if is_ram(kind) and pages:
            first = start if first is None else min(first, start)
            last = max(last, start + pages * 4096 - 1)
        i += 1
