# MSRs are read and written; a value that the processor refuses (#GP) is an OSError and changes nothing.
import cpu

EFER, PKRS, KERNEL_GS_BASE = 0xC0000080, 0x6E1, 0xC0000102

print(cpu.rdmsr(EFER) & 0xD00 == 0xD00)  # LME, LMA, NXE
for value in (0x123456789ABC, (1 << 64) - 4096, 0):
    cpu.wrmsr(KERNEL_GS_BASE, value)
    print(hex(cpu.rdmsr(KERNEL_GS_BASE)))
for _ in range(3):
    try:  # TCG lets pass what a processor refuses, but for the reserved half of PKRS
        cpu.wrmsr(PKRS, 1 << 63)
        print("accepted")
    except OSError as e:
        print(repr(e))
