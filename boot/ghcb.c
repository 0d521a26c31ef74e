// Exchanges with the host of an SEV-SNP guest: our GHCB page, and the MSR protocol.
// Source: GHCB specification (AMD 56421), 2.3 (MSR protocol), 2.6, 4 (events); SEV_STATUS: AMD64 APM volume 2, 15.34.10.
//
// One page, of this processor. It is filled, handed over and read with interrupts off, and nothing in between can raise
// #VC: so no exchange can come into another one. If one does all the same (somebody injected an exception there), that is the end.
// Runs inside interrupts and in the #VC handler: general registers only, no memcpy.

#include "internal.h"
#include "io.h"

#define PROTOCOL_MAX 2                      // what we speak; SEV-SNP needs 2

static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
static bool busy;

bool ghcb_live;
static ghcb_protocol_t protocol;

// Intercepted instructions by number, then events, then the two at the end of the numbers, others, the MSR protocol.
enum { EVENTS = 0x100, LATE_EVENTS = 0x130, OTHERS = 0x132, MSRS = 0x133 };
static uint32_t counts[GHCB_COUNTS];

static unsigned count_index(uint64_t code) {
    if (code < EVENTS) {
        return code;
    }
    if (code - 0x80000000 < LATE_EVENTS - EVENTS) {
        return EVENTS + (code - 0x80000000);
    }
    return code - 0x8000fffd < OTHERS - LATE_EVENTS ? LATE_EVENTS + (code - 0x8000fffd) : OTHERS;
}

bool ghcb_count_get(unsigned i, uint64_t *code, uint32_t *count) {
    *code = i < EVENTS ? i : i < LATE_EVENTS ? 0x80000000 + (i - EVENTS) : i < OTHERS ? 0x8000fffd + (i - LATE_EVENTS)
        : i == OTHERS ? GHCB_COUNT_OTHER : GHCB_COUNT_MSR;
    *count = i < GHCB_COUNTS ? counts[i] : 0;
    return i < GHCB_COUNTS;
}

uint64_t ghcb_begin(void) {
    uint64_t flags = read_flags();
    cli();
    if (busy) {
        host_broke("an exchange came into another one");
    }
    busy = true;
    return flags;
}

void ghcb_end(uint64_t flags) {
    busy = false;
    if (flags & FLAGS_IF) {
        sti();
    }
}

void ghcb_abandon(void) {
    busy = false;
}

volatile uint8_t *ghcb_page(void) {
    return page;
}

ghcb_verdict_t ghcb_exchange_on(volatile uint8_t *at, ghcb_exit_t *x, int *vector) {
    ghcb_fill(at, x, protocol.used);
    wrmsr(MSR_GHCB, (uint64_t)at);
    vmgexit();
    ghcb_take(at, x);
    return ghcb_judge(x, vector);
}

ghcb_verdict_t ghcb_exchange(ghcb_exit_t *x, int *vector) {
    counts[count_index(x->code)]++;
    return ghcb_exchange_on(page, x, vector);
}

ghcb_verdict_t ghcb_call(ghcb_exit_t *x, int *vector) {
    uint64_t flags = ghcb_begin();
    ghcb_verdict_t verdict = ghcb_exchange(x, vector);
    ghcb_end(flags);
    return verdict;
}

// ---- the MSR protocol ----------------------------------------------------------------------------------------------------
static uint64_t msr_here(uint64_t word) {
    wrmsr(MSR_GHCB, word);
    vmgexit();
    return rdmsr(MSR_GHCB);
}

uint64_t ghcb_msr(uint64_t word) {
    uint64_t flags = read_flags();
    cli();
    counts[MSRS]++;
    uint64_t before = rdmsr(MSR_GHCB);
    uint64_t answer = msr_here(word);
    wrmsr(MSR_GHCB, before);
    if (flags & FLAGS_IF) {
        sti();
    }
    return answer;
}

void ghcb_terminate(unsigned set, unsigned reason) {
    for (;;) {
        cli();
        wrmsr(MSR_GHCB, GHCBINFO_TERMINATE | set << 12 | reason << 16);
        vmgexit();
        cpu_hlt();
    }
}

bool ghcb_register_here(uint64_t addr) {
    bool known = msr_here(addr | GHCBINFO_REGISTER_REQ) == (addr | GHCBINFO_REGISTER);
    wrmsr(MSR_GHCB, addr);
    return known;
}

static void negotiate(void) {
    uint64_t info = ghcb_msr(GHCBINFO_SEV_REQ);
    protocol.max = info >> 48;
    protocol.min = info >> 32 & 0xffff;
    if ((info & GHCBINFO_MASK) != GHCBINFO_SEV || protocol.min > PROTOCOL_MAX || protocol.max < PROTOCOL_MAX) {
        ghcb_terminate(0, END_PROTOCOL);
    }
    protocol.used = PROTOCOL_MAX;
    uint64_t features = ghcb_msr(GHCBINFO_FEATURES_REQ);
    if ((features & GHCBINFO_MASK) != GHCBINFO_FEATURES || !(features >> 12 & FEATURE_SNP)) {
        ghcb_terminate(0, END_FEATURES);
    }
    protocol.features = features >> 12;
}

ghcb_protocol_t ghcb_protocol(void) {
    return protocol;
}

uint64_t ghcb_addr(void) {
    return (uint64_t)page;
}

bool host_call(host_call_t *call) {
    int vector;
    ghcb_exit_t x = {
        .code = call->code, .info1 = call->info1, .info2 = call->info2, .rax = call->rax, .rbx = call->rbx,
        .in = (call->has_rax ? HAS_RAX : 0) | (call->has_rbx ? HAS_RBX : 0),
    };
    ghcb_call(&x, &vector);
    call->info1 = x.info1;
    call->info2 = x.info2;
    call->rax = x.rax;
    call->rbx = x.rbx;
    return x.out & HAS_INFO;
}

// Our page tables and our IDT are in force, and nothing else: no console yet.
void ghcb_init(void) {
    if (!snp_guest) {
        return;
    }
    negotiate();
    page_share_early((uint64_t)page);
    counts[MSRS]++;
    if (!ghcb_register_here((uint64_t)page)) {
        ghcb_terminate(END_SET_LINUX, END_GHCB);
    }
    ghcb_live = true;
}
