# An access to what is not mapped is an OSError, also when only its last byte is there, or at the address space's end.
import mem

GUARD = next(a for a in range(mem.text()[1] & ~4095, sum(mem.image()), 4096) if mem.attr(a) is None)
HOLES = (0, 8, GUARD, 1 << 46, 1 << 47, (1 << 63) + 8, (1 << 64) - 8, (1 << 64) - 4096)


def refused(function, *args):
    try:
        function(*args)
    except OSError as e:
        return e.errno == 14
    return False


for name in ("r8", "r16", "r32", "r64"):
    print(name, [refused(getattr(mem, name), hole) for hole in HOLES])
    print("w" + name[1:], [refused(getattr(mem, "w" + name[1:]), hole, 0) for hole in HOLES])
print("across", refused(mem.r64, GUARD - 4), refused(mem.w32, GUARD - 1, 0), refused(mem.r16, GUARD + 4095))
print("view", [refused(mem.view, hole, 1) for hole in HOLES], refused(mem.view, GUARD - 16, 17))
print("wrap", refused(mem.r64, (1 << 64) - 4), refused(mem.view, (1 << 64) - 1, 2), refused(mem.view, 4096, (1 << 48) - 1))
print("attr", [mem.attr(hole) for hole in HOLES])
print(len(mem.view(GUARD - 16, 16)))
