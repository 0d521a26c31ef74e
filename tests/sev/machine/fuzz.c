// Hostile hosts against boot/'s guest side of SEV-SNP: instructions, registers, page states and answers of a fuzzer's choice
// (tests/fuzz/choices.h: random, or libFuzzer's). The sanitizers and pages that must not be touched watch.

#include <stdio.h>
#include <string.h>
#include "machine.h"
#include "tests/fuzz/choices.h"

#define CODE_PAGE 2000
#define PAGES 16                            // of every kind, which registers point into

#define EXCEPTIONS 60
#define CHANGES 10

static unsigned long handled, changes[2];
static unsigned page, count;                // what was shared last

static uint64_t rnd64(void) {
    return (uint64_t)rnd() << 42 ^ (uint64_t)rnd() << 21 ^ rnd();
}

// ---- the host: mostly what it should do, then some bytes of the page changed ------------------------------------------------------

static void lie(volatile uint8_t *page) {
    if (below(4) != 0) {
        host_serve(page);
    }
    static const uint16_t places[] = { 0x390, 0x398, 0x3a0, 0x3a8, 0x3f0, 0x3f8, 0x1f8, 0x308, 0x310, 0x318, 0x800, 0x804, 0x808 };
    for (unsigned n = below(4); n > 0; n--) {
        unsigned at = below(3) != 0 ? places[below(sizeof(places) / 2)] + below(8) : below(4096);
        page[at] = below(2) ? rnd() : 1u << below(8);
    }
    if (below(8) == 0) {
        *(volatile uint64_t *)(page + 0x3a0) = (below(2) ? 13 : rnd() & 0xff) | (uint64_t)(below(2) ? 3 : below(8)) << 8 | 1u << 31;
        page[0x398] = 1;
    }
}

// ---- instructions --------------------------------------------------------------------------------------------------------------------
static const char *const opcodes[] = {
    "\x02\x0f\xa2", "\x02\x0f\x32", "\x02\x0f\x30", "\x02\x0f\x31", "\x02\x0f\x33", "\x03\x0f\x01\xd9", "\x03\x0f\x01\xf9", "\x03\x0f\x21\xf8", "\x03\x0f\x23\xf8",
    "\x01\xec", "\x01\xed", "\x01\xee", "\x01\xef", "\x01\xe4", "\x01\x6c", "\x01\x6d", "\x01\x6e", "\x01\x6f", "\x01\x8b", "\x01\x8a", "\x01\x89", "\x01\x88",
    "\x01\xc6", "\x01\xc7", "\x02\x0f\xb6", "\x02\x0f\xbf", "\x01\xa4", "\x01\xa5", "\x01\xaa", "\x01\xab", "\x01\xa1", "\x02\x0f\x10", "\x02\x0f\x11",
};
static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0x64, 0x65, 0x2e, 0xf0 };
static const uint16_t errors[] = { 0x27, 0x37, 0x6e, 0x6f, 0x72, 0x76, 0x7b, 0x7c, 0x81, 0x87, 0x89, 0x8a, 0x8b, 0x400, 0x404, 0x41 };

static unsigned instruction(uint8_t *out) {
    unsigned n = 0;
    for (unsigned k = below(3) ? below(2) : below(5); k > 0; k--) {
        out[n++] = prefixes[below(sizeof(prefixes))];
    }
    if (below(3) == 0) {
        out[n++] = 0x40 | below(16);
    }
    const char *opcode = opcodes[below(sizeof(opcodes) / sizeof(opcodes[0]))];
    memcpy(out + n, opcode + 1, opcode[0]);
    for (n += opcode[0]; n < INSN_LEN_MAX; n++) {
        out[n] = below(3) == 0 ? 0 : rnd();
    }
    return n;
}

static uint64_t likely_error(const uint8_t *code) {
    insn_t insn = insn_decode(code, INSN_LEN_MAX);
    for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (insn_raises(&insn, errors[i])) {
            return errors[i];
        }
    }
    return errors[below(sizeof(errors) / sizeof(errors[0]))];
}

static uint64_t likely_address(void) {
    uint64_t at = (uint64_t)arena + below(PAGES) * PAGE_SIZE + (below(2) ? below(PAGE_SIZE) : PAGE_SIZE - below(16));
    return below(8) == 0 ? rnd64() : at;
}

static void random_pages(void) {
    static const uint8_t attrs[] = { 0, MAP_R, MAP_R | MAP_W, MAP_R | MAP_W | MAP_UC | MAP_SHARED, MAP_R | MAP_W | MAP_SHARED, MAP_R | MAP_X };
    for (unsigned i = 0; i < PAGES; i++) {
        page_set(i, attrs[below(sizeof(attrs))]);
    }
}

