# W^X: no page is writable and executable, code cannot be written, page 0 and stack guards are not there.
import mem

base, size = mem.image()
start, end = mem.text()


def pages(first, last):
    return {mem.attr(page) for page in range(first & ~4095, last, 4096)}


print("headers", mem.attr(base))
print("text", pages(start, end))
rodata = end + 4095 & ~4095
while mem.attr(rodata) == "r--":
    rodata += 4096
print("rodata", pages(end + 4095 & ~4095, rodata))
print("data", sorted(str(a) for a in pages(rodata, base + size)))
print("page 0", mem.attr(0), mem.attr(4095))
print("heap", mem.attr(id(bytearray(100))))
guards = [p for p in range(rodata, base + size, 4096) if mem.attr(p) is None]
print("guards", len(guards), all(mem.attr(g + 4096) == "rw-" for g in guards))


def write_view(address, value):
    mem.view(address, 1)[0] = value


for address in (base, start, end - 1, rodata - 1):
    for write in (mem.w8, write_view):
        before = mem.r8(address)
        try:
            write(address, before ^ 1)
            print("written")
        except (OSError, TypeError) as e:
            print(type(e).__name__, mem.r8(address) == before)
