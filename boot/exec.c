// Memory for native code made at run time: executable where it is called, writable only through an alias.
// Chunks live until exec_reset(), as the interpreter's native functions do.

#include "internal.h"

#define CHUNK_PAGES 16
#define CHUNKS_MAX 1024
#define ALIAS 0x600000000000ull             // PML4 slot 192: physical address + ALIAS is the writable view

static struct { uint8_t *base; size_t pages; } chunks[CHUNKS_MAX];
static size_t chunk_count;
static size_t used;                         // bytes of the newest chunk

static uint8_t *chunk_alloc(size_t pages) {
    if (BS == NULL) {
        return page_alloc(pages);
    }
    EFI_PHYSICAL_ADDRESS addr = 0;          // firmware mode: the firmware decides what LoaderCode may do
    EFI_STATUS s = BS->AllocatePages(AllocateAnyPages, EfiLoaderCode, pages, &addr);
    return s == EFI_SUCCESS ? (uint8_t *)addr : NULL;
}

static bool protect(uint8_t *base, size_t pages) {
    return map_window((uint64_t)base + ALIAS, (uint64_t)base, pages * PAGE_SIZE, MAP_R | MAP_W)
        && map_range((uint64_t)base, pages * PAGE_SIZE, MAP_R | MAP_X);
}

static bool chunk_add(size_t pages) {
    if (chunk_count == CHUNKS_MAX) {
        return false;
    }
    uint8_t *base = chunk_alloc(pages);
    if (base == NULL) {
        return false;
    }
    __builtin_memset(base, 0, pages * PAGE_SIZE);
    if (BS == NULL && !protect(base, pages)) {
        map_range((uint64_t)base, pages * PAGE_SIZE, MAP_R | MAP_W);
        page_free(base, pages);
        return false;
    }
    chunks[chunk_count].base = base;
    chunks[chunk_count++].pages = pages;
    used = 0;
    return true;
}

void *exec_alloc(size_t len) {
    len = (len + 15) & ~(size_t)15;
    if (chunk_count == 0 || used + len > chunks[chunk_count - 1].pages * PAGE_SIZE) {
        size_t pages = (len + PAGE_SIZE - 1) / PAGE_SIZE;
        if (!chunk_add(pages < CHUNK_PAGES ? CHUNK_PAGES : pages)) {
            return NULL;
        }
    }
    void *p = chunks[chunk_count - 1].base + used;
    used += len;
    return p;
}

void exec_write(void *dst, const void *src, size_t len) {
    __builtin_memcpy((uint8_t *)dst + (BS == NULL ? ALIAS : 0), src, len);
}

bool exec_holds(uint64_t addr) {
    for (size_t i = 0; i < chunk_count; i++) {
        if (addr - (uint64_t)chunks[i].base < chunks[i].pages * PAGE_SIZE) {
            return true;
        }
    }
    return false;
}

void exec_reset(void) {
    while (chunk_count > 0) {
        chunk_count--;
        uint8_t *base = chunks[chunk_count].base;
        size_t pages = chunks[chunk_count].pages;
        if (BS == NULL) {
            map_range((uint64_t)base, pages * PAGE_SIZE, MAP_R | MAP_W);
            map_window((uint64_t)base + ALIAS, (uint64_t)base, pages * PAGE_SIZE, 0);
        }
        page_free(base, pages);
    }
    used = 0;
}

void exec_adopt(void) {
    for (size_t i = 0; i < chunk_count; i++) {
        protect(chunks[i].base, chunks[i].pages);
    }
}
