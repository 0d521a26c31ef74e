// Bits of page-table entries. Source: AMD64 Architecture Programmer's Manual, volume 2, 5.3 and 5.4.
#ifndef KEELBACK_PAGING_H
#define KEELBACK_PAGING_H

#include "internal.h"

#define P_PRESENT 1ull
#define P_WRITE 2ull
#define P_PWT 8ull
#define P_PCD 16ull
#define P_LARGE 128ull                      // in a page-directory or directory-pointer entry
#define P_NX (1ull << 63)
#define P_ADDR (0x000ffffffffff000ull & ~c_mask)

static inline unsigned index_at(uint64_t addr, int level) {        // level 3: PML4 … 0: page table
    return addr >> (12 + 9 * level) & 511;
}

#endif