static void one_exception(void) {
    uint8_t code[INSN_LEN_MAX];
    instruction(code);
    page_set(CODE_PAGE, MAP_R | MAP_W | MAP_X);
    memcpy(arena + CODE_PAGE * PAGE_SIZE, code, sizeof(code));
    trap_frame_t f, before;
    for (unsigned i = 0; i < sizeof(f) / 8; i++) {
        ((uint64_t *)&f)[i] = likely_address();
    }
    f.rcx = below(4) ? below(5000) : rnd64();
    f.vector = 29;
    f.error = below(8) ? likely_error(code) : errors[below(sizeof(errors) / sizeof(errors[0]))];
    f.rip = (uint64_t)arena + CODE_PAGE * PAGE_SIZE;
    f.cs = below(50) ? 8 : 0x1b;
    f.rflags = below(2) ? 2 : 0x402;
    before = f;
    int how = machine_vc(&f);
    uint64_t done = f.rip - before.rip;
    handled += how == OK;
    if (done > INSN_LEN_MAX || (how != OK && done != 0) || f.cs != before.cs || f.rflags != before.rflags) {
        fuzz_fail("the frame came back changed where it must not");
    }
    if (machine.interrupts_were_on || (how == EXCEPTION && machine.vector != 13 && machine.vector != 6 && machine.vector != 14)) {
        fuzz_fail("interrupts on, or an exception that no instruction raises so");
    }
    vc_reset();
    ghcb_abandon();
}

// ---- page states ----------------------------------------------------------------------------------------------------------------------
static int share(uint64_t a, uint64_t b) { return page_share(a, b); }
static int unshare(uint64_t a, uint64_t b) { return page_unshare(a, b); }

// machine.c ends the program if a page is validated through a shared mapping, or a shared one in the RMP at all.
static void one_change(void) {
    bool back = count != 0 && below(3) != 0;
    int result = -1;
    page = back ? page : below(1300);
    count = back ? count : 1 + (below(4) ? below(20) : below(700));
    machine.psc_fault = below(3) ? 0 : below(8);
    machine.psc_chunk = below(4) ? 0 : 1 + below(253);
    int how = machine_call(back ? unshare : share, (uint64_t)arena + page * PAGE_SIZE, count * PAGE_SIZE, &result);
    if (how != OK && how != BROKEN) {
        fuzz_fail("a change of pages ended otherwise");
    }
    for (unsigned i = page; how == OK && result == PAGE_DONE && i < page + count; i++) {
        if (arena[i * PAGE_SIZE] != 0) {
            fuzz_fail("a page that changed was not cleared");
        }
    }
    changes[back] += result == PAGE_DONE;
    ghcb_abandon();
}

// ---- the CPUID page --------------------------------------------------------------------------------------------------------------------
static cpuid_t no_host(uint32_t leaf, uint32_t subleaf) {
    return (cpuid_t) { rnd(), rnd(), rnd(), rnd() };
}

static void one_cpuid(void) {
    static const uint32_t leaves[] = { 0, 1, 2, 4, 7, 0xb, 0xd, 0x80000000, 0x80000001, 0x8000001e, 0x8000001f, 0x40000000 };
    static cpuid_page_t page;
    noise(&page, sizeof(page));
    for (unsigned i = 0; i < sizeof(page) / 4; i++) {
        ((uint32_t *)&page)[i] *= ((uint32_t *)&page)[i] % 3 == 0;
    }
    page.count = below(4) ? below(70) : rnd();
    for (unsigned i = 0; i < CPUID_ENTRIES_MAX; i++) {
        uint8_t any[3];
        noise(any, sizeof(any));
        page.entry[i].leaf = leaves[any[0] % 12];
        page.entry[i].subleaf = any[1] % 4;
        page.entry[i].xcr0 = any[2] % 4;
    }
    cpuid_env_t env = { .host = no_host };
    noise(&env, 3 * sizeof(uint64_t));
    cpuid_t out;
    if (cpuid_page_valid(&page) != (page.count >= 1 && page.count <= 64)) {
        fuzz_fail("a page of no entries, or of too many, is taken for one");
    }
    cpuid_page_get(&page, leaves[below(12)], below(5), &env, &out);
}

void harness_start(void) {
}

void harness_round(void) {
    machine_start();
    page = count = 0;
    machine.hook = lie;
    random_pages();
    for (unsigned i = 0; go_on(i, EXCEPTIONS); i++) {
        one_exception();
        one_cpuid();
    }
    machine.hook = below(2) ? lie : NULL;
    for (unsigned i = 0; go_on(i, CHANGES); i++) {
        one_change();
    }
    sev_status = 7;
}

bool harness_end(unsigned rounds) {
    printf("%u rounds: %lu exceptions served, %lu ranges shared, %lu taken back\n", rounds, handled, changes[0], changes[1]);
    return handled > rounds && changes[0] + changes[1] > rounds / 4;
}
