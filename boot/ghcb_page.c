// The bytes of the GHCB: a request written down, an answer read and judged.
// Source: GHCB specification (AMD 56421), 2.6 (layout), 4 (events), 4.1.6 (page state change).
// The page is the host's as much as ours: each field is read once, and what is judged is the copy. Runs with general registers
// only. Nothing here looks at the machine: tests/fuzz/flat/ghcb_page.c calls it.

#include "ghcb.h"

static void mark(volatile uint8_t *page, unsigned offset) {
    page[GHCB_BITMAP + offset / 64] |= 1u << (offset / 8 & 7);
}

static void put(volatile uint8_t *page, unsigned offset, uint64_t value) {
    *(volatile uint64_t *)(page + offset) = value;
    mark(page, offset);
}

static uint64_t get(volatile uint8_t *page, unsigned offset) {
    return *(volatile uint64_t *)(page + offset);
}

static void forget(volatile uint8_t *page) {
    *(volatile uint64_t *)(page + GHCB_CODE) = 0;
    *(volatile uint64_t *)(page + GHCB_BITMAP) = 0;
    *(volatile uint64_t *)(page + GHCB_BITMAP + 8) = 0;
}

void ghcb_fill(volatile uint8_t *page, const ghcb_exit_t *x, uint16_t version) {
    static const struct { uint16_t has, offset, from; } registers[] = {
        { HAS_RAX, GHCB_RAX, __builtin_offsetof(ghcb_exit_t, rax) }, { HAS_RBX, GHCB_RBX, __builtin_offsetof(ghcb_exit_t, rbx) },
        { HAS_RCX, GHCB_RCX, __builtin_offsetof(ghcb_exit_t, rcx) }, { HAS_RDX, GHCB_RDX, __builtin_offsetof(ghcb_exit_t, rdx) },
        { HAS_RSI, GHCB_RSI, __builtin_offsetof(ghcb_exit_t, rsi) }, { HAS_XCR0, GHCB_XCR0, __builtin_offsetof(ghcb_exit_t, xcr0) },
        { HAS_SCRATCH, GHCB_SCRATCH, __builtin_offsetof(ghcb_exit_t, scratch) },
    };
    forget(page);
    for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        if (x->in & registers[i].has) {
            put(page, registers[i].offset, *(const uint64_t *)((const uint8_t *)x + registers[i].from));
        }
    }
    if (x->in & HAS_CPL) {
        page[GHCB_CPL] = x->cpl;
        mark(page, GHCB_CPL);
    }
    put(page, GHCB_CODE, x->code);
    put(page, GHCB_INFO1, x->info1);
    put(page, GHCB_INFO2, x->info2);
    *(volatile uint16_t *)(page + GHCB_VERSION) = version;
    *(volatile uint32_t *)(page + GHCB_USAGE) = 0;
}

static bool valid(uint64_t low, uint64_t high, unsigned offset) {
    unsigned bit = offset / 8;
    return (bit < 64 ? low >> bit : high >> (bit - 64)) & 1;
}

void ghcb_take(volatile uint8_t *page, ghcb_exit_t *x) {
    uint64_t low = get(page, GHCB_BITMAP), high = get(page, GHCB_BITMAP + 8);
    x->info1 = get(page, GHCB_INFO1);
    x->info2 = get(page, GHCB_INFO2);
    x->rax = get(page, GHCB_RAX);
    x->rbx = get(page, GHCB_RBX);
    x->rcx = get(page, GHCB_RCX);
    x->rdx = get(page, GHCB_RDX);
    x->out = (valid(low, high, GHCB_INFO1) && valid(low, high, GHCB_INFO2) ? HAS_INFO : 0) | (valid(low, high, GHCB_RAX) ? HAS_RAX : 0) | (valid(low, high, GHCB_RBX) ? HAS_RBX : 0)
        | (valid(low, high, GHCB_RCX) ? HAS_RCX : 0) | (valid(low, high, GHCB_RDX) ? HAS_RDX : 0);
    forget(page);
}

#define INJECT_VALID (1u << 31)
#define INJECT_EXCEPTION 3

ghcb_verdict_t ghcb_judge(const ghcb_exit_t *x, int *vector) {
    uint32_t answer = x->info1, event = x->info2;
    if (!(x->out & HAS_INFO)) {
        return GHCB_VOID;
    }
    if (answer == 0) {
        return GHCB_DONE;
    }
    *vector = event & 0xff;
    bool exception = answer == 1 && (event & INJECT_VALID) && (event >> 8 & 7) == INJECT_EXCEPTION;
    return exception && (*vector == 13 || *vector == 6) ? GHCB_EXCEPTION : GHCB_VOID;
}

// ---- page state changes: a header (entry to go on with, last entry, both 16 bits), then the entries -----------------------
uint64_t psc_entry(uint64_t addr, bool large, int operation) {
    return addr | (uint64_t)operation << 52 | (uint64_t)large << 56;
}

void psc_fill(volatile uint8_t *page, const uint64_t *entries, unsigned count) {
    volatile uint64_t *buffer = (volatile uint64_t *)(page + GHCB_BUFFER);
    buffer[0] = (uint64_t)(count - 1) << 16;
    for (unsigned i = 0; i < count; i++) {
        buffer[1 + i] = entries[i];
    }
}

psc_verdict_t psc_progress(volatile uint8_t *page, const ghcb_exit_t *x, unsigned count, unsigned *at) {
    uint64_t header = get(page, GHCB_BUFFER);
    unsigned current = header & 0xffff, last = header >> 16 & 0xffff;
    if ((uint32_t)x->info1 != 0 || x->info2 != 0 || header >> 32 != 0 || last != count - 1 || current < *at || current > count) {
        return PSC_REFUSED;
    }
    *at = current;
    return current == count ? PSC_DONE : PSC_AGAIN;
}
