# Instructions that the host intercepts, issued as such: the #VC handler serves each, and all of them are counted.
# with: machinecode
import sys

import cpu
import efi
import ghcb
import machinecode
import mem

if not ghcb.sev_status():
    print("SKIP this is no SEV-SNP guest")
    sys.exit()

TPR = (cpu.rdmsr(0x1B) & ~0xFFF) + 0x80
ECAM = 0xE0000000  # of QEMU's q35: configuration space of PCI functions, the first one's vendor and device


def counted(code, name, *args):
    """Run machine code -> (RAX, how often #VC came with that code)."""
    before = ghcb.counts()["vc"].get(code, 0)
    result = machinecode.call(name, *args)
    return result, ghcb.counts()["vc"].get(code, 0) - before


buffer = mem.dma(8192)
private = bytearray(64)

# CPUID comes from the checked page, whoever asks
for leaf, subleaf in ((0, 0), (1, 0), (7, 0), (0xD, 0), (0x8000001E, 0), (0x8000001F, 0), (0x12345678, 0)):
    _, n = counted(0x72, "cpuid", leaf, subleaf, buffer.addr)
    assert n == 1
    got = tuple(int.from_bytes(buffer.view[i : i + 4], "little") for i in range(0, 16, 4))
    assert got == cpu.cpuid(leaf, subleaf), (hex(leaf), got)

# ports
assert counted(0x7B, "in8", 0x3FE) == (cpu.in8(0x3FE), 1)
cpu.out8(0x3FF, 0x5A)
assert counted(0x7B, "in8", 0x3FF) == (0x5A, 1)
assert counted(0x7B, "out8", 0x3FF, 0xA5)[1] == 1 and cpu.in8(0x3FF) == 0xA5
cpu.out32(0xCF8, 0x80000000)
assert counted(0x7B, "in32", 0xCFC) == (cpu.in32(0xCFC), 1)

# strings of them: across a page, more than the shared buffer holds, to private memory as well
start = buffer.addr + 4000
buffer.view[:] = bytes(8192)
end, n = counted(0x7B, "ins", 0x3FF, start, 3000)
assert (end, n) == (start + 3000, 2), n
assert bytes(buffer.view[4000:7000]) == b"\xa5" * 3000 and not any(buffer.view[:4000]) and not any(buffer.view[7000:])
buffer.view[100:104] = b"\x01\x02\x03\x04"
end, n = counted(0x7B, "outs", 0x3FF, buffer.addr + 100, 4)
assert (end, n, cpu.in8(0x3FF)) == (buffer.addr + 104, 1, 4)

# registers of a device, by several moves
vendor = mem.r32(ECAM)
assert vendor & 0xFFFF == 0x8086
assert counted(0x400, "load32", ECAM) == (vendor, 1)
assert counted(0x400, "load8", ECAM) == (vendor & 0xFF, 1)
mem.w32(TPR, 0)
assert counted(0x400, "store32", TPR, 0x10)[1] == 1 and mem.r32(TPR) == 0x10
assert counted(0x400, "store_imm", TPR)[1] == 1 and mem.r32(TPR) == 0
end, n = counted(0x400, "movs", ECAM, buffer.addr, 1)
assert (end, n, int.from_bytes(buffer.view[:4], "little")) == (buffer.addr + 4, 1, vendor)
assert counted(0x400, "movups", ECAM, buffer.addr + 16)[1] == 1
registers = b"".join(mem.r32(ECAM + i).to_bytes(4, "little") for i in range(0, 64, 4))
assert bytes(buffer.view[16:32]) == registers[:16]
assert bytes(mem.view(ECAM, 64)) == registers  # however the library copies

# MSRs
assert counted(0x7C, "rdmsr", 0x1B) == (cpu.rdmsr(0x1B), 1)

# the rest
assert counted(0x89, "wbinvd")[1] == 1
assert counted(0x76, "invd")[1] == 1
assert counted(0x27, "read_dr7") == (0x400, 1)
assert counted(0x37, "write_dr7", 0x400)[1] == 1
_, n = counted(0x8A, "wait", buffer.addr)
assert n == 1 and ghcb.counts()["vc"][0x8B] >= 1

# the firmware's runtime services issue their own: GetTime reads the clock's ports
before = ghcb.counts()["vc"].get(0x7B, 0)
services = efi.runtime_services()
assert efi.call(mem.r64(services + 24), buffer.addr, None) == 0
year = int.from_bytes(buffer.view[:2], "little")
assert 2024 < year < 2100, year
assert ghcb.counts()["vc"][0x7B] > before
buffer.free()
print("ok")
