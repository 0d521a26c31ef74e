// Our page tables: identity map of the memory map with W^X, page 0 and the guard pages left out.
// Large pages where nothing finer is needed; entries are split on demand, so any range can be remapped later.
// In an SEV-SNP guest the C-bit, part of the address in an entry, is set for what is private: RAM and the tables themselves.
// Source: AMD64 Architecture Programmer's Manual, volume 2, 5.3 (long-mode translation), 5.6 (protection), 15.34.5 (C-bit).

#include "internal.h"
#include "io.h"
#include "paging.h"

#define MEMORY_WB 8ull
#define MEMORY_XP 0x4000ull                 // of the memory attributes table
#define MEMORY_RO 0x20000ull

#define EFER 0xc0000080u
#define EFER_NXE (1ull << 11)
#define CR0_WP (1ull << 16)
#define CR4_PGE (1ull << 7)

#define PCI_HOLE_END 0x100000000ull         // device registers lie between the top of low RAM and 4 GiB
#define POOL_PAGES 24                       // tables before the allocator may touch boot services memory

static uint8_t pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));
static unsigned pool_used;
static uint64_t *root;                      // our PML4; NULL while the firmware's tables are in force
static bool huge_pages;                     // 1 GiB pages

static uint64_t *new_table(void) {
    return pool_used < POOL_PAGES ? (uint64_t *)pool[pool_used++] : page_alloc_zero(1);
}

static uint64_t leaf_bits(int attr) {
    if (!(attr & MAP_R)) {
        return 0;
    }
    return P_PRESENT | (attr & MAP_W ? P_WRITE : 0) | (attr & MAP_X ? 0 : P_NX) | (attr & MAP_UC ? P_PCD | P_PWT : 0)
        | (attr & (MAP_UC | MAP_SHARED) ? 0 : c_mask);
}

// The table that entry e of the given level points to, made or split where needed.
static uint64_t *descend(uint64_t *e, int level) {
    if ((*e & P_PRESENT) && !(*e & P_LARGE)) {
        return (uint64_t *)(*e & P_ADDR);
    }
    uint64_t *t = new_table();
    if (t == NULL) {
        return NULL;
    }
    if (*e & P_PRESENT) {
        uint64_t step = 1ull << (12 + 9 * (level - 1));
        uint64_t bits = *e & ~(P_ADDR | P_LARGE), base = *e & P_ADDR;
        for (unsigned i = 0; i < 512; i++) {
            t[i] = (base + i * step) | bits | (level > 1 ? P_LARGE : 0);
        }
    }
    *e = (uint64_t)t | P_PRESENT | P_WRITE | c_mask;
    return t;
}

static bool fits(uint64_t virt, uint64_t phys, uint64_t len, int level) {
    uint64_t size = 1ull << (12 + 9 * level);
    return (level == 1 || (level == 2 && huge_pages)) && ((virt | phys) & (size - 1)) == 0 && len >= size;
}

// The pages from entry e on as far as its table goes: most of what is mapped comes in small pages, one behind the other.
static uint64_t map_small(uint64_t *e, uint64_t virt, uint64_t phys, uint64_t len, uint64_t bits) {
    unsigned room = 512 - index_at(virt, 0);
    unsigned n = len / PAGE_SIZE < room ? len / PAGE_SIZE : room;
    for (unsigned i = 0; i < n; i++) {
        e[i] = bits == 0 ? 0 : (phys + i * PAGE_SIZE) | bits;
        invlpg(virt + i * PAGE_SIZE);
    }
    return (uint64_t)n * PAGE_SIZE;
}

// Map pages of the largest size that fits; returns the bytes mapped, or 0 if a table could not be had.
static uint64_t map_some(uint64_t virt, uint64_t phys, uint64_t len, uint64_t bits) {
    uint64_t *t = root;
    for (int level = 3;; level--) {
        uint64_t *e = &t[index_at(virt, level)];
        if (level == 0) {
            return map_small(e, virt, phys, len, bits);
        }
        bool table_below = (*e & P_PRESENT) && !(*e & P_LARGE);
        if (fits(virt, phys, len, level) && !table_below) {
            *e = bits == 0 ? 0 : phys | bits | P_LARGE;
            invlpg(virt);
            return 1ull << (12 + 9 * level);
        }
        t = descend(e, level);
        if (t == NULL) {
            return 0;
        }
    }
}

