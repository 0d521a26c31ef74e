// One exchange through the GHCB page: a snapshot of what the guest wrote, the event, and what goes back.
// Source: GHCB specification (56421), 2.3.2, 2.6 (layout), 4 (events); the checks are those of KVM.

#include "vmcb.h"

enum {
    F_RAX = 0x1f8, F_RCX = 0x308, F_RDX = 0x310, F_RBX = 0x318, F_CODE = 0x390, F_INFO1 = 0x398, F_INFO2 = 0x3a0, F_SCRATCH = 0x3a8, F_XCR0 = 0x3e8,
    F_BITMAP = 0x3f0, F_BUFFER = 0x800, F_BUFFER_END = 0xff0, F_VERSION = 0xffa, F_USAGE = 0xffc,
};
#define SCRATCH_MAX 0x10000

bool has(const exchange_t *x, int bit) {
    return x->valid[bit / 8] >> (bit % 8) & 1;
}

void malformed(exchange_t *x, int reason) {
    x->result1 = 2;
    x->result2 = reason;
}

void exception(exchange_t *x, int vector) {
    x->result1 = 1;
    x->result2 = vector | 3 << 8 | 1u << 31 | (vector == 13 ? 1u << 11 : 0);
}

// The guest's buffer for this event, within the GHCB or in shared memory.
uint8_t *scratch_area(exchange_t *x, uint64_t len) {
    uint64_t at = x->scratch;
    bool inside = at >= x->gpa && at < x->gpa + PAGE_SIZE;
    if (!has(x, BIT_SCRATCH) || len > SCRATCH_MAX || at + len < at
        || (inside ? at < x->gpa + F_BUFFER || at + len > x->gpa + F_BUFFER_END : !rmp_is_shared(at, len))) {
        malformed(x, MALFORMED_SCRATCH);
        return NULL;
    }
    return (uint8_t *)at;
}

static uint64_t field(exchange_t *x, int offset) {
    int bit = offset / 8;
    return has(x, bit) ? *(uint64_t *)(x->page + offset) : 0;
}

// The bitmap is taken first, then the fields that it names; the guest may write on, it is not looked at again.
static void snapshot(exchange_t *x) {
    __builtin_memcpy(x->valid, x->page + F_BITMAP, sizeof(x->valid));
    x->code = field(x, F_CODE);
    x->info1 = field(x, F_INFO1);
    x->info2 = field(x, F_INFO2);
    x->rax = field(x, F_RAX);
    x->rbx = field(x, F_RBX);
    x->rcx = field(x, F_RCX);
    x->rdx = field(x, F_RDX);
    x->scratch = field(x, F_SCRATCH);
    x->xcr0 = field(x, F_XCR0);
    __builtin_memset(x->page + F_BITMAP, 0, sizeof(x->valid));
}

static void put(exchange_t *x, int offset, uint64_t value) {
    *(uint64_t *)(x->page + offset) = value;
    x->page[F_BITMAP + offset / 64] |= 1 << (offset / 8 % 8);
}

static void answer(exchange_t *x) {
    put(x, F_RAX, x->rax);
    put(x, F_RBX, x->rbx);
    put(x, F_RCX, x->rcx);
    put(x, F_RDX, x->rdx);
    put(x, F_INFO1, x->result1);
    put(x, F_INFO2, x->result2);
    if (fault_take("ghcb-exception")) {
        exception(x, 14);                   // an exception that no event may ask for
        put(x, F_INFO1, x->result1);
        put(x, F_INFO2, x->result2);
    }
}

void ghcb_exchange(vcpu_t *v) {
    exchange_t x = { .gpa = v->ghcb_msr, .page = guest_page(v->ghcb_msr) };
    if (x.page == NULL || (machine.strict && rmp_state(x.gpa) != RMP_SHARED)) {
        violation(v, "VMGEXIT, and the GHCB at %#lx is %s", x.gpa, rmp_name(rmp_state(x.gpa)));
    }
    if (v->ghcb_registered != x.gpa) {
        violation(v, "VMGEXIT, and the GHCB at %#lx is not registered (%#lx is)", x.gpa, v->ghcb_registered);
    }
    uint64_t start = ticks();
    snapshot(&x);
    uint16_t version = *(uint16_t *)(x.page + F_VERSION);
    if (*(uint32_t *)(x.page + F_USAGE) != 0) {
        malformed(&x, MALFORMED_USAGE);
    } else if (version < 1 || version > 2) {
        malformed(&x, MALFORMED_VALUE);
    } else if (!has(&x, BIT_CODE) || !has(&x, BIT_INFO1) || !has(&x, BIT_INFO2)) {
        malformed(&x, MALFORMED_MISSING);
    } else {
        event(v, &x);
    }
    if (x.result1 == 2) {
        note("event %#lx (%#lx, %#lx) is malformed: reason %lu", x.code, x.info1, x.info2, x.result2);
    }
    answer(&x);
    tally_event(&x, start);
}
