// The firmware's memory map, and the allocator of whole pages over what it leaves free.
// Free extents form one address-sorted list whose nodes live in the free memory itself.
// Source: UEFI 2.10, 7.2 (memory types and their use after ExitBootServices, tables 7.9 and 7.10).

#include "internal.h"

#define LOW_LIMIT 0x100000ull               // real-mode memory is kept for starting processors
#define MAP_SLACK 64                        // descriptors that the map may grow by

UINTN memmap_key;
static UINTN map_len, map_room, desc_len;
static uint8_t *map_buf;

typedef struct extent { struct extent *next; uint64_t pages; } extent_t;
static extent_t *free_list;
static uint64_t pages_total, pages_free;
static uint64_t used_from = UINT64_MAX;     // where memory begins that the firmware had in use

void memmap_reserve(void) {
    UINT32 version;
    UINTN needed = 0;
    BS->GetMemoryMap(&needed, NULL, &memmap_key, &desc_len, &version);
    if (map_buf != NULL && needed + MAP_SLACK / 2 * desc_len <= map_room) {
        return;
    }
    if (map_buf != NULL) {
        BS->FreePool(map_buf);
    }
    map_room = needed + MAP_SLACK * desc_len;
    map_buf = firmware_pool(map_room);
}

static void sort(void) {                    // insertion sort: firmware maps are sorted already, as a rule
    for (UINTN i = desc_len; i < map_len; i += desc_len) {
        for (UINTN j = i; j > 0; j -= desc_len) {
            efi_memory_t *a = (efi_memory_t *)(map_buf + j - desc_len), *b = (efi_memory_t *)(map_buf + j);
            if (a->start <= b->start) {
                break;
            }
            efi_memory_t t = *a;
            *a = *b;
            *b = t;
        }
    }
}

bool memmap_load(void) {
    UINT32 version;
    map_len = map_room;
    if (map_buf == NULL || BS->GetMemoryMap(&map_len, (void *)map_buf, &memmap_key, &desc_len, &version) != EFI_SUCCESS
        || desc_len < sizeof(efi_memory_t)) {
        map_len = 0;
        return false;
    }
    sort();
    return true;
}

const efi_memory_t *memmap_get(size_t i) {
    return (i + 1) * desc_len <= map_len ? (efi_memory_t *)(map_buf + i * desc_len) : NULL;
}

static bool is_ram(uint32_t type) {
    return (type != EfiReservedMemoryType && type != EfiUnusableMemory && type < EfiMemoryMappedIO) || type == EFI_UNACCEPTED;
}

uint64_t memmap_ram(void) {
    uint64_t pages = 0;
    for (size_t i = 0; memmap_get(i) != NULL; i++) {
        pages += is_ram(memmap_get(i)->type) ? memmap_get(i)->pages : 0;
    }
    return pages * PAGE_SIZE;
}

// Put a range into the free list at its place and join it with its neighbours.
static void insert(uint64_t start, uint64_t pages) {
    extent_t **at = &free_list, *prev = NULL;
    while (*at != NULL && (uint64_t)*at < start) {
        prev = *at;
        at = &prev->next;
    }
    extent_t *e = (extent_t *)start;
    *e = (extent_t) { *at, pages };
    *at = e;
    if (e->next != NULL && start + pages * PAGE_SIZE == (uint64_t)e->next) {
        e->pages += e->next->pages;
        e->next = e->next->next;
    }
    if (prev != NULL && (uint64_t)prev + prev->pages * PAGE_SIZE == start) {
        prev->pages += e->pages;
        prev->next = e->next;
    }
    pages_free += pages;
}

// What the firmware left shared with the host, which it should not, is nobody's.
static void add_private(uint64_t start, uint64_t end) {
    while (start < end) {
        bool shared;
        uint64_t run_end = paging_run(start, end, &shared);
        if (!shared) {
            insert(start, (run_end - start) / PAGE_SIZE);
            pages_total += (run_end - start) / PAGE_SIZE;
        }
        start = run_end;
    }
}

static void add_type(uint32_t type) {
    for (size_t i = 0; memmap_get(i) != NULL; i++) {
        const efi_memory_t *d = memmap_get(i);
        uint64_t start = d->start, end = d->start + d->pages * PAGE_SIZE;
        start = start < LOW_LIMIT ? LOW_LIMIT : start;
        if (d->type == type && end > start) {
            add_private(start, end);
            used_from = type == EfiBootServicesData && start < used_from ? start : used_from;
        }
    }
}

void memmap_add_conventional(void) {
    add_type(EfiConventionalMemory);
}

void memmap_add_boot_services(void) {
    add_type(EfiBootServicesCode);
    add_type(EfiBootServicesData);
}

// ---- memory of an SEV-SNP guest that nobody has validated yet: taken from below, when everything else is given out ----------
#define ACCEPT_LEN (64ull << 20)
#define ACCEPT_ALIGN (2ull << 20)
static uint64_t accepted_to;                // end of what was taken

