// An allocator for what outlives Python's heap: sizes rounded up to a power of two, one free list
// for each, filled from pages. Callers keep the length, so that nothing stands in front of a block.
// Pages that were cut up are not given back; from one page on, an allocation is its own pages.

#include <string.h>

#include "boot/boot.h"
#include "kmem.h"

#define SMALLEST_SHIFT 5                // 32 bytes
#define CLASSES 7                       // up to 2048

typedef struct free_block { struct free_block *next; } free_block_t;

static free_block_t *free_lists[CLASSES];

static int class_of(size_t len) {
    int class = 0;
    while (class < CLASSES && len > (size_t)1 << (SMALLEST_SHIFT + class)) {
        class++;
    }
    return class;
}

static size_t pages_for(size_t len) {
    return (len + PAGE_SIZE - 1) / PAGE_SIZE;
}

size_t kmem_cost(size_t len) {
    int class = class_of(len);
    return class == CLASSES ? pages_for(len) * PAGE_SIZE : (size_t)1 << (SMALLEST_SHIFT + class);
}

static void refill(int class) {
    size_t len = (size_t)1 << (SMALLEST_SHIFT + class);
    char *page = page_alloc(1);
    for (size_t at = 0; page != NULL && at < PAGE_SIZE; at += len) {
        kmem_free(page + at, len);
    }
}

void *kmem_alloc(size_t len) {
    int class = class_of(len);
    if (class == CLASSES) {
        return page_alloc(pages_for(len));
    }
    if (free_lists[class] == NULL) {
        refill(class);
    }
    free_block_t *block = free_lists[class];
    if (block != NULL) {
        free_lists[class] = block->next;
    }
    return block;
}

void kmem_free(void *p, size_t len) {
    int class = class_of(len);
    if (p == NULL) {
        return;
    }
    if (class == CLASSES) {
        page_free(p, pages_for(len));
        return;
    }
    free_block_t *block = p;
    block->next = free_lists[class];
    free_lists[class] = block;
}

void *kmem_grow(void *p, size_t len, size_t new_len) {
    void *moved = kmem_alloc(new_len);
    if (moved != NULL && p != NULL) {
        memcpy(moved, p, len);
        kmem_free(p, len);
    }
    return moved;
}
