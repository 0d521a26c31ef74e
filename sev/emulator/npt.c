// Nested page tables, and the host's own. Guest-physical addresses have 48 bits; bit 47 is the C-bit, so the upper half of the
// top-level table is the private view of memory and the lower half the shared one.
//
// A processor without paging has no C-bit and sees private memory only: the flat view.
// While the guest runs on the firmware's page tables both halves are the same, and everything is mapped. Afterwards, each page of
// RAM is mapped in the view that its RMP state allows, or in none; device registers are mapped nowhere, so that they fault.

#include "vmcb.h"

#define P 1ull
#define W 2ull
#define U 4ull
#define LARGE (1ull << 7)
#define NX (1ull << 63)
#define ADDRESS 0x000ffffffffff000ull
#define GIB (1ull << 30)
#define MIB2 (1ull << 21)

static uint64_t *identity[256];             // PDPTs of 1 GiB pages, made when needed: host tables and the open view share them
static uint64_t *host_root, *open_root, *strict_root, *flat_root;
static uint64_t *views[2];                  // page table entries of all of RAM in a row: shared, private
static uint64_t *shared_pdpt[256];          // of the strict view's lower half; the first holds RAM too
static uint64_t low_pages, total_pages;
static uint64_t *frames;                    // split memory: where each page's private content is, 0: where the page itself is
static uint64_t next_frame;

static uint64_t index_of(uint64_t gpa) {    // of a page of RAM
    return gpa < machine.setup->ram[0].end ? gpa / PAGE_SIZE : low_pages + (gpa - machine.setup->ram[1].start) / PAGE_SIZE;
}

static uint64_t *identity_pdpt(unsigned i) {
    if (identity[i] == NULL) {
        identity[i] = host_pages(1);
        for (uint64_t g = 0; g < 512; g++) {
            identity[i][g] = (i * 512 + g) * GIB | P | W | U | LARGE;
        }
    }
    return identity[i];
}

uint64_t host_identity(void) {
    host_root = host_pages(1);
    host_root[0] = (uint64_t)identity_pdpt(0) | P | W | U;
    return (uint64_t)host_root;
}

void host_reach(uint64_t pa) {
    unsigned i = pa >> 39 & 255;
    if (host_root[i] == 0) {
        host_root[i] = (uint64_t)identity_pdpt(i) | P | W | U;
    }
}

bool npt_open_fault(uint64_t gpa) {
    unsigned i = gpa >> 39 & 511;
    if (open_root[i] != 0) {
        return false;
    }
    open_root[i] = (uint64_t)identity_pdpt(i & 255) | P | W | U;
    return true;
}

// The page directories and tables of one range of RAM in both views.
static void build(range_t ram, uint64_t *pdpt[2]) {
    for (int view = 0; view < 2; view++) {
        for (uint64_t gib = ram.start & ~(GIB - 1); gib < ram.end; gib += GIB) {
            uint64_t *entry = &pdpt[view][gib / GIB];
            uint64_t *pd = *entry ? (uint64_t *)(*entry & ADDRESS) : host_pages(1);
            *entry = (uint64_t)pd | P | W | U;
            for (uint64_t at = gib > ram.start ? gib : ram.start; at < gib + GIB && at < ram.end; at += MIB2) {
                pd[at / MIB2 & 511] = (uint64_t)&views[view][index_of(at)] | P | W | U;
            }
        }
    }
}

void npt_init(void) {
    range_t *ram = machine.setup->ram;
    low_pages = (ram[0].end + MIB2 - 1) / MIB2 * 512;
    total_pages = low_pages + (ram[1].end - ram[1].start + MIB2 - 1) / MIB2 * 512;
    for (int view = 0; view < 2; view++) {
        views[view] = host_pages(total_pages / 512);
    }
    frames = host_pages(total_pages / 512);
    open_root = host_pages(1);
    strict_root = host_pages(1);
    uint64_t *pdpt[2] = { shared_pdpt[0] = host_pages(1), host_pages(1) };
    strict_root[0] = (uint64_t)pdpt[0] | P | W | U;
    strict_root[256] = (uint64_t)pdpt[1] | P | W | U;
    flat_root = host_pages(1);
    flat_root[0] = strict_root[256];
    build((range_t) { 0, ram[0].end }, pdpt);
    build(ram[1], pdpt);
}

