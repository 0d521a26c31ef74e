// What CPUID says, and the CPUID page: the processor below, with SEV-SNP added.
// Source: APM volume 3, appendix E; SEV-SNP Firmware ABI (56860), 8.17 (CPUID page); ../../docs/emulator.md.

#include "vmcb.h"

#define ENTRIES_MAX 64
#define SEV_LEAF 0x8000001f
#define HAS_SEV (1u << 1 | 1u << 3 | 1u << 4)   // SEV, SEV-ES, SEV-SNP
#define OSXSAVE (1u << 27)
#define SVM (1u << 2)
#define CR4_OSXSAVE (1ull << 18)

static cpuid_t native(uint32_t leaf, uint32_t subleaf) {
    cpuid_t r;
    __asm__ volatile ("cpuid" : "=a" (r.eax), "=b" (r.ebx), "=c" (r.ecx), "=d" (r.edx) : "a" (leaf), "c" (subleaf));
    return r;
}

// Guests compute the size of compacted save areas, and Linux takes a processor without them for a lie of its host; QEMU's
// interpreter has none. Such a processor is shown without XSAVE at all.
static bool has_compaction(void) {
    return native(0, 0).eax >= 0xd && (native(0xd, 1).eax & (1u << 1 | 1u << 3)) != 0;
}

static cpuid_t value(uint32_t leaf, uint32_t subleaf) {
    cpuid_t r = native(leaf, subleaf);
    if (leaf < 0x40000000 && !has_compaction()) {
        if (leaf == 0) {
            r.eax = r.eax < 0xc ? r.eax : 0xc;
        } else if (leaf == 1) {
            r.ecx &= ~(1u << 12 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 29);     // FMA, XSAVE, OSXSAVE, AVX, F16C
        } else if (leaf == 7) {
            r.ebx &= ~(1u << 5);                // AVX2
        } else if (leaf >= 0xd) {
            r = (cpuid_t) { 0 };
        }
    }
    if (leaf == 0x80000000 && r.eax < SEV_LEAF) {
        r.eax = SEV_LEAF;
    } else if (leaf == 0x80000001) {
        r.ecx &= ~SVM;                      // the guest has none
    } else if (leaf == 0x8000000a) {
        r = (cpuid_t) { 0 };
    } else if (leaf == SEV_LEAF) {
        r = (cpuid_t) { HAS_SEV, C_BIT | 1 << 6 | 4 << 12 | 1u << 31, VCPUS_MAX, 1 };
    }
    return r;
}

// The size of the save area for the enabled features: EBX of leaf D.
static uint32_t save_area(uint64_t features, bool compacted) {
    uint32_t size = 0x240;
    for (unsigned i = 2; i < 63; i++) {
        if (features >> i & 1) {
            cpuid_t part = native(0xd, i);
            size = compacted ? size + part.eax : part.eax + part.ebx > size ? part.eax + part.ebx : size;
        }
    }
    return size;
}

cpuid_t cpuid_value(vcpu_t *v, uint32_t leaf, uint32_t subleaf, uint64_t xcr0) {
    cpuid_t r = value(leaf, subleaf);
    if (leaf == 1) {
        r.ebx = (r.ebx & 0xffffff) | v->apic_id << 24;
        r.ecx = (r.ecx & ~OSXSAVE) | (V64(v, CR4) & CR4_OSXSAVE ? OSXSAVE : 0);
    } else if (leaf == 0xd && subleaf < 2 && r.eax != 0) {
        r.ebx = save_area(xcr0, subleaf == 1);
    }
    return r;
}

static const uint32_t indexed[] = { 4, 7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1d, 0x1e, 0x1f, 0x8000001d };

static bool is_indexed(uint32_t leaf) {
    for (unsigned i = 0; i < sizeof(indexed) / sizeof(indexed[0]); i++) {
        if (indexed[i] == leaf) {
            return true;
        }
    }
    return false;
}

static void add(uint32_t *page, uint32_t leaf, uint32_t subleaf) {
    cpuid_t r = value(leaf, subleaf);
    bool area = leaf == 0xd && subleaf < 2;
    if (page[0] == ENTRIES_MAX || (subleaf > 0 && (r.eax | r.ebx | r.ecx | r.edx) == 0)) {
        return;
    }
    uint32_t *e = page + 4 + 12 * page[0]++;
    e[0] = leaf;
    e[1] = is_indexed(leaf) ? subleaf : 0;
    e[2] = area;                            // XCR0_IN: x87 only
    e[6] = r.eax;
    e[7] = area ? 0x240 : r.ebx;
    e[8] = leaf == 1 ? r.ecx & ~OSXSAVE : r.ecx;
    e[9] = r.edx;
}

// The page that the host fills and the secure processor checks. Every leaf that there is; of indexed ones those that hold something.
void cpuid_page(uint8_t *page) {
    static const uint32_t starts[] = { 0, 0x40000000, 0x80000000 };
    uint32_t *words = (uint32_t *)page;
    __builtin_memset(page, 0, PAGE_SIZE);
    for (unsigned s = 0; s < 3; s++) {
        uint32_t top = value(starts[s], 0).eax;
        for (uint32_t leaf = starts[s]; leaf <= top && leaf < starts[s] + 0x40; leaf++) {
            unsigned count = leaf == 0xd ? 63 : is_indexed(leaf) ? 4 : 1;
            for (unsigned sub = 0; sub < count; sub++) {
                add(words, leaf, sub);
            }
        }
    }
    if (fault_is("lying-cpuid")) {
        words[4 + 12 + 8] ^= 1u << 30;      // leaf 1 has no RDRAND
    }
}
