// The non-automatic exits that a guest asks for. Source: GHCB specification (56421), table 6 and 4.1.

#include "vmcb.h"

enum {
    NMI_COMPLETE = 0x80000003, RESET_HOLD, JUMP_TABLE, PSC = 0x80000010, GUEST_REQUEST, EXTENDED_REQUEST, AP_CREATE, FEATURES = 0x8000fffd, TERMINATE,
    UNSUPPORTED,
};
#define BUFFER_LEN 2032

static void mmio(exchange_t *x, bool write) {
    uint64_t len = x->info2;
    if (len != 1 && len != 2 && len != 4 && len != 8) {
        malformed(x, MALFORMED_VALUE);
        return;
    }
    uint8_t *data = scratch_area(x, len);
    if (data == NULL) {
        return;
    }
    if (!(write ? mmio_write(x->info1, len, data) : mmio_read(x->info1, len, data))) {
        note("MMIO of %#lx, which is %s", x->info1, rmp_name(rmp_state(x->info1)));
        malformed(x, MALFORMED_VALUE);
    }
    if (!write && fault_take("mmio-lie")) {
        __builtin_memset(data, 0xff, len);
    }
}

static void string_io(exchange_t *x, unsigned size) {
    uint64_t count = x->info2;
    uint8_t *data = count <= BUFFER_LEN / size ? scratch_area(x, count * size) : NULL;
    if (data == NULL) {
        malformed(x, MALFORMED_SCRATCH);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint32_t value = 0;
        if (x->info1 & 1) {
            value = port_in(x->info1 >> 16, size);
            __builtin_memcpy(data + i * size, &value, size);
        } else {
            __builtin_memcpy(&value, data + i * size, size);
            port_out(x->info1 >> 16, size, value);
        }
    }
}

static void io(exchange_t *x) {
    unsigned size = x->info1 >> 4 & 7;
    uint64_t mask = size == 4 ? 0xffffffff : (1ull << (8 * size)) - 1;
    if (size != 1 && size != 2 && size != 4) {
        malformed(x, MALFORMED_VALUE);
    } else if (x->info1 & 4) {
        string_io(x, size);
    } else if (!has(x, BIT_RAX) && !(x->info1 & 1)) {
        malformed(x, MALFORMED_MISSING);
    } else if (x->info1 & 1) {
        x->rax = (x->rax & ~mask) | (port_in(x->info1 >> 16, size) & mask);
    } else {
        port_out(x->info1 >> 16, size, x->rax & mask);
    }
}

static void msr(vcpu_t *v, exchange_t *x) {
    bool write = x->info1 == 1;
    uint64_t value = (uint32_t)x->rax | x->rdx << 32;
    if (!has(x, BIT_RCX) || (write && (!has(x, BIT_RAX) || !has(x, BIT_RDX)))) {
        malformed(x, MALFORMED_MISSING);
    } else if (x->info1 > 1) {
        malformed(x, MALFORMED_VALUE);
    } else if (!msr_access(v, x->rcx, write, &value)) {
        exception(x, 13);
    } else if (!write) {
        x->rax = (uint32_t)value;
        x->rdx = value >> 32;
    }
}

static void cpuid_event(vcpu_t *v, exchange_t *x) {
    if (!has(x, BIT_RAX) || !has(x, BIT_RCX) || ((uint32_t)x->rax == 0xd && !has(x, BIT_XCR0))) {
        malformed(x, MALFORMED_MISSING);
        return;
    }
    cpuid_t r = cpuid_value(v, x->rax, x->rcx, x->xcr0);
    x->rax = r.eax;
    x->rbx = r.ebx;
    x->rcx = r.ecx;
    x->rdx = r.edx;
}

static void tsc(exchange_t *x) {
    uint64_t now = ticks();
    x->rax = (uint32_t)now;
    x->rdx = now >> 32;
    x->rcx = x->code == EXIT_RDTSCP ? 0 : x->rcx;
}

static void counter(exchange_t *x) {
    if (!has(x, BIT_RCX)) {
        malformed(x, MALFORMED_MISSING);
        return;
    }
    exception(x, 13);                       // no counters here
}

// What is the machine's own.
static bool instruction(vcpu_t *v, exchange_t *x) {
    switch (x->code) {
        case EXIT_DR7_READ: x->rax = V64(v, DR7); return true;
        case EXIT_DR7_WRITE:
            if (!has(x, BIT_RAX)) {
                malformed(x, MALFORMED_MISSING);
            } else {
                V64(v, DR7) = (x->rax & 0xffff2fff) | 0x400;
            }
            return true;
        case EXIT_RDTSC:
        case EXIT_RDTSCP: tsc(x); return true;
        case EXIT_RDPMC: counter(x); return true;
        case EXIT_CPUID: cpuid_event(v, x); return true;
        case EXIT_IO: io(x); return true;
        case EXIT_MSR: msr(v, x); return true;
        case EXIT_VMMCALL:
            if (x->rax == FAULT_CALL) {
                fault_call(x);
            } else {
                x->rax = -1000ll;           // KVM_ENOSYS
            }
            return true;
        case EXIT_INVD:
        case EXIT_WBINVD:
        case EXIT_MONITOR:
        case EXIT_MWAIT: return true;
        default: return false;
    }
}

void event(vcpu_t *v, exchange_t *x) {
    if (instruction(v, x)) {
        return;
    }
    switch (x->code) {
        case MMIO_READ: mmio(x, false); break;
        case MMIO_WRITE: mmio(x, true); break;
        case NMI_COMPLETE: break;
        case PSC: event_psc(x); break;
        case GUEST_REQUEST: event_request(v, x, false); break;
        case EXTENDED_REQUEST: event_request(v, x, true); break;
        case AP_CREATE: event_ap_create(x); break;
        case FEATURES: x->result2 = 3; break;
        case TERMINATE: guest_end(v, "the guest asks to be ended: reason set %lu, code %lu", x->info1 & 15, x->info1 >> 4 & 255);
        case UNSUPPORTED: guest_end(v, "the guest cannot handle exit %#lx", x->info1);
        default: malformed(x, MALFORMED_EVENT);     // AP jump tables and #HV have no place under plain SEV-SNP
    }
}
