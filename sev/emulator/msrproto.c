// The GHCB MSR protocol. Source: GHCB specification (56421), 2.3.1 and table 3.

#include "vmcb.h"

enum {
    SEV_INFO_REQ = 0x002, CPUID_REQ = 0x004, RESET_HOLD_REQ = 0x006, PREFERRED_REQ = 0x010, REGISTER_REQ = 0x012, PSC_REQ = 0x014, VMPL_REQ = 0x016,
    FEATURES_REQ = 0x080, TERMINATE_REQ = 0x100,
};
#define FEATURES 3ull                       // SEV-SNP, AP creation
#define VERSION_MIN 1ull
#define VERSION_MAX 2ull

static uint64_t cpuid_word(vcpu_t *v, uint64_t request) {
    cpuid_t r = cpuid_value(v, request >> 32, 0, 1);
    unsigned which = request >> 30 & 3;
    uint32_t values[] = { r.eax, r.ebx, r.ecx, r.edx };
    return (uint64_t)values[which] << 32 | (uint64_t)which << 30 | 0x005;
}

// One page. The answer's upper half is 0 for done.
static uint64_t psc_word(uint64_t request) {
    unsigned op = request >> 52 & 15;
    uint64_t gpa = request & 0x000ffffffffff000ull, failed = 1ull << 63 | 0x015;
    if (request >> 56 != 0 || (op != 1 && op != 2) || (gpa & C_MASK)) {
        return failed;
    }
    if (fault_take("psc-refuse")) {
        return failed;
    }
    return fault_take("psc-lie") ? 0x015 : rmp_change(gpa, op, false) == 0 ? 0x015 : failed;
}

static uint64_t register_word(vcpu_t *v, uint64_t gpa) {
    if (fault_take("register-refuse")) {
        return ~PAGE_MASK | 0x013;
    }
    v->ghcb_registered = gpa;
    note("vCPU %u registers its GHCB at %#lx", v->apic_id, gpa);
    return gpa | 0x013;
}

void msr_protocol(vcpu_t *v) {
    uint64_t request = v->ghcb_msr, answer = request;
    uint64_t start = ticks();
    switch (request & PAGE_MASK) {
        case SEV_INFO_REQ: answer = VERSION_MAX << 48 | VERSION_MIN << 32 | (uint64_t)C_BIT << 24 | 0x001; break;
        case CPUID_REQ: answer = cpuid_word(v, request); break;
        case RESET_HOLD_REQ: answer = 0x007; break;     // no SIPI comes
        case PREFERRED_REQ: answer = ~PAGE_MASK | 0x011; break;
        case REGISTER_REQ: answer = register_word(v, request & ~PAGE_MASK); break;
        case PSC_REQ: answer = psc_word(request); break;
        case VMPL_REQ: answer = 1ull << 32 | 0x017; break;
        case FEATURES_REQ: answer = FEATURES << 12 | 0x081; break;
        case TERMINATE_REQ: guest_end(v, "the guest asks to be ended: reason set %lu, code %lu", request >> 12 & 15, request >> 16 & 255);
        default: note("MSR protocol request %#lx is not known", request);    // the word stays as it is
    }
    v->ghcb_msr = answer;
    tally(TALLY_MSR_PROTOCOL, request & PAGE_MASK, start);
}
