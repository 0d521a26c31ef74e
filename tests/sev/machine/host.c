// The made-up host: it answers exits as the GHCB specification says, checks what it is given as KVM does, and misbehaves on request.

#include <string.h>
#include "machine.h"

static uint64_t ghcb, registered, apic_base = 0xfee00900;

static bool valid(volatile uint8_t *page, unsigned offset) {
    return page[0x3f0 + offset / 64] >> (offset / 8 & 7) & 1;
}

static uint64_t field(volatile uint8_t *page, unsigned offset) {
    uint64_t v = *(volatile uint64_t *)(page + offset);
    return valid(page, offset) ? v : 0;
}

static void put(volatile uint8_t *page, unsigned offset, uint64_t value) {
    *(volatile uint64_t *)(page + offset) = value;
    page[0x3f0 + offset / 64] |= 1u << (offset / 8 & 7);
}

static void result(volatile uint8_t *page, uint64_t one, uint64_t two) {
    put(page, 0x398, one);
    put(page, 0x3a0, two);
}

static void note(volatile uint8_t *page) {
    exit_log_t *log = &machine.log[machine.exits++ % 64];
    log->code = field(page, 0x390);
    log->info1 = field(page, 0x398);
    log->info2 = field(page, 0x3a0);
    log->rax = field(page, 0x1f8);
    log->rbx = field(page, 0x318);
    log->rcx = field(page, 0x308);
    log->rdx = field(page, 0x310);
    for (unsigned i = 0; i < 16; i++) {
        log->valid[i] = page[0x3f0 + i];
    }
    for (unsigned i = 0; i < sizeof(log->buffer); i++) {
        log->buffer[i] = page[0x800 + i];
    }
}

static exit_log_t now;                      // as the guest asked

static bool given(unsigned offset) {
    return now.valid[offset / 64] >> (offset / 8 & 7) & 1;
}

static bool needs(volatile uint8_t *page, unsigned offset) {
    if (!given(offset)) {
        result(page, 2, 4);
        return false;
    }
    return true;
}

static bool scratch(volatile uint8_t *page, uint64_t len) {
    if (!needs(page, 0x3a8) || *(volatile uint64_t *)(page + 0x3a8) != (uint64_t)page + 0x800 || len > 0x7f0) {
        result(page, 2, 3);
        return false;
    }
    return true;
}

static void do_io(volatile uint8_t *page, uint64_t info, uint64_t count) {
    unsigned size = info >> 4 & 7;
    if ((info & 4) && scratch(page, size * count)) {
        for (unsigned i = 0; (info & 1) && i < size * count; i++) {
            page[0x800 + i] = machine.in_value >> 8 * (i % 8);
        }
    } else if (!(info & 4) && !(info & 1)) {
        needs(page, 0x1f8);
    } else if (!(info & 4)) {
        put(page, 0x1f8, machine.in_value);
    }
}

static void do_mmio(volatile uint8_t *page, bool write, uint64_t gpa, uint64_t len) {
    uint64_t at = gpa - (uint64_t)arena;
    if (!scratch(page, len) || (len & (len - 1)) != 0 || len > 8 || at >= ARENA_PAGES * PAGE_SIZE || !(page_get(at / PAGE_SIZE) & MAP_UC)) {
        result(page, 2, 5);
        return;
    }
    uint8_t *bytes = device_bytes(at / PAGE_SIZE) + at % PAGE_SIZE;
    for (unsigned i = 0; i < len; i++) {
        if (write) {
            bytes[i] = page[0x800 + i];
        } else {
            page[0x800 + i] = bytes[i];
        }
    }
}

static bool change(uint64_t entry) {
    uint64_t at = (entry & 0xffffffffff000ull) - (uint64_t)arena;
    unsigned n = entry >> 56 & 1 ? 512 : 1, op = entry >> 52 & 15;
    for (unsigned i = 0; i < n; i++, at += PAGE_SIZE) {
        if (at >= ARENA_PAGES * PAGE_SIZE || (op != 1 && op != 2) || entry >> 57 != 0) {
            return false;
        }
        rmp_put(at / PAGE_SIZE, op == 2 ? R_SHARED : R_PRIVATE);
    }
    return true;
}

static void psc_fault(volatile uint16_t *header, volatile uint8_t *page) {
    switch (machine.psc_fault) {
        case 1: result(page, 0, 0x10000000000); break;
        case 2: header[0] = 0; break;
        case 3: header[1]++; break;
        case 4: header[2] = 1; break;
        case 7: header[0] += 2; break;
        default: break;
    }
}

