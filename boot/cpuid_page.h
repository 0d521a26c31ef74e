// The table of CPUID answers that the secure processor has checked.
#ifndef KEELBACK_BOOT_CPUID_PAGE_H
#define KEELBACK_BOOT_CPUID_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#define CPUID_ENTRIES_MAX 64

typedef struct { uint32_t eax, ebx, ecx, edx; } cpuid_t;

typedef struct {
    uint32_t count, reserved0;
    uint64_t reserved1;
    struct {
        uint32_t leaf, subleaf;
        uint64_t xcr0, xss;
        cpuid_t out;
        uint64_t reserved;
    } entry[CPUID_ENTRIES_MAX];
} cpuid_page_t;
_Static_assert(sizeof(cpuid_page_t) == 0xc10, "SEV-SNP firmware ABI, CPUID page");

// What answers depend on beside leaf and subleaf. host: asked for the numbers of this processor, which only it knows.
typedef struct {
    uint64_t cr4, xcr0, xss;
    cpuid_t (*host)(uint32_t leaf, uint32_t subleaf);
} cpuid_env_t;

bool cpuid_page_valid(const cpuid_page_t *page);
// Answer as the instruction does. False: the table cannot, or contradicts itself.
bool cpuid_page_get(const cpuid_page_t *page, uint32_t leaf, uint32_t subleaf, const cpuid_env_t *env, cpuid_t *out);

#endif
