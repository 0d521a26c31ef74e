# CPUID, processor count, APIC ID: consistent with one another and in range.
import cpu

highest, b, c, d = cpu.cpuid(0)
vendor = b"".join([n.to_bytes(4, "little") for n in (b, d, c)])
print(highest >= 1, len(vendor), vendor.isupper() or vendor.isalpha())
print(cpu.cpuid(0) == cpu.cpuid(0, 0), len(cpu.cpuid(1)))
print(all(0 <= n < 1 << 32 for n in cpu.cpuid(1) + cpu.cpuid(7, 0)))
print(bool(cpu.cpuid(0x80000001)[3] & 1 << 29))  # long mode
print(cpu.count(), cpu.apic_id())
