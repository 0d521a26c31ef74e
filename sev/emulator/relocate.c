// A second copy of the image, in memory that no guest gets: the firmware loads an application into memory that it gives away.

#include "firmware.h"

extern char image_start[], image_end[];
typedef struct { uint64_t offset, info; int64_t addend; } rela_t;
extern const rela_t rela_start[], rela_end[];

uint64_t image_pages(void) {
    return (image_end - image_start + PAGE_SIZE - 1) / PAGE_SIZE;
}

machine_init_t image_stay(uint64_t end, machine_init_t function) {
    char *copy = (char *)(end - image_pages() * PAGE_SIZE);
    __builtin_memcpy(copy, image_start, image_end - image_start);
    int64_t delta = copy - image_start;
    for (const rela_t *r = rela_start; r < rela_end; r++) {     // all of them R_X86_64_RELATIVE: tools/elf2efi.py takes no other
        *(uint64_t *)(copy + r->offset) += delta;
    }
    return (machine_init_t)((char *)function + delta);
}
