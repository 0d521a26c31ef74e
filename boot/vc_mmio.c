// Accesses to device registers that raised #VC: moves between registers, constants or memory and a register of a device.
// Source: GHCB specification (AMD 56421), 4.1.5 (MMIO); AMD64 APM volume 2, 15.35.5.
//
// The host says only that an access to memory was none. Which one, we find ourselves; and that the page is mapped as a device's:
// private memory, and memory shared for DMA, never raises this exception unless the host has taken it away.

#include "vc.h"

#define DEVICE (MAP_UC | MAP_SHARED)

typedef enum { RAM, REGISTER, NEITHER } place_t;

static uint64_t operand(const vc_t *vc) {
    const insn_t *i = &vc->insn;
    trap_frame_t *f = vc->frame;
    uint64_t address = i->displacement;
    if (i->base == BASE_RIP) {
        address += f->rip + i->len;
    } else if (i->base != BASE_NONE) {
        address += *vc_register(f, i->base);
    }
    if (i->index != BASE_NONE) {
        address += *vc_register(f, i->index) * i->scale;
    }
    return vc_segment_base(i->segment) + vc_address(i, address);
}

// A device's register within one page -> its physical address; memory that may be accessed so.
static place_t place(uint64_t addr, unsigned len, int attr, uint64_t *physical) {
    uint64_t entry, size = map_leaf(addr, &entry);
    int first = map_attr(addr), last = map_attr(addr + len - 1);
    if (size == 0 || last < 0 || (first & attr) != attr || (last & attr) != attr || (first & MAP_UC) != (last & MAP_UC)) {
        return NEITHER;
    }
    if (!(first & MAP_UC)) {
        return RAM;
    }
    *physical = map_physical(entry, size, addr);
    bool one_page = (addr & (PAGE_SIZE - 1)) + len <= PAGE_SIZE;
    return (first & DEVICE) == DEVICE && one_page ? REGISTER : NEITHER;
}

static uint64_t ram_read(uint64_t addr, unsigned len) {
    switch (len) {
        case 1: return *(volatile uint8_t *)addr;
        case 2: return *(volatile uint16_t *)addr;
        case 4: return *(volatile uint32_t *)addr;
        default: return *(volatile uint64_t *)addr;
    }
}

static void ram_write(uint64_t addr, unsigned len, uint64_t value) {
    switch (len) {
        case 1: *(volatile uint8_t *)addr = value; break;
        case 2: *(volatile uint16_t *)addr = value; break;
        case 4: *(volatile uint32_t *)addr = value; break;
        default: *(volatile uint64_t *)addr = value; break;
    }
}

static void load(vc_t *vc, uint64_t value) {
    const insn_t *i = &vc->insn;
    int shift = 64 - 8 * i->size;
    value = i->sign ? (uint64_t)((int64_t)(value << shift) >> shift) : value;
    if (i->high) {
        uint64_t *r = vc_register(vc->frame, i->reg - 4);
        *r = (*r & ~0xff00ull) | (value & 0xff) << 8;
    } else {
        vc_register_write(vc->frame, i->reg, i->width, value);
    }
}

static uint64_t stored(const vc_t *vc) {
    const insn_t *i = &vc->insn;
    if (i->op == INSN_STORE_IMM) {
        return i->imm;
    }
    return i->high ? *vc_register(vc->frame, i->reg - 4) >> 8 : *vc_register(vc->frame, i->reg);
}

// XMM registers are still those of the interrupted code.
#define XMM(n) case n: \
    if (write) { __asm__ volatile ("movups (%0), %%xmm" #n : : "r" (half) : "memory"); } \
    else { __asm__ volatile ("movups %%xmm" #n ", (%0)" : : "r" (half) : "memory"); } \
    break;

static void xmm(unsigned number, uint64_t half[2], bool write) {
    switch (number) {
        XMM(0) XMM(1) XMM(2) XMM(3) XMM(4) XMM(5) XMM(6) XMM(7)
        XMM(8) XMM(9) XMM(10) XMM(11) XMM(12) XMM(13) XMM(14) XMM(15)
    }
}

// Sixteen bytes are two accesses: no device has registers that wide.
static void vector(vc_t *vc, uint64_t physical) {
    uint64_t half[2];
    if (vc->insn.op == INSN_LOAD_XMM) {
        half[0] = host_read(physical, 8);
        half[1] = host_read(physical + 8, 8);
        xmm(vc->insn.reg, half, true);
    } else {
        xmm(vc->insn.reg, half, false);
        host_write(physical, 8, half[0]);
        host_write(physical + 8, 8, half[1]);
    }
}

static vc_end_t move(vc_t *vc) {
    uint64_t physical;
    bool read = vc->insn.op == INSN_LOAD || vc->insn.op == INSN_LOAD_XMM;
    if (place(operand(vc), vc->insn.size, read ? MAP_R : MAP_R | MAP_W, &physical) != REGISTER) {
        return vc_void(vc, "an access to memory that is no device's");
    }
    if (vc->insn.size == 16) {
        vector(vc, physical);
    } else if (read) {
        load(vc, host_read(physical, vc->insn.size));
    } else {
        host_write(physical, vc->insn.size, stored(vc));
    }
    return VC_NEXT;
}

// One element each time: the next one raises the exception again, and interrupts may come in between.
static vc_end_t string(vc_t *vc) {
    trap_frame_t *f = vc->frame;
    unsigned size = vc->insn.size;
    bool moves = vc->insn.op == INSN_MOVS;
    uint64_t to = vc_address(&vc->insn, f->rdi), from = vc_address(&vc->insn, f->rsi);
    uint64_t source = vc_segment_base(vc->insn.segment) + from, value = f->rax, physical_from = 0, physical_to = 0;
    place_t a = moves ? place(source, size, MAP_R, &physical_from) : RAM, b = place(to, size, MAP_R | MAP_W, &physical_to);
    if (a == NEITHER || b == NEITHER || (a == RAM && b == RAM) || vc_string_count(vc) == 0) {
        return vc_void(vc, "an access to memory that is no device's");
    }
    if (moves) {
        value = a == REGISTER ? host_read(physical_from, size) : ram_read(source, size);
        vc_string_step(vc, &from, 1);
        f->rsi = from;
    }
    if (b == REGISTER) {
        host_write(physical_to, size, value);
    } else {
        ram_write(to, size, value);
    }
    vc_string_step(vc, &to, 1);
    f->rdi = to;
    return vc_string_end(vc, 1);
}

vc_end_t vc_mmio(vc_t *vc) {
    return vc->insn.op == INSN_STOS || vc->insn.op == INSN_MOVS ? string(vc) : move(vc);
}
