// A CPUID page of any content, and a question, to boot/cpuid_page.c: leaf, subleaf, CR4, XCR0, XSS, then the page.

#include "flat.h"

#include "boot/cpuid_page.h"

#define HOST 0xa5a5a5a5u

static cpuid_t host(uint32_t leaf, uint32_t subleaf) {
    (void)leaf;
    (void)subleaf;
    return (cpuid_t) { HOST, HOST, HOST, HOST };
}

// Only these leaves have numbers of this processor, which the host tells.
static bool host_tells(uint32_t leaf) {
    return leaf == 1 || leaf == 0xb || leaf == 0x8000001e;
}

// The same, but for what follows from CR4 and XCR0: a bit of leaf 7, a size of leaf D.
static bool same(uint32_t leaf, const cpuid_t *a, const cpuid_t *b) {
    return a->eax == b->eax && (leaf == 0xd || a->ebx == b->ebx) && ((a->ecx ^ b->ecx) & (leaf == 7 ? ~0x10u : ~0u)) == 0 && a->edx == b->edx;
}

// Does the answer stand in the page, or is it that of no entry?
static bool listed(const cpuid_page_t *page, uint32_t leaf, const cpuid_t *out) {
    static const cpuid_t none;
    bool is = same(leaf, out, &none);
    for (unsigned i = 0; i < page->count && i < CPUID_ENTRIES_MAX; i++) {
        is |= page->entry[i].leaf == leaf && same(leaf, out, &page->entry[i].out);
    }
    return is;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    input_t in = { data, len };
    uint32_t leaf, subleaf;
    cpuid_env_t env = { .host = host };
    cpuid_page_t *page = malloc(sizeof(*page)), before;
    take(&in, &leaf, 4);
    take(&in, &subleaf, 4);
    take(&in, &env, 3 * sizeof(uint64_t));
    take(&in, page, sizeof(*page));
    before = *page;
    must(cpuid_page_valid(page) == (page->count >= 1 && page->count <= 64), "a page of no entries, or of too many, is taken for one");
    cpuid_t out, again;
    bool known = cpuid_page_get(page, leaf, subleaf, &env, &out);
    must(cpuid_page_get(page, leaf, subleaf, &env, &again) == known && memcmp(&out, &again, sizeof(out)) == 0, "two answers");
    must(memcmp(page, &before, sizeof(before)) == 0, "the page changed");
    bool sized = leaf == 0xd && subleaf < 2 && known;
    must(!sized || out.ebx >= 0x240 || (out.ebx == 0 && listed(page, leaf, &out)), "a state smaller than the least");
    must(!known || host_tells(leaf) || leaf == 0xd || listed(page, leaf, &out), "an answer that is not in the page");
    free(page);
    return 0;
}
