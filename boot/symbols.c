// Names of functions in the image, from the table that the second link puts in (tools/symbols.py).

#include "internal.h"

extern const uint32_t symtab_count __attribute__((weak, visibility("hidden")));
extern const uint32_t symtab_addr[] __attribute__((weak, visibility("hidden")));
extern const uint32_t symtab_name[] __attribute__((weak, visibility("hidden")));
extern const char symtab_strings[] __attribute__((weak, visibility("hidden")));

const char *symbol_lookup(uint64_t addr, uint64_t *offset) {
    uint64_t rva = addr - (uint64_t)image_start;
    if (addr < (uint64_t)text_start || addr >= (uint64_t)text_end || &symtab_count == NULL || symtab_count == 0) {
        return NULL;
    }
    uint32_t low = 0, high = symtab_count;
    while (high - low > 1) {
        uint32_t mid = (low + high) / 2;
        *(symtab_addr[mid] <= rva ? &low : &high) = mid;
    }
    if (symtab_addr[low] > rva) {
        return NULL;
    }
    *offset = rva - symtab_addr[low];
    return symtab_strings + symtab_name[low];
}
