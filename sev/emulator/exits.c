// Every exit of the guest: done for it while the firmware's handlers serve, otherwise its own #VC handler hears of it.
// Source: APM volume 2, appendix C (exit codes), 15.35.4 (automatic and non-automatic exits).

#include "vmcb.h"

#define SEV_STATUS_ACTIVE 7ull              // SEV, SEV-ES, SEV-SNP

// The instruction is done.
void advance(vcpu_t *v, unsigned len) {
    V64(v, RIP) += len;
    V64(v, INT_SHADOW) &= ~1ull;
}

void inject(vcpu_t *v, unsigned vector, bool has_error, uint32_t error) {
    V64(v, EVENT_INJECT) = vector | INJECT_EXCEPTION | INJECT_VALID | (has_error ? INJECT_ERROR : 0) | (uint64_t)error << 32;
}

static void do_cpuid(vcpu_t *v) {
    cpuid_t r = cpuid_value(v, v->gpr[RAX_], v->gpr[RCX_], 1);
    v->gpr[RAX_] = r.eax;
    v->gpr[RBX_] = r.ebx;
    v->gpr[RCX_] = r.ecx;
    v->gpr[RDX_] = r.edx;
    advance(v, 2);
}

// The two MSRs of SEV never trap to the guest.
static bool own_msr(vcpu_t *v, uint32_t msr, bool write, uint64_t *value) {
    if (msr == MSR_SEV_STATUS && !write) {
        *value = SEV_STATUS_ACTIVE;
        return true;
    }
    if (msr != MSR_GHCB) {
        return false;
    }
    if (write) {
        v->ghcb_msr = *value;
    }
    *value = v->ghcb_msr;
    return true;
}

static void do_msr(vcpu_t *v) {
    bool write = V64(v, EXIT_INFO1) & 1;
    uint32_t msr = v->gpr[RCX_];
    uint64_t value = (uint32_t)v->gpr[RAX_] | v->gpr[RDX_] << 32;
    if (!own_msr(v, msr, write, &value)) {
        if (v->own_idt) {
            reflect(v, EXIT_MSR);
            return;
        }
        if (msr == MSR_SEV_STATUS || !msr_access(v, msr, write, &value)) {
            inject(v, 13, true, 0);
            return;
        }
    }
    if (!write) {
        v->gpr[RAX_] = (uint32_t)value;
        v->gpr[RDX_] = value >> 32;
    }
    advance(v, 2);
}

static void do_vmmcall(vcpu_t *v) {
    uint8_t insn[4];
    if (guest_fetch(v, insn, 4) == 4 && insn[0] == 0xf3 && insn[1] == 0x0f && insn[2] == 0x01 && insn[3] == 0xd9) {
        advance(v, 4);                      // VMGEXIT
        if (v->ghcb_msr & PAGE_MASK) {
            msr_protocol(v);
        } else {
            ghcb_exchange(v);
        }
    } else if (v->own_idt) {
        reflect(v, EXIT_VMMCALL);
    } else {
        v->gpr[RAX_] = ~0ull;
        advance(v, 3);
    }
}

// While the firmware's page tables are in force everything is mapped. Once memory is split, private pages are private content there too.
static void open_fault(vcpu_t *v, uint64_t gpa, uint64_t info) {
    uint64_t plain = gpa & ~C_MASK;
    int state = rmp_state(plain);
    if (!machine.split) {
        if (!npt_open_fault(gpa)) {
            guest_end(v, "nested fault at %#lx (%#lx) with everything mapped", gpa, info);
        }
    } else if (state == RMP_ABSENT) {
        npt_mmio_open(plain);
    } else if (state == RMP_VALIDATED) {
        npt_private_fault(plain & ~PAGE_MASK, !(gpa & C_MASK));
    } else {
        violation(v, "access at %#lx under the firmware's page tables, which is %s", gpa, rmp_name(state));
    }
}

