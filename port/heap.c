// The garbage-collected heap: where its areas come from and when it grows.
//
// It starts with one area and takes more from the page allocator, each as large as all before it.
// MicroPython itself grows only when an allocation fails right after a collection, which leaves a
// nearly full heap collecting over and over; gc_collect() therefore grows it while little is free.
// An area that a collection leaves empty goes back to the page allocator.

#include <string.h>

#include "py/gc.h"
#include "py/mpstate.h"
#include "shared/runtime/gchelper.h"
#include "boot/boot.h"
#include "heap.h"

#define FIRST_AREA_LEN  (1024 * 1024)   // bytes
#define RESERVE_LEN     (512 * 1024)    // bytes left to the page allocator: files, DMA, page tables

// What py/gc.c keeps to itself: two bits for each block of the heap.
#define BLOCKS_PER_BYTE 4
#define KIND_FREE 0u
#define KIND_TAIL 2u
#define KIND_MARK 3u

// In front of every area but the first: MP_PLAT_FREE_HEAP is not told the length. Keeps alignment.
typedef struct { size_t pages, unused[3]; } area_head_t;

static size_t pages_for(size_t len) {
    return (len + PAGE_SIZE - 1) / PAGE_SIZE;
}

bool heap_init(void) {
    static char *first;
    if (first == NULL) {
        first = page_alloc(FIRST_AREA_LEN / PAGE_SIZE);
        if (first == NULL) {
            return false;
        }
    }
    gc_init(first, first + FIRST_AREA_LEN);
    return true;
}

void *heap_area_alloc(size_t len) {
    size_t pages = pages_for(len + sizeof(area_head_t));
    area_head_t *head = page_alloc(pages);
    if (head == NULL) {
        return NULL;
    }
    head->pages = pages;
    return head + 1;
}

void heap_area_free(void *area) {
    area_head_t *head = (area_head_t *)area - 1;
    page_free(head, head->pages);
}

// The largest area that could be added, in bytes.
size_t gc_get_max_new_split(void) {
    page_stats_t stats = page_stats();
    size_t keep = RESERVE_LEN + sizeof(area_head_t);
    size_t room = stats.free < keep ? 0 : stats.free - keep;
    return stats.largest < sizeof(area_head_t) ? 0 : MIN(room, stats.largest - sizeof(area_head_t));
}

// The processor's own instruction for it is not baseline x86-64.
static size_t count_ones(uint64_t v) {
    v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);     // v has no two ones in a pair
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return v * 0x0101010101010101u >> 56;
}

// Blocks in use among the first count of an area, from its allocation table.
static size_t blocks_used(const mp_state_mem_area_t *area, size_t count) {
    size_t used = 0;
    for (size_t i = 0; i * BLOCKS_PER_BYTE < count; i += sizeof(uint64_t)) {
        uint64_t kinds = 0;
        size_t left = area->gc_alloc_table_byte_len - i;
        memcpy(&kinds, area->gc_alloc_table_start + i, MIN(left, sizeof(kinds)));
        used += count_ones((kinds | kinds >> 1) & 0x5555555555555555u);
    }
    return used;
}

// Make the heap as large again if more than half of it is still in use.
static void grow_if_tight(void) {
    size_t total = 0, used = 0;
    for (mp_state_mem_area_t *area = &MP_STATE_MEM(area); area != NULL; area = area->next) {
        total += area->gc_pool_end - area->gc_pool_start;
        used += blocks_used(area, area->gc_last_used_block + 1) * MICROPY_BYTES_PER_GC_BLOCK;
    }
    if (used < total / 2) {
        return;
    }
    size_t len = MIN(total, gc_get_max_new_split()) & ~(size_t)(PAGE_SIZE - 1);
    void *area = len < FIRST_AREA_LEN / 4 ? NULL : heap_area_alloc(len);
    if (area != NULL) {
        gc_add(area, (char *)area + len);
    }
}

// gc.c takes an area whose last used block is number 0 for an empty one, and frees it with what is
// in that block. Where block 0 is in use and ends there, keep block 1 as well.
static void protect_first_blocks(void) {
    for (mp_state_mem_area_t *area = MP_STATE_MEM(area).next; area != NULL; area = area->next) {
        uint8_t *kinds = area->gc_alloc_table_start;
        if ((*kinds & 3u) != KIND_FREE && (*kinds >> 2 & 3u) != KIND_TAIL) {
            *kinds |= KIND_MARK << 2;
            area->gc_last_used_block = MAX(area->gc_last_used_block, 1);
        }
    }
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    protect_first_blocks();
    gc_collect_end();
    grow_if_tight();
}
