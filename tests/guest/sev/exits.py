# Exits by hand, what they cost, and what of them the host must not be asked.
import sys

import cpu
import ghcb
import mem

if not ghcb.sev_status():
    print("SKIP this is no SEV-SNP guest")
    sys.exit()


def counted(function, *args):
    """Run -> exits by code, without those of the console."""
    before = ghcb.counts()["exits"]
    function(*args)
    after = ghcb.counts()["exits"]
    return {code: n - before.get(code, 0) for code, n in after.items() if n != before.get(code, 0)}


print(ghcb.sev_status() & 7, ghcb.c_bit(), ghcb.protocol(), ghcb.features() & 3, ghcb.vcpu())
print(ghcb.call(0x8000FFFD)[:2] == (0, ghcb.features()), ghcb.msr(0x080) == ghcb.features() << 12 | 0x081)
print("unknown event:", ghcb.call(0x8000FFF0)[:2])
print("without RAX:", ghcb.call(0x7C, 0)[:2])
for word in (0x100, 0x1100, 0x21100, ghcb.addr(), 0):
    try:
        ghcb.msr(word)
        print("not refused")
    except ValueError as e:
        print(e)
for args in ((-1,), (0, 1 << 64), ("x",), (0, 0, 0, 0, 0, 0)):
    try:
        ghcb.call(*args)
    except (TypeError, OverflowError) as e:
        print(repr(e))

# one exit each, and no exception
APIC = cpu.rdmsr(0x1B) & ~0xFFF
exceptions = ghcb.counts()["vc"]
print("port:", counted(cpu.in8, 0x3FE), counted(cpu.out8, 0x3FF, 1), counted(cpu.in32, 0xCFC))
print("register:", counted(mem.r32, APIC + 0x30), counted(mem.w32, APIC + 0x80, 0))
print("CPUID:", counted(cpu.cpuid, 7), counted(cpu.cpuid, 0xD), counted(cpu.cpuid, 1))
print("features:", counted(ghcb.msr, 0x080))
after = ghcb.counts()["vc"]
print("exceptions:", {code: n - exceptions.get(code, 0) for code, n in after.items() if n != exceptions.get(code, 0)})
print("MSR:", counted(cpu.rdmsr, 0x1B))
