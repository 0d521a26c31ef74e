// Guest messages: the host hands them to the secure processor, and certificates back. Source: GHCB specification (56421), 4.1.7, 4.1.8.

#include "vmcb.h"
#include "psp.h"

#define TOO_SMALL 0x100000000ull
#define BUSY 0x200000000ull
#define CERTIFICATES_MAX 0x10000

static bool is_page(uint64_t gpa) {
    return (gpa & PAGE_MASK) == 0 && rmp_state(gpa) != RMP_ABSENT;
}

// The certificates into the guest's buffer. false: it is too small, RBX says how many pages they need.
static bool certificates(vcpu_t *v, exchange_t *x) {
    static uint8_t table[CERTIFICATES_MAX];
    uint64_t len = psp_certificates(table, sizeof(table)), pages = (len + PAGE_SIZE - 1) / PAGE_SIZE;
    if (fault_take("more-pages")) {
        pages = 6;                          // than Linux and most others offer
    }
    if (x->rbx < pages) {
        x->rbx = pages;
        x->result2 = TOO_SMALL;
        return false;
    }
    if (!rmp_is_shared(x->rax, x->rbx * PAGE_SIZE)) {
        violation(v, "extended guest request, and the buffer at %#lx is not shared", x->rax);
    }
    __builtin_memcpy((void *)x->rax, table, len);
    return true;
}

// What the secure processor says of a message. A second text under one sequence number gives the key stream away, which it need not notice.
static void judge(vcpu_t *v, unsigned reuses_before) {
    if (psp_reuses() != reuses_before) {
        violation(v, "%s", psp_complaint());
    }
    if (psp_complaint() != NULL) {
        say("guest request: %s", psp_complaint());
    }
}

// The host saw a message, and does not hand it over.
static void keep(vcpu_t *v, const uint8_t *request, unsigned reuses_before) {
    psp_observe(request);
    judge(v, reuses_before);
}

void event_request(vcpu_t *v, exchange_t *x, bool extended) {
    static uint8_t request[PAGE_SIZE], response[PAGE_SIZE];
    unsigned reuses = psp_reuses();
    if (!is_page(x->info1) || !is_page(x->info2) || x->info1 == x->info2) {
        malformed(x, MALFORMED_VALUE);
        return;
    }
    if (extended && (!has(x, BIT_RAX) || !has(x, BIT_RBX) || !is_page(x->rax))) {
        malformed(x, MALFORMED_VALUE);
        return;
    }
    if (!rmp_is_shared(x->info1, PAGE_SIZE) || !rmp_is_shared(x->info2, PAGE_SIZE)) {
        violation(v, "guest request, and page %#lx or %#lx is not shared", x->info1, x->info2);
    }
    __builtin_memcpy(request, (void *)x->info1, PAGE_SIZE);
    if (fault_take("busy")) {
        keep(v, request, reuses);
        x->result2 = BUSY;
        return;
    }
    if (extended && !certificates(v, x)) {
        keep(v, request, reuses);
        return;
    }
    fault_psp();
    uint32_t status = psp_guest_request(request, response, 0);
    judge(v, reuses);
    if (status == 0) {
        __builtin_memcpy((void *)x->info2, response, PAGE_SIZE);
    }
    x->result2 = status;
}
