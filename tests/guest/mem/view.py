# A view is the memory itself: writes are seen through r*, slices work, read-only pages give a read-only view.
import mem, struct, uctypes

m = mem.dma(8192)
v = mem.view(m.addr, 8192)
v[0] = 1
v[4095:4099] = b"abcd"
print(mem.r8(m.addr), hex(mem.r32(m.addr + 4095)), bytes(m.view[4095:4099]))
mem.w32(m.addr + 8, 0xDEADBEEF)
print(struct.unpack_from("<I", v, 8)[0] == 0xDEADBEEF, uctypes.addressof(v) == m.addr)
print(len(mem.view(m.addr, 0)), len(v[100:200]))
text = mem.view(mem.text()[0], 16)
print(bytes(text) == bytes([mem.r8(mem.text()[0] + i) for i in range(16)]))
try:
    text[0] = 0
except TypeError as e:
    print("TypeError")
m.free()
