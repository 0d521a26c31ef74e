// Instructions that SVM knows nothing of, or does not decode: PVALIDATE and RMPADJUST, which are undefined opcodes to the processor
// below; writes to CR3; DR7. Source: APM volume 3 (24594).

#include "vmcb.h"

#define SETTLED 8

static bool is_4k_or_2m(uint64_t size) {
    return size <= 1;
}

// RAX is a virtual address; the C-bit of its mapping plays no part.
static uint64_t operand_page(vcpu_t *v, const char *name) {
    uint64_t gpa;
    if (!walk(v, v->gpr[RAX_], &gpa)) {
        guest_end(v, "%s of %#lx, which is not mapped", name, v->gpr[RAX_]);
    }
    return gpa & ~C_MASK;
}

static void set_flags(vcpu_t *v, bool carry) {
    V64(v, RFLAGS) = (V64(v, RFLAGS) & ~0x8d5ull) | carry;      // OF, SF, ZF, AF, PF clear
}

// Linux leaves what it likes above the lowest byte of ECX and EDX.
static void do_pvalidate(vcpu_t *v) {
    bool unchanged = false;
    uint64_t gpa = operand_page(v, "PVALIDATE");
    uint32_t code = 1;
    if (is_4k_or_2m((uint8_t)v->gpr[RCX_]) && rmp_state(gpa) != RMP_ABSENT) {
        code = rmp_pvalidate(v, gpa & ~PAGE_MASK, v->gpr[RCX_] & 1, v->gpr[RDX_] & 1, &unchanged);
    }
    v->gpr[RAX_] = code;
    set_flags(v, unchanged);
    advance(v, 4);
}

static void do_rmpadjust(vcpu_t *v) {
    uint64_t gpa = operand_page(v, "RMPADJUST");
    uint32_t code = 1;
    if (is_4k_or_2m(v->gpr[RCX_]) && rmp_state(gpa) != RMP_ABSENT) {
        code = rmp_adjust(v, gpa & ~PAGE_MASK, v->gpr[RCX_] & 1, v->gpr[RDX_]);
    }
    v->gpr[RAX_] = code;
    set_flags(v, false);
    advance(v, 4);
}

void undefined_opcode(vcpu_t *v) {
    uint8_t insn[4];
    bool kernel = v->vmcb[CPL] == 0;
    if (guest_fetch(v, insn, 4) == 4 && insn[1] == 0x0f && insn[2] == 0x01 && (V64(v, EFER) & EFER_LMA)) {
        if (insn[0] == 0xf2 && insn[3] == 0xff) {
            kernel ? do_pvalidate(v) : inject(v, 13, true, 0);
            return;
        }
        if (insn[0] == 0xf3 && insn[3] == 0xfe) {
            kernel ? do_rmpadjust(v) : inject(v, 13, true, 0);
            return;
        }
    }
    inject(v, 6, false, 0);
}

// MOV to or from a control or debug register: -> its general register, and the instruction's length.
static unsigned decode_mov(vcpu_t *v, uint8_t opcode, unsigned number, unsigned *len) {
    uint8_t insn[8];
    size_t have = guest_fetch(v, insn, sizeof(insn)), at = 0;
    uint8_t rex = 0;
    while (at + 2 < have && insn[at] != 0x0f) {
        rex = (insn[at] & 0xf0) == 0x40 ? insn[at] : rex;
        at++;
    }
    if (at + 2 >= have || insn[at + 1] != opcode || (insn[at + 2] >> 3 & 7) != number) {
        guest_end(v, "exit %#lx for another instruction", V64(v, EXIT_CODE));
    }
    *len = at + 3;
    return (insn[at + 2] & 7) | (rex & 1) << 3;
}

// Memory is the guest's own affair while it runs on other page tables than the firmware's. Linux goes back to those once, to find out
// whether the C-bit is where it was said to be; a guest that has not done so SETTLED times will not do it any more.
void cr3_write(vcpu_t *v) {
    static unsigned own;
    unsigned len, from = decode_mov(v, 0x22, 3, &len);
    V64(v, CR3) = v->gpr[from] & ~(1ull << 63);
    v->flush = true;
    advance(v, len);
    bool strict = (V64(v, CR3) & ~C_MASK & ~PAGE_MASK) != (machine.firmware_cr3 & ~PAGE_MASK);
    if (strict == machine.strict && (!strict || ++own < SETTLED)) {
        return;
    }
    if (own >= SETTLED) {
        V16(v, CR_WRITES) &= ~(1u << 3);
        return;
    }
    own = 0;
    machine.strict = strict;
    note("the guest runs on %s page tables", strict ? "its own" : "the firmware's");
    if (strict) {
        npt_split();
        rmp_remap();
        if (v->own_idt) {
            npt_mmio_close();
        }
    }
    npt_flush();
}

// Only while the firmware's handlers serve: hardware has no other way to DR7 than the guest's #VC handler.
void dr7_access(vcpu_t *v, bool write) {
    unsigned len, which = decode_mov(v, write ? 0x23 : 0x21, 7, &len);
    if (write) {
        V64(v, DR7) = v->gpr[which];
    } else {
        v->gpr[which] = V64(v, DR7);
    }
    advance(v, len);
}