// The next piece that is to be taken of a descriptor, enough for count pages if it has them. -> its length, 0: nothing is left
static uint64_t next_piece(const efi_memory_t *d, size_t count, uint64_t *start) {
    uint64_t end = d->start + d->pages * PAGE_SIZE, want = count * PAGE_SIZE > ACCEPT_LEN ? count * PAGE_SIZE : ACCEPT_LEN;
    *start = d->start > accepted_to ? d->start : accepted_to;
    if (d->type != EFI_UNACCEPTED || *start >= end) {
        return 0;
    }
    uint64_t stop = (*start + want + ACCEPT_ALIGN - 1) & ~(ACCEPT_ALIGN - 1);
    return (stop < end ? stop : end) - *start;
}

static bool accept_more(size_t count) {
    static bool accepting;                  // page tables are wanted for it: of memory that is there already
    for (size_t i = 0; !accepting && ghcb_live && memmap_get(i) != NULL; i++) {
        uint64_t start, len = next_piece(memmap_get(i), count, &start);
        if (len == 0) {
            continue;
        }
        accepting = true;
        bool ok = page_accept(start, len);
        accepting = false;
        accepted_to = start + len;
        if (ok) {
            insert(start, len / PAGE_SIZE);
            pages_total += len / PAGE_SIZE;
            return true;
        }
    }
    return false;
}

static void add_unaccepted(page_stats_t *s) {
    for (size_t i = 0; memmap_get(i) != NULL; i++) {
        const efi_memory_t *d = memmap_get(i);
        uint64_t end = d->start + d->pages * PAGE_SIZE, start = d->start > accepted_to ? d->start : accepted_to;
        if (d->type == EFI_UNACCEPTED && end > start) {
            s->total += end - start;
            s->free += end - start;
            s->largest = end - start > s->largest ? end - start : s->largest;
        }
    }
}

static void *firmware_alloc(size_t count) {
    EFI_PHYSICAL_ADDRESS addr = 0;
    if (BS->AllocatePages(AllocateAnyPages, EfiLoaderData, count, &addr) != EFI_SUCCESS) {
        return NULL;
    }
    return (void *)addr;
}

// First fit from an address up; the front of the extent is given, so that its node moves up.
static void *first_fit(size_t count, uint64_t from) {
    for (extent_t **at = &free_list; *at != NULL; at = &(*at)->next) {
        extent_t *e = *at;
        if (e->pages < count || (uint64_t)e < from) {
            continue;
        }
        extent_t *rest = e->next;
        if (e->pages > count) {
            rest = (extent_t *)((uint8_t *)e + count * PAGE_SIZE);
            *rest = (extent_t) { e->next, e->pages - count };
        }
        *at = rest;
        pages_free -= count;
        return e;
    }
    return NULL;
}

// What the firmware has used comes first: a hypervisor has that memory at hand, and gives other pages when they are first
// touched, 2 MiB at a time and within 3.5 ms (measured: QEMU, transparent huge pages).
void *page_alloc(size_t count) {
    if (count == 0) {
        return NULL;
    }
    if (BS != NULL) {
        return firmware_alloc(count);
    }
    void *run = first_fit(count, used_from);
    while (run == NULL) {
        run = first_fit(count, 0);
        if (run == NULL && !accept_more(count)) {
            break;
        }
    }
    return run;
}

void *page_alloc_zero(size_t count) {
    void *p = page_alloc(count);
    return p == NULL ? NULL : __builtin_memset(p, 0, count * PAGE_SIZE);
}

void page_free(void *addr, size_t count) {
    if (BS != NULL) {
        BS->FreePages((EFI_PHYSICAL_ADDRESS)addr, count);
    } else if (addr != NULL && count != 0) {
        insert((uint64_t)addr, count);
    }
}

// In firmware mode the memory belongs to the firmware: the numbers come from its map.
static page_stats_t firmware_stats(void) {
    page_stats_t s = { 0 };
    memmap_reserve();
    memmap_load();
    for (size_t i = 0; memmap_get(i) != NULL; i++) {
        const efi_memory_t *d = memmap_get(i);
        s.total += is_ram(d->type) ? d->pages * PAGE_SIZE : 0;
        if (d->type == EfiConventionalMemory) {
            s.free += d->pages * PAGE_SIZE;
            s.largest = d->pages * PAGE_SIZE > s.largest ? d->pages * PAGE_SIZE : s.largest;
        }
    }
    return s;
}

page_stats_t page_stats(void) {
    if (BS != NULL) {
        return firmware_stats();
    }
    page_stats_t s = { pages_total * PAGE_SIZE, pages_free * PAGE_SIZE, 0 };
    for (extent_t *e = free_list; e != NULL; e = e->next) {
        s.largest = e->pages * PAGE_SIZE > s.largest ? e->pages * PAGE_SIZE : s.largest;
    }
    if (ghcb_live) {
        add_unaccepted(&s);
    }
    return s;
}
