// Where the collected heap's memory comes from, and when it grows and shrinks.
//
// On our own page tables the pool and its two tables each have a range of virtual addresses of their own,
// far larger than any memory, and grow in place by whatever extents the page allocator has: the heap
// is contiguous however fragmented memory is. It starts small, at least doubles where there is room,
// and leaves a reserve to files, DMA and page tables. In firmware mode the page tables are not ours:
// there the heap is one allocation that never grows, and stays it when boot services are exited.

#include "py/gc.h"
#include "py/mpstate.h"
#include "boot/boot.h"
#include "gc_blocks.h"
#include "heap.h"

#define FIRST_LEN       (1024 * 1024)           // bytes
#define FIXED_LEN       (256 * 1024 * 1024)     // bytes at most, of the largest extent's half: firmware mode
#define RESERVE_LEN     (1024 * 1024)           // bytes that growing leaves free
#define LARGE_PAGES     512u                    // 4 KiB pages in a 2 MiB page
#define BLOCKS_PER_PAGE (PAGE_SIZE / BLOCK_LEN)
#define EXTENTS_MAX     128

// A range of virtual addresses, mapped from its start on to extents of memory in that order.
typedef struct {
    uint64_t base;
    size_t pages, extent_count;
    struct { uint64_t start; size_t pages; } extents[EXTENTS_MAX];
} window_t;

gc_blocks_t gc_blocks;
static window_t pool = { 0x500000000000 }, kinds = { 0x580000000000 }, finalisers = { 0x5c0000000000 };
static bool fixed;

// ---- windows ------------------------------------------------------------------------------------------
// Pages that can be mapped with large pages: aligned as the virtual address is. 0: no such extent.
static uint64_t take_aligned(uint64_t virt, size_t count) {
    size_t spare = LARGE_PAGES - 1;
    uint64_t start = count < LARGE_PAGES ? 0 : (uint64_t)page_alloc(count + spare);
    if (start == 0) {
        return 0;
    }
    size_t skip = (virt - start) / PAGE_SIZE % LARGE_PAGES;
    page_free((void *)start, skip);
    page_free((void *)(start + (skip + count) * PAGE_SIZE), spare - skip);
    return start + skip * PAGE_SIZE;
}

static bool window_add(window_t *w, uint64_t start, size_t count) {
    size_t n = w->extent_count;
    bool joined = n > 0 && w->extents[n - 1].start + w->extents[n - 1].pages * PAGE_SIZE == start;
    if ((!joined && n == EXTENTS_MAX)
        || !map_window(w->base + w->pages * PAGE_SIZE, start, count * PAGE_SIZE, MAP_R | MAP_W)) {
        page_free((void *)start, count);
        return false;
    }
    if (joined) {
        w->extents[n - 1].pages += count;
    } else {
        w->extents[n].start = start;
        w->extents[n].pages = count;
        w->extent_count++;
    }
    w->pages += count;
    return true;
}

// Grow to that many pages, in parts where no extent is large enough. False: grown, if at all, by less.
static bool window_grow(window_t *w, size_t pages) {
    for (size_t part = pages - MIN(pages, w->pages); w->pages < pages; part = MIN(part, pages - w->pages)) {
        uint64_t virt = w->base + w->pages * PAGE_SIZE, start = take_aligned(virt, part);
        start = start != 0 ? start : (uint64_t)page_alloc(part);
        if (start == 0 ? (part /= 2) == 0 : !window_add(w, start, part)) {
            return false;
        }
    }
    return true;
}

static void window_shrink(window_t *w, size_t pages) {
    while (w->pages > pages) {
        size_t last = w->extent_count - 1, count = MIN(w->extents[last].pages, w->pages - pages);
        w->pages -= count;
        w->extents[last].pages -= count;
        map_window(w->base + w->pages * PAGE_SIZE, 0, count * PAGE_SIZE, 0);
        page_free((void *)(w->extents[last].start + w->extents[last].pages * PAGE_SIZE), count);
        w->extent_count -= w->extents[last].pages == 0;
    }
}

// ---- sizes --------------------------------------------------------------------------------------------
static size_t pages_for(size_t len) {
    return (len + PAGE_SIZE - 1) / PAGE_SIZE;
}

static size_t kinds_len(size_t blocks) {
    return blocks / BLOCKS_PER_BYTE + sizeof(uint64_t);
}

