// The guest's own page tables, its memory by virtual address, and its instruction's operand. Source: APM volume 2, 5.3.

#include "vmcb.h"

#define PRESENT 1ull
#define LARGE (1ull << 7)
#define ADDRESS 0x000ffffffffff000ull

// -> the GPA of a virtual address, with the C-bit that the leaf has. false: not mapped, or its tables lie outside of RAM.
bool walk(vcpu_t *v, uint64_t va, uint64_t *gpa) {
    if (!(V64(v, CR0) & CR0_PG)) {
        *gpa = va | (v->vmsa != 0 ? C_MASK : 0);        // without paging everything is private
        return true;
    }
    if (!(V64(v, EFER) & EFER_LMA)) {
        return false;                                   // protected mode with paging: nobody here runs it
    }
    uint64_t table = V64(v, CR3) & ADDRESS & ~C_MASK;
    for (int level = 3; level >= 0; level--) {
        uint8_t *page = guest_page(table);
        if (page == NULL) {
            return false;
        }
        uint64_t e = ((uint64_t *)page)[va >> (12 + 9 * level) & 511];
        if (!(e & PRESENT)) {
            return false;
        }
        if (level == 0 || (e & LARGE && level < 3)) {
            uint64_t within = (1ull << (12 + 9 * level)) - 1;
            *gpa = (e & ADDRESS & ~within) | (va & within);
            return true;
        }
        table = e & ADDRESS & ~C_MASK;
    }
    return false;
}

// One piece within a page; what the view forbids ends the guest.
static uint8_t *reach(vcpu_t *v, uint64_t va, const char *what) {
    uint64_t gpa;
    if (!walk(v, va, &gpa)) {
        return NULL;
    }
    uint64_t plain = gpa & ~C_MASK;
    uint8_t *page = guest_page(plain);
    int state = rmp_state(plain);
    if (page != NULL && machine.strict && (gpa & C_MASK ? state != RMP_VALIDATED : state != RMP_SHARED)) {
        violation(v, "%s at %#lx with C=%d, but page %#lx is %s", what, va, (gpa & C_MASK) != 0, plain & ~PAGE_MASK, rmp_name(state));
    }
    return page == NULL ? NULL : page + (plain & PAGE_MASK);
}

static bool copy(vcpu_t *v, uint64_t va, uint8_t *data, size_t len, bool write) {
    while (len > 0) {
        size_t n = PAGE_SIZE - (va & PAGE_MASK);
        n = n > len ? len : n;
        uint8_t *p = reach(v, va, write ? "write" : "read");
        if (p == NULL) {
            return false;
        }
        __builtin_memcpy(write ? p : data, write ? data : p, n);
        va += n;
        data += n;
        len -= n;
    }
    return true;
}

bool guest_read(vcpu_t *v, uint64_t va, void *out, size_t len) {
    return copy(v, va, out, len, false);
}

bool guest_write(vcpu_t *v, uint64_t va, const void *in, size_t len) {
    return copy(v, va, (uint8_t *)in, len, true);
}

static uint64_t cs_base(vcpu_t *v) {
    bool long_mode = V16(v, SEG_CS + SEG_ATTR) >> 9 & 1;
    return long_mode ? 0 : V64(v, SEG_CS + SEG_BASE);
}

// Fetches are private whatever the C-bit says.
size_t guest_fetch(vcpu_t *v, uint8_t *out, size_t len) {
    uint64_t va = cs_base(v) + V64(v, RIP), gpa;
    size_t done = 0;
    while (done < len && walk(v, va + done, &gpa)) {
        uint8_t *page = guest_page(gpa & ~C_MASK);
        if (page == NULL) {
            break;
        }
        size_t n = PAGE_SIZE - (gpa & PAGE_MASK);
        n = n > len - done ? len - done : n;
        __builtin_memcpy(out + done, page + (gpa & PAGE_MASK), n);
        done += n;
    }
    return done;
}

static uint64_t little(const uint8_t *p, int len) {
    int64_t value = len == 1 ? (int8_t)p[0] : (int32_t)(p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24);
    return value;
}

// The address that a ModRM byte at insn[modrm] names, in 64-bit mode. end: where the instruction's displacement ends.
bool operand_address(vcpu_t *v, const uint8_t *insn, size_t len, size_t modrm, uint64_t *address, size_t *end) {
    uint8_t rex = 0, segment = 0;
    for (size_t i = 0; i + 1 < modrm; i++) {
        rex = (insn[i] & 0xf0) == 0x40 ? insn[i] : rex;
        segment = insn[i] == 0x64 || insn[i] == 0x65 ? insn[i] : segment;
    }
    uint8_t mod = insn[modrm] >> 6, rm = insn[modrm] & 7;
    size_t at = modrm + 1;
    uint64_t base = 0;
    bool relative = false;
    if (mod == 3 || modrm + 6 >= len) {
        return false;
    }
    if (rm == 4) {
        uint8_t sib = insn[at++], index = (sib >> 3 & 7) | (rex & 2) << 2, b = (sib & 7) | (rex & 1) << 3;
        base = index == 4 ? 0 : v->gpr[index] << (sib >> 6);
        if ((sib & 7) == 5 && mod == 0) {
            mod = 2;                        // a displacement in place of a base
        } else {
            base += v->gpr[b];
        }
    } else if (rm == 5 && mod == 0) {
        relative = true;
        mod = 2;
    } else {
        base = v->gpr[rm | (rex & 1) << 3];
    }
    size_t displacement = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    base += displacement == 0 ? 0 : little(insn + at, displacement);
    at += displacement;
    base += relative ? V64(v, RIP) + at : 0;
    base += segment == 0 ? 0 : V64(v, (segment == 0x64 ? SEG_FS : SEG_GS) + SEG_BASE);
    *address = base;
    *end = at;
    return true;
}