static bool map_alias(uint64_t virt, uint64_t phys, uint64_t len, int attr) {
    len = (len + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    while (len > 0) {
        uint64_t done = map_some(virt, phys, len, leaf_bits(attr));
        if (done == 0) {
            return false;
        }
        virt += done;
        phys += done;
        len -= done;
    }
    return true;
}

bool map_range(uint64_t addr, uint64_t len, int attr) {
    return root != NULL && map_alias(addr, addr, len, attr);
}

bool map_window(uint64_t virt, uint64_t phys, uint64_t len, int attr) {
    return root != NULL && map_alias(virt, phys, len, attr);
}

static int attr_of_type(const efi_memory_t *d) {
    switch (d->type) {
        case EfiRuntimeServicesCode:
            return MAP_R | MAP_W | MAP_X;   // image sections share it, unless the attributes table says more
        case EfiMemoryMappedIO:
        case EfiMemoryMappedIOPortSpace:
            return MAP_R | MAP_W | MAP_UC;
        case EfiUnusableMemory:
        case EFI_UNACCEPTED:
            return 0;
        case EfiReservedMemoryType:         // RAM that the firmware keeps, or where a device's registers are
            return MAP_R | MAP_W | (d->attr & MEMORY_WB ? 0 : MAP_UC);
        default:
            return MAP_R | MAP_W;
    }
}

// EFI_MEMORY_ATTRIBUTES_TABLE: per-section protection of runtime images. UEFI 2.10, 4.6.4.
static void map_runtime_sections(void) {
    static const EFI_GUID guid = { 0xdcfa911d, 0x26eb, 0x469f, { 0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20 } };
    for (UINTN i = 0; i < ST->NumberOfTableEntries; i++) {
        EFI_CONFIGURATION_TABLE *c = &ST->ConfigurationTable[i];
        if (__builtin_memcmp(&c->VendorGuid, &guid, sizeof(guid)) != 0 || !map_check((uint64_t)c->VendorTable, 16, MAP_R)) {
            continue;
        }
        const uint32_t *t = c->VendorTable;     // version, number of entries, descriptor size, flags
        uint64_t n = t[1], step = t[2];
        if (n > 4096 || step < sizeof(efi_memory_t) || step > 256 || !map_check((uint64_t)t, 16 + n * step, MAP_R)) {
            return;
        }
        for (uint64_t k = 0; k < n; k++) {
            const efi_memory_t *d = (const efi_memory_t *)((const uint8_t *)t + 16 + k * step);
            bool read_only = d->attr & MEMORY_RO, no_exec = d->attr & MEMORY_XP;
            map_range(d->start, d->pages * PAGE_SIZE, MAP_R | (read_only ? 0 : MAP_W) | (no_exec ? 0 : MAP_X));
        }
    }
}

static void map_memory(void) {
    uint64_t low_top = 0;
    for (size_t i = 0; memmap_get(i) != NULL; i++) {
        const efi_memory_t *d = memmap_get(i);
        uint64_t end = d->start + d->pages * PAGE_SIZE;
        bool ram = d->type != EfiReservedMemoryType && d->type < EfiMemoryMappedIO;
        low_top = ram && end <= PCI_HOLE_END && end > low_top ? end : low_top;
    }
    map_range(low_top, PCI_HOLE_END - low_top, MAP_R | MAP_W | MAP_UC);
    // Neighbours of the same kind are mapped in one go, so that large pages fit; smaller kinds follow and split them.
    uint64_t start = 0, end = 0;
    int attr = 0;
    for (size_t i = 0;; i++) {
        const efi_memory_t *d = memmap_get(i);
        if (d != NULL && d->start == end && attr_of_type(d) == attr) {
            end += d->pages * PAGE_SIZE;
            continue;
        }
        if (attr != 0) {
            map_range(start, end - start, attr);
        }
        if (d == NULL) {
            break;
        }
        start = d->start;
        end = start + d->pages * PAGE_SIZE;
        attr = attr_of_type(d);
    }
}

// Do the tables in force know of the C-bit? An emulator's firmware does not; nothing in them is shared then.
static bool c_bit_in_use(void) {
    uint64_t e;
    return c_mask != 0 && map_leaf((uint64_t)image_start, &e) != 0 && (e & c_mask) != 0;
}

static uint64_t page_shared(uint64_t addr, bool *shared) {
    uint64_t e = 0, size = map_leaf(addr, &e);
    *shared = size != 0 && !(e & c_mask);
    return size == 0 ? PAGE_SIZE : size;
}

uint64_t paging_run(uint64_t start, uint64_t end, bool *shared) {
    *shared = false;
    if (!c_bit_in_use()) {
        return end;
    }
    uint64_t size = page_shared(start, shared);
    for (bool same = *shared; start < end && same == *shared; size = page_shared(start, &same)) {
        start = (start & ~(size - 1)) + size;
    }
    return start < end ? start : end;
}

// What the firmware shares with the host stays so: the pages that its processors speak through, at the least.
static void map_shared(void) {
    for (size_t i = 0; c_mask != 0 && memmap_get(i) != NULL; i++) {
        const efi_memory_t *d = memmap_get(i);
        uint64_t start = d->start, end = start + d->pages * PAGE_SIZE;
        while (start < end && attr_of_type(d) != 0 && !(attr_of_type(d) & MAP_UC)) {
            bool shared;
            uint64_t run_end = paging_run(start, end, &shared);
            if (shared) {
                map_range(start, run_end - start, MAP_R | MAP_W | MAP_SHARED);
            }
            start = run_end;
        }
    }
    if (c_mask != 0) {
        map_range(rdmsr(MSR_GHCB) & ~(uint64_t)(PAGE_SIZE - 1), PAGE_SIZE, MAP_R | MAP_W | MAP_SHARED);
    }
}

static void map_image(void) {
    map_range((uint64_t)image_start, PAGE_SIZE, MAP_R);
    map_range((uint64_t)text_start, text_end - text_start, MAP_R | MAP_X);
    map_range((uint64_t)rodata_start, rodata_end - rodata_start, MAP_R);
    map_range((uint64_t)data_start, image_end - data_start, MAP_R | MAP_W);
}

void paging_unmap(uint64_t addr) {
    map_range(addr, PAGE_SIZE, 0);
}

void paging_init(void) {
    huge_pages = c_mask == 0 && (cpuid(0x80000001, 0).edx >> 26 & 1);      // pages change their state 2 MiB at a time
    root = new_table();
    map_memory();
    map_runtime_sections();
    map_shared();
    map_image();
    paging_unmap(0);
    paging_unmap((uint64_t)main_stack);
    wrmsr(EFER, rdmsr(EFER) | EFER_NXE);    // may trap, so while the firmware's tables are in force; what follows does not
    write_cr4(read_cr4() & ~CR4_PGE);       // the firmware's global entries go
    write_cr3((uint64_t)root | c_mask);
    write_cr0(read_cr0() | CR0_WP);
}
