// CPUID from the table that the secure processor has checked against what the processor can do, instead of from the host.
// Source: SEV-SNP firmware ABI (AMD 56860), CPUID page; AMD64 APM volume 3, appendix E (leaves; E.3.6: 7, E.4: D).
// The host still tells what only it knows: the APIC ids of this processor. Nothing here looks at the machine.

#include <stddef.h>
#include "cpuid_page.h"

#define OSXSAVE (1u << 27)                  // leaf 1, ECX
#define APIC_ON (1u << 9)                   // leaf 1, EDX
#define OSPKE (1u << 4)                     // leaf 7, ECX
#define XSAVEC (1u << 1)                    // leaf D/1, EAX
#define XSAVES (1u << 3)
#define CR4_OSXSAVE (1u << 18)
#define CR4_PKE (1u << 22)
#define XSAVE_LEGACY_LEN 0x240u             // x87 and SSE state with the header

bool cpuid_page_valid(const cpuid_page_t *page) {
    return page->count >= 1 && page->count <= CPUID_ENTRIES_MAX;
}

static bool indexed(uint32_t leaf) {
    switch (leaf) {
        case 4: case 7: case 0xb: case 0xd: case 0xf: case 0x10: case 0x12: case 0x14: case 0x17: case 0x18: case 0x1d: case 0x1e:
        case 0x1f: case 0x8000001d: case 0x80000020: case 0x80000026:
            return true;
        default:
            return false;
    }
}

static const cpuid_t *find(const cpuid_page_t *page, uint32_t leaf, uint32_t subleaf) {
    for (uint32_t i = 0; i < page->count && i < CPUID_ENTRIES_MAX; i++) {
        if (page->entry[i].leaf != leaf || (indexed(leaf) && page->entry[i].subleaf != subleaf)) {
            continue;
        }
        // The sizes of leaf D depend on XCR0 and XSS: they are computed here, from the entry of the smallest state.
        if (leaf == 0xd && subleaf < 2 && ((page->entry[i].xcr0 != 1 && page->entry[i].xcr0 != 3) || page->entry[i].xss != 0)) {
            continue;
        }
        return &page->entry[i].out;
    }
    return NULL;
}

// Is the leaf below the maximum that the first leaf of its range tells?
static bool in_range(const cpuid_page_t *page, uint32_t leaf) {
    const cpuid_t *first = find(page, leaf & 0xffff0000, 0);
    return first != NULL && leaf <= first->eax;
}

// EBX of D/0 and D/1: bytes of the state components that are on, at their own offsets or one behind the other.
static bool state_size(const cpuid_page_t *page, uint64_t features, bool compacted, uint32_t *size) {
    *size = XSAVE_LEGACY_LEN;
    for (uint32_t i = 2; i < 64; i++) {
        if (!(features >> i & 1)) {
            continue;
        }
        const cpuid_t *part = find(page, 0xd, i);
        if (part == NULL) {
            return false;
        }
        uint32_t end = compacted ? *size + part->eax : part->eax + part->ebx;
        if (end < part->eax) {
            return false;
        }
        *size = end > *size ? end : *size;
    }
    return true;
}

static bool leaf_d(const cpuid_page_t *page, uint32_t subleaf, const cpuid_env_t *env, cpuid_t *out) {
    if (subleaf > 1) {
        return true;
    }
    if (subleaf == 1 && !(out->eax & (XSAVEC | XSAVES))) {
        return false;
    }
    return state_size(page, env->xcr0 | (subleaf == 1 ? env->xss : 0), subleaf == 1, &out->ebx);
}

static bool complete(const cpuid_page_t *page, uint32_t leaf, uint32_t subleaf, const cpuid_env_t *env, cpuid_t *out) {
    cpuid_t host;
    switch (leaf) {
        case 1:
            host = env->host(leaf, 0);
            out->ebx = (out->ebx & 0x00ffffff) | (host.ebx & 0xff000000);
            out->edx = (out->edx & ~APIC_ON) | (host.edx & APIC_ON);
            out->ecx = (out->ecx & ~OSXSAVE) | (env->cr4 & CR4_OSXSAVE ? OSXSAVE : 0);
            return true;
        case 7:
            if (subleaf == 0) {
                out->ecx = (out->ecx & ~OSPKE) | (env->cr4 & CR4_PKE ? OSPKE : 0);
            }
            return true;
        case 0xb:
            out->edx = env->host(leaf, 0).edx;
            return true;
        case 0xd:
            return leaf_d(page, subleaf, env, out);
        case 0x8000001e:
            host = env->host(leaf, 0);
            out->eax = host.eax;
            out->ebx = (out->ebx & ~0xffu) | (host.ebx & 0xff);
            out->ecx = (out->ecx & ~0xffu) | (host.ecx & 0xff);
            return true;
        default:
            return true;
    }
}

bool cpuid_page_get(const cpuid_page_t *page, uint32_t leaf, uint32_t subleaf, const cpuid_env_t *env, cpuid_t *out) {
    const cpuid_t *found = find(page, leaf, subleaf);
    *out = (cpuid_t) { 0, 0, 0, 0 };
    if (found != NULL) {
        *out = *found;
    } else if (!in_range(page, leaf)) {
        return true;                        // as the processor answers for a leaf that it has not
    }
    return complete(page, leaf, subleaf, env, out);
}
