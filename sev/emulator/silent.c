// Instructions done in the guest's place: all of them while the firmware's handlers are in force, whose SEV part this emulator
// plays, and those that the guest asks for through its GHCB. Source: APM volume 2, 15.10.2 (EXITINFO1 of IN and OUT).

#include "vmcb.h"

uint64_t ticks(void) {
    uint32_t low, high;
    __asm__ volatile ("rdtsc" : "=a" (low), "=d" (high));
    return (uint64_t)high << 32 | low;
}

uint32_t port_in(uint16_t port, unsigned size) {
    uint32_t value = 0;
    if (size == 1) {
        __asm__ volatile ("inb %1, %b0" : "+a" (value) : "Nd" (port));
    } else if (size == 2) {
        __asm__ volatile ("inw %1, %w0" : "+a" (value) : "Nd" (port));
    } else {
        __asm__ volatile ("inl %1, %0" : "=a" (value) : "Nd" (port));
    }
    return value;
}

void port_out(uint16_t port, unsigned size, uint32_t value) {
    if (size == 1) {
        __asm__ volatile ("outb %b0, %1" : : "a" (value), "Nd" (port));
    } else if (size == 2) {
        __asm__ volatile ("outw %w0, %1" : : "a" (value), "Nd" (port));
    } else {
        __asm__ volatile ("outl %0, %1" : : "a" (value), "Nd" (port));
    }
}

// INS and OUTS of the firmware, which is in 64-bit mode with flat segments.
static void string_io(vcpu_t *v, uint64_t info, unsigned size) {
    bool in = info & 1, rep = info >> 3 & 1;
    uint64_t count = rep ? v->gpr[RCX_] : 1, *pointer = &v->gpr[in ? RDI_ : RSI_];
    for (; count > 0; count--) {
        uint32_t value = in ? port_in(info >> 16, size) : 0;
        if (!(in ? guest_write(v, *pointer, &value, size) : guest_read(v, *pointer, &value, size))) {
            guest_end(v, "string I/O at %#lx, which is not mapped", *pointer);
        }
        if (!in) {
            port_out(info >> 16, size, value);
        }
        *pointer += V64(v, RFLAGS) & RFLAGS_DF ? -(uint64_t)size : size;
    }
    if (rep) {
        v->gpr[RCX_] = 0;
    }
}

void silent_io(vcpu_t *v) {
    uint64_t info = V64(v, EXIT_INFO1);
    unsigned size = info >> 4 & 7;
    uint64_t mask = size == 4 ? ~0ull : (1ull << (8 * size)) - 1;
    if (info & 4) {
        string_io(v, info, size);
    } else if (info & 1) {
        v->gpr[RAX_] = (size == 4 ? 0 : v->gpr[RAX_] & ~mask) | (port_in(info >> 16, size) & mask);
    } else {
        port_out(info >> 16, size, v->gpr[RAX_] & mask);
    }
    V64(v, RIP) = V64(v, EXIT_INFO2);
    V64(v, INT_SHADOW) &= ~1ull;
}

// An MSR of the machine. Those of SVM are the host's; SEV's own are answered by exits.c.
bool msr_access(vcpu_t *v, uint32_t msr, bool write, uint64_t *value) {
    if (msr == MSR_HSAVE || msr == MSR_VM_CR) {
        return false;
    }
    if (msr == MSR_EFER && write) {
        V64(v, EFER) = *value | EFER_SVME;
        return true;
    }
    return write ? safe_wrmsr(msr, *value) : safe_rdmsr(msr, value);
}

// LIDT while the firmware's IDT is in force. Another one means that the guest has handlers of its own.
void silent_lidt(vcpu_t *v) {
    uint8_t insn[16], operand[10];
    uint64_t address;
    size_t len = guest_fetch(v, insn, sizeof(insn)), op = 0, end;
    while (op + 2 < len && insn[op] != 0x0f) {
        op++;
    }
    if (op + 2 >= len || insn[op + 1] != 0x01 || (insn[op + 2] >> 3 & 7) != 3 || !operand_address(v, insn, len, op + 2, &address, &end)
        || !guest_read(v, address, operand, sizeof(operand))) {
        guest_end(v, "LIDT that is not understood");
    }
    V32(v, IDTR + SEG_LIMIT) = operand[0] | operand[1] << 8;
    __builtin_memcpy(v->vmcb + IDTR + SEG_BASE, operand + 2, 8);
    advance(v, end);
    if (V64(v, IDTR + SEG_BASE) != machine.firmware_idt) {
        v->own_idt = true;
        V32(v, INTERCEPT3) &= ~I3_LIDT;
        note("the guest has its own interrupt handlers");
        if (machine.strict) {
            npt_mmio_close();
        }
    }
}

// Device registers, for a guest that asks through its GHCB. false: that is memory, or outside of what there is.
bool mmio_read(uint64_t gpa, unsigned len, void *out) {
    if (gpa >= C_MASK || rmp_state(gpa) != RMP_ABSENT) {
        return false;
    }
    host_reach(gpa);
    volatile void *p = (volatile void *)gpa;
    switch (len) {
        case 1: *(uint8_t *)out = *(volatile uint8_t *)p; return true;
        case 2: *(uint16_t *)out = *(volatile uint16_t *)p; return true;
        case 4: *(uint32_t *)out = *(volatile uint32_t *)p; return true;
        case 8: *(uint64_t *)out = *(volatile uint64_t *)p; return true;
        default: return false;
    }
}

// The local APIC's command register: INIT and SIPI start processors, which is the host's business under SEV-SNP.
static bool is_start_signal(uint64_t gpa, unsigned len, const void *in) {
    uint64_t base;
    if (len != 4 || !safe_rdmsr(MSR_APIC_BASE, &base) || gpa != (base & ~PAGE_MASK) + 0x300) {
        return false;
    }
    uint32_t command = *(const uint32_t *)in, mode = command >> 8 & 7;
    if (mode == 5 && !(command >> 18 & 3)) {
        ap_init_signal(*(volatile uint32_t *)((base & ~PAGE_MASK) + 0x310) >> 24);
    }
    return mode == 5 || mode == 6;
}

bool mmio_write(uint64_t gpa, unsigned len, const void *in) {
    if (gpa >= C_MASK || rmp_state(gpa) != RMP_ABSENT) {
        return false;
    }
    host_reach(gpa);
    volatile void *p = (volatile void *)gpa;
    if (is_start_signal(gpa, len, in)) {
        return true;
    }
    switch (len) {
        case 1: *(volatile uint8_t *)p = *(const uint8_t *)in; return true;
        case 2: *(volatile uint16_t *)p = *(const uint16_t *)in; return true;
        case 4: *(volatile uint32_t *)p = *(const uint32_t *)in; return true;
        case 8: *(volatile uint64_t *)p = *(const uint64_t *)in; return true;
        default: return false;
    }
}
