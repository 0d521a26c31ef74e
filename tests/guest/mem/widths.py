# r8..r64 and w8..w64 access exactly their width, little-endian, at any alignment.
import mem

memory = mem.dma(4096)
a, view = memory.addr, memory.view
print(bytes(view[:16]), len(view))
mem.w64(a, 0x1122334455667788)
print([hex(f(a)) for f in (mem.r8, mem.r16, mem.r32, mem.r64)])
print(hex(mem.r16(a + 1)), hex(mem.r32(a + 3)), hex(mem.r64(a + 5)))
for write, bits in ((mem.w8, 8), (mem.w16, 16), (mem.w32, 32), (mem.w64, 64)):
    view[:16] = b"\xaa" * 16
    write(a + 3, (1 << bits) - 2)
    print(bytes(view[:16]))
mem.w64(a + 4088, (1 << 64) - 1)
print(mem.r64(a + 4088) == (1 << 64) - 1, bytes(view[-8:]))
memory.free()
