// A machine for the collected heap's test: memory in a file, handed out by pages and mapped where asked.
//
// It checks what boot/boot.h asks of callers: nothing is freed twice, nothing outside is mapped.

#define _GNU_SOURCE
#include "boot/boot.h"                      // before mman.h, which has a macro MAP_SHARED
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "machine.h"

static uint8_t *memory, used[MACHINE_PAGES];
static int file;
bool machine_firmware, machine_full;

void check(bool condition, const char *what) {
    if (!condition) {
        printf("failed: %s\n", what);
        exit(1);
    }
}

void machine_start(void) {
    size_t len = (size_t)MACHINE_PAGES * PAGE_SIZE;
    file = memfd_create("memory", 0);
    check(file >= 0 && ftruncate(file, len) == 0, "memory for the machine");
    memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    check(memory != MAP_FAILED, "mapping the machine's memory");
    memset(memory, 0xa5, len);
    for (size_t i = 0; i < MACHINE_PAGES / 2; i += 300 + rand() % 900) {    // the lower half is fragmented
        used[i] = 1;
    }
}

size_t machine_free(void) {
    size_t count = 0;
    for (size_t i = 0; i < MACHINE_PAGES; i++) {
        count += !used[i];
    }
    return count;
}

bool boot_services_alive(void) {
    return machine_firmware;
}

page_stats_t page_stats(void) {
    size_t run = 0, largest = 0;
    for (size_t i = 0; i < MACHINE_PAGES; i++) {
        run = used[i] ? 0 : run + 1;
        largest = run > largest ? run : largest;
    }
    return (page_stats_t) { (size_t)MACHINE_PAGES * PAGE_SIZE, machine_free() * PAGE_SIZE, largest * PAGE_SIZE };
}

void *page_alloc(size_t count) {
    for (size_t i = 0, run = 0; i < MACHINE_PAGES && count > 0 && !machine_full; i++) {
        run = used[i] ? 0 : run + 1;
        if (run == count) {
            memset(used + i + 1 - count, 1, count);
            return memory + (i + 1 - count) * PAGE_SIZE;
        }
    }
    return NULL;
}

void page_free(void *addr, size_t count) {
    size_t first = ((uint8_t *)addr - memory) / PAGE_SIZE;
    for (size_t i = first; i < first + count; i++) {
        check(i < MACHINE_PAGES && used[i], "freeing what was handed out");
        used[i] = 0;
    }
    memset(addr, 0xd5, count * PAGE_SIZE);
}

bool map_window(uint64_t virt, uint64_t phys, uint64_t len, int attr) {
    if (attr == 0) {
        return munmap((void *)virt, len) == 0;
    }
    size_t offset = phys - (uint64_t)memory;
    check(offset + len <= (size_t)MACHINE_PAGES * PAGE_SIZE, "mapping the machine's memory");
    void *at = mmap((void *)virt, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, file, offset);
    return at == (void *)virt;
}
