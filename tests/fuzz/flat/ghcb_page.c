// A GHCB of any content, as a host leaves it, to boot/ghcb_page.c: the count of entries asked for, the first that is not done,
// the fields that are looked at, then the page from its beginning. What is judged is what was taken, and it lets a machine go on only for what the specification allows.

#include "flat.h"

#include "boot/ghcb.h"

static const uint16_t looked_at[] = { GHCB_BITMAP, GHCB_BITMAP + 8, GHCB_INFO1, GHCB_INFO2, GHCB_BUFFER, GHCB_RAX, GHCB_RBX, GHCB_RCX, GHCB_RDX };

static uint64_t field(const uint8_t *page, unsigned offset) {
    uint64_t v;
    memcpy(&v, page + offset, 8);
    return v;
}

static bool valid(const uint8_t *page, unsigned offset) {
    return page[GHCB_BITMAP + offset / 64] >> (offset / 8 & 7) & 1;
}

static void taken(const uint8_t *given, const ghcb_exit_t *x) {
    must(x->info1 == field(given, GHCB_INFO1) && x->info2 == field(given, GHCB_INFO2), "another answer");
    must(x->rax == field(given, GHCB_RAX) && x->rbx == field(given, GHCB_RBX), "another register");
    must(x->rcx == field(given, GHCB_RCX) && x->rdx == field(given, GHCB_RDX), "another register");
    must(!(x->out & HAS_INFO) == !(valid(given, GHCB_INFO1) && valid(given, GHCB_INFO2)), "an answer, or none, against its valid bits");
    must(!(x->out & HAS_RAX) == !valid(given, GHCB_RAX) && !(x->out & HAS_RBX) == !valid(given, GHCB_RBX), "a register against its valid bit");
    must(!(x->out & HAS_RCX) == !valid(given, GHCB_RCX) && !(x->out & HAS_RDX) == !valid(given, GHCB_RDX), "a register against its valid bit");
}

// Taking forgets what the exit was and which fields are valid, and touches nothing else.
static void forgotten(const uint8_t *given, const uint8_t *page) {
    must(field(page, GHCB_CODE) == 0 && field(page, GHCB_BITMAP) == 0 && field(page, GHCB_BITMAP + 8) == 0, "something is still valid");
    for (unsigned i = 0; i < GHCB_LEN; i += 8) {
        must(field(page, i) == field(given, i) || i == GHCB_CODE || i == GHCB_BITMAP || i == GHCB_BITMAP + 8, "a write elsewhere");
    }
}

static void judged(const ghcb_exit_t *x) {
    int vector = -1;
    switch (ghcb_judge(x, &vector)) {
        case GHCB_DONE:
            must((x->out & HAS_INFO) && (uint32_t)x->info1 == 0, "done, without the host having said so");
            break;
        case GHCB_EXCEPTION:
            must((x->out & HAS_INFO) && (uint32_t)x->info1 == 1 && (vector == 13 || vector == 6) && (x->info2 & 0xff) == (unsigned)vector
                && (x->info2 >> 8 & 7) == 3 && (x->info2 >> 31 & 1), "an exception that a host may not ask for");
            break;
        default:
            break;
    }
}

static void progress(uint8_t *page, const ghcb_exit_t *x, unsigned count, unsigned first) {
    unsigned at = first;
    psc_verdict_t verdict = psc_progress(page, x, count, &at);
    must(at >= first && at <= count, "the list went back, or beyond its end");
    must(verdict != PSC_DONE || at == count, "done, but for some");
    must(verdict != PSC_AGAIN || at < count, "done, and to do again");
    must(verdict != PSC_REFUSED || at == first, "refused, and gone on");
    must(verdict == PSC_REFUSED || ((uint32_t)x->info1 == 0 && x->info2 == 0), "an error that is none");
    must(verdict == PSC_REFUSED || field(page, GHCB_BUFFER) == (at | (uint64_t)(count - 1) << 16), "another list than ours");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    input_t in = { data, len };
    uint8_t numbers[2], given[GHCB_LEN], fields[sizeof(looked_at) / 2][8];
    static uint8_t page[GHCB_LEN] __attribute__((aligned(4096)));
    take(&in, numbers, sizeof(numbers));
    take(&in, fields, sizeof(fields));
    take(&in, given, sizeof(given));
    for (unsigned i = 0; i < sizeof(looked_at) / 2; i++) {
        memcpy(given + looked_at[i], fields[i], 8);
    }
    memcpy(page, given, sizeof(given));
    ghcb_exit_t x = { .code = EXIT_PAGE_STATE };
    ghcb_take(page, &x);
    taken(given, &x);
    forgotten(given, page);
    judged(&x);
    unsigned count = 1 + numbers[0] % PSC_MAX;
    progress(page, &x, count, numbers[1] % count);
    return 0;
}
