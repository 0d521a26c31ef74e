"""Commands about memory and registers as they are: msr, peek, poke. A hardened build does not have them (registry.py)."""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import CommandError, command

_PAGE = 4096
_PEEK_MAX = 1 << 20
_ADDRESSES = 1 << 64


@command("msr", "<hex addr>", "read model-specific register")
def msr(ctx, addr):
    import cpu

    if addr >> 32:
        raise CommandError("no such MSR, more than 32 bits")
    try:
        return "%x\n" % cpu.rdmsr(addr)
    except OSError:
        raise CommandError("no such MSR %#x (#GP)" % addr)


@command("peek", "<hex addr> <size>", "memory display (use with caution)")
def peek(ctx, addr, size):
    """Read with 32-bit accesses where aligned, else bytes: registers see no torn access."""
    from shell.table import hexdump

    if size > _PEEK_MAX:
        raise CommandError("size must be at most %d" % _PEEK_MAX)
    if addr + size > _ADDRESSES:
        raise CommandError("beyond the last address")
    _check_mapped(addr, size)
    for start in range(addr, addr + size, 16):
        yield from hexdump(_read(start, min(16, addr + size - start)), start)


@command("poke", "<hex addr> <hex value>", "memory write (use with caution)")
def poke(ctx, addr, value):
    """Write once, little-endian; as many digits as written make 1, 2, 4 or 8 bytes."""
    import mem

    number, width = value
    if addr + width > _ADDRESSES:
        raise CommandError("beyond the last address")
    if addr % width:
        raise CommandError("%d bytes need an address that is a multiple of %d" % (width, width))
    try:
        {1: mem.w8, 2: mem.w16, 4: mem.w32, 8: mem.w64}[width](addr, number)
    except OSError:
        raise CommandError("address %#x is not mapped or not writable" % addr)


def _check_mapped(addr, size):
    import mem

    at = addr
    while at < addr + size:  # no range(), whose ends are numbers of a machine word
        if mem.attr(at) is None:
            raise CommandError("address %#x is not mapped" % at)
        at += _PAGE - at % _PAGE


def _read(addr, n):
    import mem

    if addr % 4 == 0 and n % 4 == 0:
        words = [mem.r32(addr + i) for i in range(0, n, 4)]
        return b"".join([word.to_bytes(4, "little") for word in words])
    return bytes([mem.r8(addr + i) for i in range(n)])
