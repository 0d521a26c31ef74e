// Memory of the made-up machine that faults where its pages are not to be touched. By itself: <sys/mman.h> has names that boot/ has too.

#include <stdlib.h>
#include <sys/mman.h>
#include "memory.h"

uint8_t *memory_make(size_t len, size_t align) {
    uint8_t *all = mmap(NULL, len + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return (uint8_t *)(((uintptr_t)all + align - 1) & ~(uintptr_t)(align - 1));
}

void memory_clear(uint8_t *at, size_t len) {
    if (madvise(at, len, MADV_DONTNEED) != 0) {
        abort();
    }
}

void memory_allow(uint8_t *at, size_t len, bool read, bool write) {
    if (mprotect(at, len, (read ? PROT_READ : PROT_NONE) | (write ? PROT_WRITE : 0)) != 0) {
        abort();
    }
}