uint64_t npt_root(const vcpu_t *v) {
    return (uint64_t)(v->flat ? flat_root : machine.strict || machine.split ? strict_root : open_root);
}

// ---- split memory: private content lies elsewhere, so that a device never meets it ----------------------------------------
uint64_t npt_private(uint64_t gpa) {
    uint64_t page = gpa & ~PAGE_MASK;
    return machine.split && frames[index_of(page)] != 0 ? frames[index_of(page)] : page;
}

void npt_split(void) {
    if (machine.split) {
        return;
    }
    machine.split = machine.setup->split.end > machine.setup->split.start;
    next_frame = machine.setup->split.start;
}

// The first private use of a page since memory was split takes a frame, and what the page holds.
static uint64_t take_frame(uint64_t i, uint64_t gpa) {
    if (frames[i] == 0) {
        if (next_frame == machine.setup->split.end) {
            guest_end(&machine.vcpus[0], "there are only %lu bytes of split memory", next_frame - machine.setup->split.start);
        }
        frames[i] = next_frame;
        next_frame += PAGE_SIZE;
        __builtin_memcpy((void *)frames[i], (void *)gpa, PAGE_SIZE);
    }
    return frames[i];
}

static uint64_t private_place(uint64_t i, uint64_t gpa) {
    return machine.split ? take_frame(i, gpa) : gpa;
}

// A nested fault at a page that the guest has validated. lend: in the shared view too, for the firmware's page tables.
void npt_private_fault(uint64_t gpa, bool lend) {
    uint64_t i = index_of(gpa), where = private_place(i, gpa);
    views[1][i] = where | P | W | U;
    if (lend) {
        views[0][i] = where | P | W | U;
    }
}

void npt_page(uint64_t gpa, int state) {
    uint64_t i = index_of(gpa), where = machine.split ? frames[i] : gpa;
    bool there = !machine.split || where != 0;      // otherwise its first use faults
    views[0][i] = state == RMP_SHARED ? gpa | P | W | U | NX : 0;
    views[1][i] = !there ? 0 : state == RMP_VALIDATED ? where | P | W | U : state == RMP_VMSA ? where | P | U : 0;  // a VMSA can be read
}

// A page that is fetched from, or that holds page tables, is private whatever the C-bit says: APM volume 2, 15.34.5.
void npt_implied(uint64_t gpa, bool writable) {
    uint64_t i = index_of(gpa);
    views[0][i] = private_place(i, gpa) | P | U | (writable ? W | NX : 0);
    npt_flush();
}

void npt_flush(void) {
    for (unsigned i = 0; i < machine.vcpu_count; i++) {
        machine.vcpus[i].flush = true;
    }
}

// Device registers: 1 GiB at a time, or 2 MiB where RAM has part of the GiB.
void npt_mmio_open(uint64_t gpa) {
    unsigned top = gpa >> 39;
    if (shared_pdpt[top] == NULL) {
        shared_pdpt[top] = host_pages(1);
        strict_root[top] = (uint64_t)shared_pdpt[top] | P | W | U;
    }
    uint64_t *entry = &shared_pdpt[top][gpa / GIB & 511];
    if ((*entry & (P | LARGE)) == P) {
        entry = &((uint64_t *)(*entry & ADDRESS))[gpa / MIB2 & 511];
        *entry = (gpa & ~(MIB2 - 1)) | P | W | U | LARGE | NX;
    } else {
        *entry = (gpa & ~(GIB - 1)) | P | W | U | LARGE | NX;
    }
}

static void close_table(uint64_t *table, int level) {
    for (int i = 0; i < 512; i++) {
        if (table[i] & LARGE) {
            table[i] = 0;
        } else if (table[i] != 0 && level > 1) {
            close_table((uint64_t *)(table[i] & ADDRESS), level - 1);
        }
    }
}

void npt_mmio_close(void) {
    for (int top = 0; top < 256; top++) {
        if (shared_pdpt[top] != NULL) {
            close_table(shared_pdpt[top], 2);
        }
    }
    npt_flush();
}
