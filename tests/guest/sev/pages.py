# Private and shared pages: what mem.dma gives out, and pages that change from one to the other.
import sys

import ghcb
import mem

if not ghcb.sev_status():
    print("SKIP this is no SEV-SNP guest")
    sys.exit()

PAGE = 4096
MIB = 1 << 20
EINVAL, EIO = 22, 5
PSC = 0x80000010


def refused(function, *args):
    try:
        function(*args)
    except OSError as e:
        return e.errno
    return None


def exits(code):
    return ghcb.counts()["exits"].get(code, 0)


# what a device gets is shared, and cleared; nothing else is
small = [mem.dma(n) for n in (1, PAGE, 3 * PAGE, 100_000)]
assert [mem.attr(d.addr) for d in small] == ["rw-s"] * 4
assert all(not any(d.view) for d in small)
assert mem.attr(ghcb.addr()) == "rw-s" and mem.attr(ghcb.secrets()) == "rw-" and mem.attr(0xFEE00000) == "rw-u"
assert mem.r32(ghcb.secrets()) >= 2 and bytes(mem.view(ghcb.secrets(), 4)) == mem.r32(ghcb.secrets()).to_bytes(4, "little")

# what was freed serves again, and no exit is wanted for it
addresses = {d.addr for d in small}
for d in small:
    d.view[:] = b"\xff" * len(d.view)
    d.free()
before = exits(PSC)
again = [mem.dma(n) for n in (1, PAGE, 3 * PAGE, 100_000)]
assert {d.addr for d in again} == addresses and exits(PSC) == before
assert all(not any(d.view) for d in again)
for d in again:
    d.free()

# larger than a unit: shared for as long as it lives; the first one leaves page tables behind
mem.dma(5 * MIB).free()
free = mem.info()[2]
large = mem.dma(5 * MIB)
assert mem.attr(large.addr) == mem.attr(large.addr + 5 * MIB - 1) == "rw-s"
at = large.addr
large.view[0] = large.view[-1] = 7
large.free()
assert mem.attr(at) == mem.attr(at + 5 * MIB - 1) == "rw-" and mem.info()[2] == free

# alignment, as drivers ask for it
aligned = mem.dma(PAGE, 1 << 16)
assert aligned.addr % (1 << 16) == 0 and mem.attr(aligned.addr) == "rw-s"
aligned.free()

# there and back, by hand
pages = mem.dma(5 * MIB)
at = pages.addr
assert refused(ghcb.share, at, PAGE) == EINVAL  # it is shared
pages.view[PAGE] = 9
ghcb.unshare(at + PAGE, PAGE)
assert (mem.attr(at), mem.attr(at + PAGE), mem.attr(at + 2 * PAGE)) == ("rw-s", "rw-", "rw-s")
assert mem.r8(at + PAGE) == 0
assert refused(ghcb.unshare, at + PAGE, PAGE) == refused(ghcb.unshare, at, 3 * PAGE) == EINVAL
mem.w8(at + PAGE, 5)
ghcb.share(at + PAGE, PAGE)
assert mem.attr(at + PAGE) == "rw-s" and mem.r8(at + PAGE) == 0
before = exits(PSC)
ghcb.unshare(at, 5 * MIB)
assert exits(PSC) - before <= 6, exits(PSC) - before
assert mem.attr(at) == mem.attr(at + 4 * MIB) == "rw-" and not any(mem.r8(at + i) for i in range(0, 5 * MIB, 4099))
ghcb.share(at, 5 * MIB)
pages.free()

# what is refused
for args in ((at + 1, PAGE), (at, 100), (at, 0), (0xFEE00000, PAGE), (0, PAGE), (mem.text()[0], PAGE), (1 << 46, PAGE), (ghcb.addr(), PAGE)):
    assert refused(ghcb.share, *args) == EINVAL, args
assert refused(ghcb.pvalidate, 1 << 46, False, True) == 14  # EFAULT
page = mem.dma(3 * MIB)
ghcb.unshare(page.addr, PAGE)
assert ghcb.pvalidate(page.addr, False, True) == (0, True)  # it is already; by share() that would never be asked
assert ghcb.rmpadjust(page.addr, False, 0) == 2  # VMPL 0 itself
ghcb.share(page.addr, PAGE)
page.free()
print("ok")
