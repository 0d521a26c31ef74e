# Numbers of the machine that fit into a word are small integers: they take no memory from the heap.
import clock, cpu, efi, gc, mem

m = mem.dma(64)
m.view[:8] = b"\xff" * 8
a, buffer = m.addr, bytearray(8)


def cost(function, *args):
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(100):
        function(*args)
    return gc.mem_alloc() - before < 1000


for function, args in ((mem.r8, (a,)), (mem.r32, (a,)), (mem.r64, (a + 8,)), (clock.ns, ()), (clock.tsc_hz, ()), (cpu.rdtsc, ()), (cpu.rdmsr, (0x1B,)),
                       (efi.system_table, ())):
    print(function(*args) >= 0, cost(function, *args))
print(mem.r64(a) == (1 << 64) - 1, mem.r32(a) == (1 << 32) - 1)
m.free()