// Where the view in force has no page. What hardware takes for private whatever the C-bit says is let through.
static void do_nested_fault(vcpu_t *v) {
    uint64_t gpa = V64(v, EXIT_INFO2), info = V64(v, EXIT_INFO1), plain = gpa & ~C_MASK;
    int state = rmp_state(plain);
    bool c = gpa & C_MASK;
    if (v->flat && (V64(v, CR0) & CR0_PG)) {
        v->flat = false;                    // paging is on since
        v->flush = true;
        return;
    }
    if (!machine.strict) {
        open_fault(v, gpa, info);
        return;
    }
    if (state == RMP_ABSENT && !c) {
        if (v->own_idt) {
            reflect(v, EXIT_NPF);
        } else {
            npt_mmio_open(plain);
        }
    } else if (state == RMP_VALIDATED && !c && (info & NPF_TABLE)) {
        if ((V64(v, CR3) & ~PAGE_MASK) == (plain & ~PAGE_MASK)) {
            V64(v, CR3) |= C_MASK;          // a guest that reads it back sees it
            v->flush = true;
        } else {
            npt_implied(plain & ~PAGE_MASK, true);
        }
    } else if (state == RMP_VALIDATED && !c && (info & NPF_FETCH)) {
        npt_implied(plain & ~PAGE_MASK, false);
    } else if (state == RMP_UNVALIDATED && c && v->own_idt) {
        reflect(v, EXIT_NOT_VALIDATED);
    } else if (state == RMP_VALIDATED && c) {
        npt_private_fault(plain & ~PAGE_MASK, false);       // its first use, or another processor has changed it since
        v->flush = true;
    } else {
        violation(v, "%s with C=%d of page %#lx, which is %s", info & NPF_FETCH ? "fetch" : info & NPF_WRITE ? "write" : "read", c,
            plain & ~PAGE_MASK, rmp_name(state));
    }
}

// Exits that the guest hears of as they are; else len bytes of instruction are passed over.
static void pass(vcpu_t *v, uint64_t code, unsigned len) {
    if (v->own_idt) {
        reflect(v, code);
    } else {
        advance(v, len);
    }
}

// QEMU's interpreter takes INVD for WBINVD here.
static bool is_invd(vcpu_t *v) {
    uint8_t insn[2];
    return guest_fetch(v, insn, 2) == 2 && insn[0] == 0x0f && insn[1] == 0x08;
}

// QEMU gives RDTSCP the exit code of RDTSC; a guest compares.
static void do_tsc(vcpu_t *v) {
    uint8_t insn[2];
    bool p = guest_fetch(v, insn, 2) == 2 && insn[1] == 0x01;
    if (v->own_idt) {
        reflect(v, p ? EXIT_RDTSCP : EXIT_RDTSC);
        return;
    }
    uint64_t now = ticks();
    v->gpr[RAX_] = (uint32_t)now;
    v->gpr[RDX_] = now >> 32;
    v->gpr[RCX_] = p ? 0 : v->gpr[RCX_];
    advance(v, p ? 3 : 2);
}

// What was being delivered when the exit came, to be delivered again. QEMU calls an interrupt an exception there.
static uint64_t interrupted_event(vcpu_t *v) {
    uint64_t event = V64(v, EXIT_INT_INFO);
    if ((event & INJECT_TYPE) == INJECT_EXCEPTION && (event & 255) >= 32) {
        event &= ~INJECT_TYPE;
    }
    return event & INJECT_VALID ? event : 0;
}

void handle_exit(vcpu_t *v) {
    uint64_t code = V64(v, EXIT_CODE);
    V64(v, EVENT_INJECT) = interrupted_event(v);
    switch (code) {
        case EXIT_CPUID: v->own_idt ? reflect(v, code) : do_cpuid(v); break;
        case EXIT_IO: v->own_idt ? reflect(v, code) : silent_io(v); break;
        case EXIT_MSR: do_msr(v); break;
        case EXIT_VMMCALL: do_vmmcall(v); break;
        case EXIT_NPF: do_nested_fault(v); break;
        case EXIT_UD: undefined_opcode(v); break;
        case EXIT_CR3_WRITE: cr3_write(v); break;
        case EXIT_LIDT: silent_lidt(v); break;
        case EXIT_DR7_READ:
        case EXIT_DR7_WRITE: v->own_idt ? reflect(v, code) : dr7_access(v, code == EXIT_DR7_WRITE); break;
        case EXIT_RDTSC:
        case EXIT_RDTSCP: do_tsc(v); break;
        case EXIT_RDPMC:
        case EXIT_INVD:
        case EXIT_WBINVD: pass(v, is_invd(v) ? EXIT_INVD : code, 2); break;
        case EXIT_MONITOR:
        case EXIT_MWAIT: pass(v, code, 3); break;
        case EXIT_NMI: ap_stop_check(v); break;
        case EXIT_VMRUN: case EXIT_VMLOAD: case EXIT_VMSAVE: case EXIT_STGI: case EXIT_CLGI: case EXIT_SKINIT: inject(v, 6, false, 0); break;
        case EXIT_SHUTDOWN: guest_end(v, "the guest shut down: a fault in its handler of double faults");
        default: guest_end(v, "exit %#lx (%#lx, %#lx) is not known", code, V64(v, EXIT_INFO1), V64(v, EXIT_INFO2));
    }
    fault_exit(v);
}
