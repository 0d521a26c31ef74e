# Port input and output at every width, on the PCI configuration ports and the PIT, which every PC has.
import cpu

ADDRESS, DATA = 0xCF8, 0xCFC

cpu.out32(ADDRESS, 0x80000000)
print(hex(cpu.in32(ADDRESS)))
both = cpu.in32(DATA)
print(both & 0xFFFF == cpu.in16(DATA), both >> 16 == cpu.in16(DATA + 2))
print([both >> 8 * i & 0xFF for i in range(4)] == [cpu.in8(DATA + i) for i in range(4)])
cpu.out32(ADDRESS, 0)
cpu.out8(0x43, 0xB4)  # PIT counter 2, both bytes, rate generator
cpu.out8(0x42, 0x34)
cpu.out8(0x42, 0x12)
print(cpu.in8(0x80) in range(256))