static size_t finalisers_len(size_t blocks) {
    return blocks / 8;
}

static bool table_cover(window_t *w, size_t len) {
    size_t before = w->pages;
    bool done = window_grow(w, pages_for(len));
    memset((void *)(w->base + before * PAGE_SIZE), 0, (w->pages - before) * PAGE_SIZE);
    return done;
}

// Pages that growing may take, its tables not counted.
static size_t pages_spare(void) {
    uint64_t free = fixed ? 0 : page_stats().free;
    uint64_t spare = free < RESERVE_LEN ? 0 : (free - RESERVE_LEN) / PAGE_SIZE;
    return spare - spare * 3 / (8 * BLOCK_LEN);     // three bits of tables a block
}

size_t gc_get_max_new_split(void) {
    return pages_spare() * PAGE_SIZE;
}

static bool pool_grow(size_t pages) {
    size_t blocks = (pool.pages + pages) * BLOCKS_PER_PAGE;
    if (!table_cover(&kinds, kinds_len(blocks)) || !table_cover(&finalisers, finalisers_len(blocks))) {
        return false;
    }
    bool done = window_grow(&pool, pool.pages + pages);
    gc_blocks.blocks = pool.pages * BLOCKS_PER_PAGE;
    return done;
}

// As much again if that leaves half of what is free, but no less than is needed.
bool gc_grow(size_t count) {
    size_t lacking = count - MIN(count, gc_blocks.blocks - gc_blocks.top);
    size_t needed = lacking / BLOCKS_PER_PAGE + 1, spare = pages_spare();
    if (needed > spare) {
        return false;
    }
    size_t wanted = MAX(needed, MIN(pool.pages, spare / 2));
    return pool_grow(wanted) || gc_blocks.blocks - gc_blocks.top >= count;
}

static void pool_shrink(size_t pages) {
    window_shrink(&pool, pages);
    gc_blocks.blocks = pool.pages * BLOCKS_PER_PAGE;
}

void gc_trim(void) {
    size_t pages = MAX(FIRST_LEN / PAGE_SIZE, 2 * (gc_blocks.top / BLOCKS_PER_PAGE + 1));
    if (!fixed && gc_blocks.top < gc_blocks.blocks / 4 && pages < pool.pages) {
        pool_shrink(pages);
    }
}

// ---- a heap begins ---------------------------------------------------------------------------------------
static bool begin_windows(void) {
    gc_blocks.pool = (uint8_t *)pool.base;
    gc_blocks.kinds = (uint8_t *)kinds.base;
    gc_blocks.finalisers = (uint8_t *)finalisers.base;
    return pool_grow(FIRST_LEN / PAGE_SIZE);
}

static bool begin_fixed(void) {
    size_t len = MIN(page_stats().largest / 2, FIXED_LEN), blocks = len / PAGE_SIZE * BLOCKS_PER_PAGE;
    size_t kinds_pages = pages_for(kinds_len(blocks)), tables = kinds_pages + pages_for(finalisers_len(blocks));
    uint8_t *start = page_alloc(tables + blocks / BLOCKS_PER_PAGE);
    if (blocks == 0 || start == NULL) {
        return false;
    }
    fixed = true;
    gc_blocks = (gc_blocks_t) { start + tables * PAGE_SIZE, start, start + kinds_pages * PAGE_SIZE, blocks, 0 };
    return true;
}

bool heap_init(void) {
    if (gc_blocks.pool == NULL) {
        if (!(boot_services_alive() ? begin_fixed() : begin_windows())) {
            return false;
        }
    } else if (!fixed) {
        pool_shrink(FIRST_LEN / PAGE_SIZE);
        window_shrink(&kinds, pages_for(kinds_len(gc_blocks.blocks)));
        window_shrink(&finalisers, pages_for(finalisers_len(gc_blocks.blocks)));
    }
    memset(gc_blocks.kinds, 0, kinds_len(gc_blocks.blocks));
    memset(gc_blocks.finalisers, 0, finalisers_len(gc_blocks.blocks));
    gc_blocks.top = 0;
    gc_search_from(0);
    MP_STATE_THREAD(gc_lock_depth) = 0;
    MP_STATE_MEM(gc_auto_collect_enabled) = 1;
    MP_STATE_MEM(gc_alloc_threshold) = SIZE_MAX;
    MP_STATE_MEM(gc_alloc_amount) = 0;
    return true;
}
