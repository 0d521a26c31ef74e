// Memory that devices reach: ordinary pages, or in an SEV-SNP guest pages that the host shares.
//
// Shared pages come in units of up to 2 MiB, which change their state at once and keep large pages in our tables. A unit stays
// shared: what was freed serves the next one who asks. What is known of it lies in private memory.

#include "internal.h"

#define UNIT_PAGES 512u
#define WORDS (UNIT_PAGES / 64)

typedef struct { uint8_t *base; uint32_t pages; uint64_t used[WORDS]; } unit_t;
#define UNITS_A_TABLE ((PAGE_SIZE - 16) / sizeof(unit_t))

typedef struct table { struct table *next; size_t count; unit_t unit[UNITS_A_TABLE]; } table_t;
_Static_assert(sizeof(table_t) <= PAGE_SIZE, "one page");
static table_t *tables;

static bool used(const unit_t *u, unsigned page) {
    return u->used[page / 64] >> (page % 64) & 1;
}

static void set_used(unit_t *u, unsigned page, unsigned count, bool on) {
    for (unsigned i = page; i < page + count; i++) {
        u->used[i / 64] = on ? u->used[i / 64] | 1ull << (i % 64) : u->used[i / 64] & ~(1ull << (i % 64));
    }
}

// First fit. -> the first page of a run, or UNIT_PAGES: there is none
static unsigned find_run(const unit_t *u, size_t count) {
    unsigned run = 0;
    for (unsigned i = 0; i < u->pages; i++) {
        run = used(u, i) ? 0 : run + 1;
        if (run == count) {
            return i + 1 - run;
        }
    }
    return UNIT_PAGES;
}

static uint8_t *take(size_t count) {
    for (table_t *t = tables; t != NULL; t = t->next) {
        for (size_t i = 0; i < t->count; i++) {
            unsigned page = find_run(&t->unit[i], count);
            if (page != UNIT_PAGES) {
                set_used(&t->unit[i], page, count, true);
                return t->unit[i].base + page * PAGE_SIZE;
            }
        }
    }
    return NULL;
}

static unit_t *new_unit(void) {
    if (tables == NULL || tables->count == UNITS_A_TABLE) {
        table_t *t = page_alloc_zero(1);
        if (t == NULL) {
            return NULL;
        }
        t->next = tables;
        tables = t;
    }
    return &tables->unit[tables->count];
}

// A run of pages that begins at a multiple of 2 MiB, or just a run.
static uint8_t *aligned_run(size_t count) {
    uint8_t *run = page_alloc(count + UNIT_PAGES - 1);
    if (run == NULL) {
        return page_alloc(count);
    }
    size_t before = -((uintptr_t)run / PAGE_SIZE) & (UNIT_PAGES - 1);
    page_free(run, before);
    page_free(run + (before + count) * PAGE_SIZE, UNIT_PAGES - 1 - before);
    return run + before * PAGE_SIZE;
}

// A run that the host refused is lost: nobody knows whose it is.
static bool add_unit(size_t count) {
    unit_t *u = new_unit();
    uint8_t *run = u == NULL ? NULL : aligned_run(count);
    if (run == NULL || page_share((uint64_t)run, count * PAGE_SIZE) != PAGE_DONE) {
        return false;
    }
    *u = (unit_t) { .base = run, .pages = count };
    tables->count++;
    return true;
}

// What is larger than a unit is shared for as long as it is in use.
static void *large_alloc(size_t count) {
    void *run = aligned_run(count);
    return run != NULL && page_share((uint64_t)run, count * PAGE_SIZE) == PAGE_DONE ? run : NULL;
}

static void *shared_alloc(size_t count) {
    if (count > UNIT_PAGES) {
        return large_alloc(count);
    }
    uint8_t *p = take(count);
    if (p == NULL && (add_unit(UNIT_PAGES) || add_unit(count))) {
        p = take(count);
    }
    return p;
}

static bool unit_free(uint8_t *addr, size_t count) {
    for (table_t *t = tables; t != NULL; t = t->next) {
        for (size_t i = 0; i < t->count; i++) {
            unit_t *u = &t->unit[i];
            if (addr >= u->base && addr < u->base + u->pages * PAGE_SIZE) {
                set_used(u, (addr - u->base) / PAGE_SIZE, count, false);
                return true;
            }
        }
    }
    return false;
}

void *device_alloc(size_t count) {
    return ghcb_live ? shared_alloc(count) : page_alloc(count);
}

void device_free(void *addr, size_t count) {
    bool shared = ghcb_live && (map_attr((uint64_t)addr) & MAP_SHARED);
    if (shared && unit_free(addr, count)) {
        return;
    }
    if (!shared || page_unshare((uint64_t)addr, count * PAGE_SIZE) == PAGE_DONE) {
        page_free(addr, count);
    }
}