static void do_psc(volatile uint8_t *page) {
    volatile uint16_t *header = (volatile uint16_t *)(page + 0x800);
    uint32_t left = machine.psc_chunk ? machine.psc_chunk : 253;
    if (!scratch(page, 0x7f0) || header[1] >= 253 || machine.psc_fault == 5) {
        return;
    }
    for (; header[0] <= header[1] && left > 0; header[0]++, left--) {
        uint64_t entry = *(volatile uint64_t *)(page + 0x808 + 8 * header[0]);
        if (machine.psc_fault != 6 && !change(entry)) {
            result(page, 0, 0x100000002);
            return;
        }
    }
    psc_fault(header, page);
}

static void do_msr(volatile uint8_t *page, bool write) {
    if (needs(page, 0x308) && write) {
        machine.msr_value = needs(page, 0x1f8) && needs(page, 0x310) ? now.rdx << 32 | (uint32_t)now.rax : 0;
    } else if (!write) {
        put(page, 0x1f8, (uint32_t)machine.msr_value);
        put(page, 0x310, machine.msr_value >> 32);
    }
}

static void event(volatile uint8_t *page, const exit_log_t *x) {
    switch (x->code) {
        case 0x6e: case 0x6f: case 0x87:
            put(page, 0x1f8, 0x1111);
            put(page, 0x310, 0x2222);
            put(page, 0x308, 0x3333);
            break;
        case 0x72:
            if (needs(page, 0x1f8) && needs(page, 0x308) && needs(page, 0x3e8)) {
                put(page, 0x1f8, x->rax + 1);
                put(page, 0x318, 0x07000000);
                put(page, 0x308, 0xffffffff);
                put(page, 0x310, 0x55);
            }
            break;
        case 0x37: case 0x81: needs(page, 0x1f8); put(page, 0x1f8, 0x77); break;
        case 0x76: case 0x89: break;
        case 0x7b: do_io(page, x->info1, x->info2); break;
        case 0x7c: do_msr(page, x->info1); break;
        case 0x80000001: case 0x80000002: do_mmio(page, x->code & 2, x->info1, x->info2); break;
        case 0x80000010: do_psc(page); break;
        default: result(page, 2, 6);
    }
}

void host_serve(volatile uint8_t *page) {
    now = machine.log[(machine.exits - 1) % 64];
    for (unsigned i = 0; i < 16; i++) {
        page[0x3f0 + i] = 0;
    }
    if (machine.silent) {
        return;
    }
    result(page, 0, 0);
    if (machine.answer) {
        result(page, machine.answer1, machine.answer2);
    } else {
        event(page, &now);
    }
}

static void serve(volatile uint8_t *page) {
    note(page);
    machine.interrupts_were_on |= read_flags() != 0;
    if (machine.hook != NULL) {
        machine.hook(page);
    } else {
        host_serve(page);
    }
}

static uint64_t answer(uint64_t word) {
    switch (word & 0xfff) {
        case 0x002: return machine.sev_info ? machine.sev_info : 0x0002000133000001;
        case 0x012: registered = machine.refuse_registration ? 0 : word & ~0xfffull; return machine.refuse_registration ? ~0xfffull | 0x013 : (word & ~0xfffull) | 0x013;
        case 0x014: return machine.refuse_psc ? 0x8000000000000015 : 0x015;
        case 0x080: return machine.features ? machine.features : 0x3081;
        case 0x100: machine.reason = word >> 12; return word;
        default: return word;
    }
}

void vmgexit(void) {
    if (ghcb & 0xfff) {
        machine.msr_exits++;
        ghcb = answer(ghcb);
    } else if (ghcb == registered) {
        serve((volatile uint8_t *)ghcb);
    } else {
        __builtin_trap();                   // KVM ends such a guest
    }
}

uint64_t rdmsr(uint32_t msr) {
    switch (msr) {
        case MSR_GHCB: return ghcb;
        case 0xc0010131: return sev_status_of_machine;
        case 0xc0000100: return (uint64_t)arena;     // FS base
        case 0xc0000101: return 16;
        case 0x1b: return apic_base;
        default: return 0;
    }
}

void wrmsr(uint32_t msr, uint64_t value) {
    if (msr == MSR_GHCB) {
        ghcb = value;
    }
}

uint64_t rdtsc(void) {
    return 0x123456789abcdef0;
}

// For tests of the CPUID page: answers by which one sees what comes from the host.
cpuid_t host_of_tests(uint32_t leaf, uint32_t subleaf) {
    return (cpuid_t) { 0x11111111, 0x22222222, 0x33333333, 0x44444444 };
}
