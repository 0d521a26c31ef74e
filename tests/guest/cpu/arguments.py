# Every function of cpu refuses what does not fit into the instruction's operand.
import cpu


def show(function, *args):
    try:
        print(function(*args))
    except Exception as e:
        print(repr(e))


show(cpu.cpuid)
show(cpu.cpuid, "1")
show(cpu.cpuid, 1.0)
show(cpu.cpuid, -1)
show(cpu.cpuid, 1 << 32)
show(cpu.cpuid, 0, 1 << 32)
show(cpu.cpuid, 0, 0, 0)
show(cpu.rdmsr, 1 << 32)
show(cpu.rdmsr, None)
show(cpu.wrmsr, 0xC0000100, 1 << 64)
show(cpu.wrmsr, 0xC0000100, -1)
show(cpu.in8, 0x10000)
show(cpu.out8, 0x80, 256)
show(cpu.out16, 0x80, 1 << 16)
show(cpu.out32, 0x80, 1 << 32)
show(cpu.out8, -1, 0)
show(cpu.rdtsc, 1)
show(cpu.fence)
