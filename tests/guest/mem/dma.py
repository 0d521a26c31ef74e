# DMA memory: aligned, zeroed, uncollected until freed, gone from the allocator meanwhile and back afterwards.
import gc, mem


def free():
    gc.collect()
    return mem.info()[2]


before = free()
for align in (1, 64, 4096, 65536, 1 << 21):
    m = mem.dma(10000, align)
    print(align, m.addr % align, len(m.view), max(m.view), mem.attr(m.addr))
    m.view[:] = b"\xff" * 10000
    m.free()
    m.free()
print(free() == before)
for zeroed in (True, False, True):  # the same memory each time, cleared or as it was
    m = mem.dma(10000, 64, zeroed)
    print(max(m.view[-100:]))
    m.view[:] = b"\xff" * 10000
    m.free()
m = mem.dma(1)
a = m.addr
mem.w8(a, 77)
view = m.view
del m
gc.collect()
print(view[0], mem.r8(a), free() < before)
for args in ((0,), (-1,), (4096, 0), (4096, 3), (4096, (1 << 47) + 1), (4096, -1), ("1",), (), (1, 1, 1, 1), (1 << 40,), (1, 1 << 40), (1 << 47, 1 << 47),
             (1 << 48,), (1, 1 << 48), (1 << 64,)):
    try:
        print(mem.dma(*args))
    except Exception as e:
        print(repr(e))
m = mem.dma(1)
m.free()
for name in ("addr", "view"):
    try:
        print(getattr(m, name))
    except ValueError as e:
        print(repr(e))
