// Pages that only we can read, and pages that the host shares: changing one into the other, and accepting memory.
// Source: AMD64 APM volume 3 (PVALIDATE, RMPADJUST); GHCB specification (AMD 56421), 4.1.6 (page state change);
// APM volume 2, 15.36.6 (page validation).
//
// Our page tables are the record of what a page is, and the host cannot write to them: C=1, private and validated; C=0, shared;
// not mapped, neither (not accepted yet, or given up). So no page is ever validated twice, which would let the host exchange it.
// Where a change fails half-way nobody knows what the page is: it is unmapped, and lost.

#include "internal.h"
#include "io.h"

#define LARGE_SIZE 0x200000ull
#define SIZE_MISMATCH 6                     // of PVALIDATE: the host has smaller pages there
#define IDLE_MAX 100                        // exits in which the host got nothing done
#define ORDINARY (MAP_R | MAP_W)

int pvalidate(uint64_t addr, bool large, bool validate, bool *carry) {
    return insn_pvalidate(addr, large, validate, carry);
}

int rmpadjust(uint64_t addr, bool large, uint64_t attributes) {
    return insn_rmpadjust(addr, large, attributes);
}

// Whoever finds a page in the state that it is to get finds that the host has exchanged it.
static void validate_one(uint64_t addr, bool large, bool on) {
    bool carry;
    int code = pvalidate(addr, large, on, &carry);
    if (large && code == SIZE_MISMATCH) {
        for (uint64_t at = addr; at < addr + LARGE_SIZE; at += PAGE_SIZE) {
            validate_one(at, false, on);
        }
    } else if (code != 0 || carry) {
        host_broke("page %lx %s: PVALIDATE gives %d%s", addr, on ? "is not to be had" : "is not ours", code, carry ? ", nothing changed" : "");
    }
}

static void validate(uint64_t addr, uint64_t len, bool on) {
    for (uint64_t end = addr + len; addr < end;) {
        bool large = page_piece(addr, end) == LARGE_SIZE;
        validate_one(addr, large, on);
        addr += large ? LARGE_SIZE : PAGE_SIZE;
    }
}

// Some processors keep old lines of a page that became private, unless they are read (CPUID 8000_001F, EBX bit 31).
static void evict(uint64_t addr, uint64_t len) {
    for (uint64_t end = addr + len; addr < end; addr += PAGE_SIZE) {
        (void)*(volatile uint8_t *)addr;
        (void)*(volatile uint8_t *)(addr + PAGE_SIZE - 1);
    }
}

static bool host_agrees(const uint64_t *entries, unsigned count) {
    unsigned at = 0, idle = 0;
    int vector;
    psc_verdict_t verdict;
    uint64_t flags = ghcb_begin();
    volatile uint8_t *page = ghcb_page();
    psc_fill(page, entries, count);
    do {
        unsigned before = at;
        ghcb_exit_t x = { .code = EXIT_PAGE_STATE, .scratch = (uint64_t)page + GHCB_BUFFER, .in = HAS_SCRATCH };
        verdict = ghcb_exchange(&x, &vector) == GHCB_DONE ? psc_progress(page, &x, count, &at) : PSC_REFUSED;
        idle = at == before ? idle + 1 : 0;
    } while (verdict == PSC_AGAIN && idle < IDLE_MAX);
    ghcb_end(flags);
    return verdict == PSC_DONE;
}

// The largest page that can be changed at once: 2 MiB where our mapping has no smaller ones.
uint64_t page_piece(uint64_t addr, uint64_t end) {
    uint64_t entry;
    bool large = (addr & (LARGE_SIZE - 1)) == 0 && end - addr >= LARGE_SIZE && map_leaf(addr, &entry) >= LARGE_SIZE;
    return large ? LARGE_SIZE : PAGE_SIZE;
}

// Write as many changes down as one exit takes. -> behind the last of them
static uint64_t batch(uint64_t addr, uint64_t end, int operation, uint64_t *entries, unsigned *count) {
    for (*count = 0; addr < end && *count < PSC_MAX;) {
        uint64_t len = page_piece(addr, end);
        entries[(*count)++] = psc_entry(addr, len == LARGE_SIZE, operation);
        addr += len;
    }
    return addr;
}

static bool change(uint64_t addr, uint64_t len, int operation) {
    static uint64_t entries[PSC_MAX];
    bool sharing = operation == PAGE_SHARED;
    for (uint64_t end = addr + len; addr < end;) {
        unsigned count;
        uint64_t next = batch(addr, end, operation, entries, &count);
        if (sharing) {
            validate(addr, next - addr, false);
        } else {
            map_range(addr, next - addr, ORDINARY);
        }
        if (!host_agrees(entries, count)) {
            map_range(addr, next - addr, 0);
            return false;
        }
        if (sharing) {
            map_range(addr, next - addr, ORDINARY | MAP_SHARED);
        } else {
            validate(addr, next - addr, true);
            evict(addr, next - addr);
        }
        addr = next;
    }
    return true;
}

static bool all_are(uint64_t addr, uint64_t len, int attr) {
    for (uint64_t at = addr; at < addr + len; at += PAGE_SIZE) {
        if (map_attr(at) != attr) {
            return false;
        }
    }
    return true;
}

static int change_tracked(uint64_t addr, uint64_t len, int before, int operation) {
    if (!ghcb_live) {
        return PAGE_NO_SNP;
    }
    if (len == 0 || ((addr | len) & (PAGE_SIZE - 1)) != 0 || addr + len < addr || !all_are(addr, len, before)) {
        return PAGE_STATE;
    }
    if (!map_range(addr, len, before)) {        // splits what is to be split, so that no table is wanted in the middle of it
        return PAGE_NO_MEMORY;
    }
    if (!change(addr, len, operation)) {
        return PAGE_REFUSED;
    }
    __builtin_memset((void *)addr, 0, len);
    return PAGE_DONE;
}

int page_share(uint64_t addr, uint64_t len) {
    return change_tracked(addr, len, ORDINARY, PAGE_SHARED);
}

int page_unshare(uint64_t addr, uint64_t len) {
    return change_tracked(addr, len, ORDINARY | MAP_SHARED, PAGE_PRIVATE);
}

bool page_accept(uint64_t addr, uint64_t len) {
    return map_range(addr, len, ORDINARY) && change(addr, len, PAGE_PRIVATE);
}

void page_share_early(uint64_t addr) {
    bool carry;
    map_range(addr, PAGE_SIZE, ORDINARY);
    if (pvalidate(addr, false, false, &carry) != 0 || carry) {
        ghcb_terminate(END_SET_LINUX, END_PVALIDATE);
    }
    uint64_t answer = ghcb_msr(psc_entry(addr, false, PAGE_SHARED) | GHCBINFO_PSC_REQ);
    if ((answer & GHCBINFO_MASK) != GHCBINFO_PSC || answer >> 32 != 0) {
        ghcb_terminate(END_SET_LINUX, END_PAGE_STATE);
    }
    map_range(addr, PAGE_SIZE, ORDINARY | MAP_SHARED);
    __builtin_memset((void *)addr, 0, PAGE_SIZE);
}
