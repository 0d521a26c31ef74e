# What mem refuses: no integers, values that are too wide, pages that are not there.
import mem


def show(function, *args):
    try:
        print(function(*args))
    except Exception as e:
        print(repr(e))


memory = mem.dma(64)
a = memory.addr
for write, bits in ((mem.w8, 8), (mem.w16, 16), (mem.w32, 32), (mem.w64, 64)):
    show(write, a, 1 << bits)
    show(write, a, -1)
show(mem.r8, "a")
show(mem.r8, 1.5)
show(mem.r8, -1)
show(mem.r8, 1 << 64)
show(mem.r8)
show(mem.w8, a)
show(mem.view, a, 1 << 48)
show(mem.view, a, -1)
show(mem.attr, None)
show(mem.map, -1)
show(mem.map, 1 << 20)
memory.free()
