// Looking addresses up in the page tables in force, ours or the firmware's.
// The #VC handler does so too: general registers only.
// Source: AMD64 Architecture Programmer's Manual, volume 2, 5.3 (long-mode translation).

#include "cpu.h"
#include "paging.h"

// Walk the tables in force, ours or the firmware's. -> bytes of the page that holds addr, 0: none; its entry, where every level
// has taken away what it does not allow.
uint64_t map_leaf(uint64_t addr, uint64_t *entry) {
    uint64_t *t = (uint64_t *)(read_cr3() & P_ADDR);
    uint64_t write = P_WRITE, no_exec = 0;
    int64_t sign = (int64_t)addr >> 47;
    for (int level = 3; level >= 0 && (sign == 0 || sign == -1); level--) {
        uint64_t e = t[index_at(addr, level)];
        if (!(e & P_PRESENT)) {
            return 0;
        }
        write &= e;
        no_exec |= e & P_NX;
        if (level == 0 || (e & P_LARGE)) {
            *entry = (e & ~P_WRITE) | write | no_exec;
            return 1ull << (12 + 9 * level);
        }
        t = (uint64_t *)(e & P_ADDR);
    }
    return 0;
}

uint64_t map_physical(uint64_t entry, uint64_t size, uint64_t addr) {
    return (entry & P_ADDR & ~(size - 1)) | (addr & (size - 1));
}

int map_attr(uint64_t addr) {
    uint64_t e;
    if (map_leaf(addr, &e) == 0) {
        return -1;
    }
    return MAP_R | (e & P_WRITE ? MAP_W : 0) | (e & P_NX ? 0 : MAP_X) | (e & P_PCD ? MAP_UC : 0) | (e & c_mask || c_mask == 0 ? 0 : MAP_SHARED);
}

bool map_check(uint64_t addr, uint64_t len, int attr) {
    uint64_t last = addr + len - 1;
    if (len == 0 || last < addr) {
        return len == 0;
    }
    for (uint64_t page = addr & ~(uint64_t)(PAGE_SIZE - 1);; page += PAGE_SIZE) {
        int have = map_attr(page);
        if (have < 0 || (have & attr) != attr) {
            return false;
        }
        if (last - page < PAGE_SIZE) {
            return true;
        }
    }
}
