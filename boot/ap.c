// Starting another processor of an SEV-SNP guest: its state is written down, handed to the secure processor and named to the host.
// Source: AMD64 APM volume 2, 15.36.8 (VMSA pages), appendix B (layout); GHCB specification (AMD 56421), 4.1.9 (AP creation).
//
// It starts in 64-bit mode with our page tables, a stack and a GHCB of its own and no interrupts; says who it is, and parks. It has
// no IDT: whatever goes wrong there stops it. The firmware parks the processors in pages of its own, which are left alone.

#include "internal.h"
#include "io.h"

enum { REQUEST_CREATE = 1, REQUEST_DESTROY = 2 };
enum { VMSA_BIT = 0x10000, TARGET_VMPL1 = 1 };      // of RMPADJUST
enum { STACK_PAGES = 2, WAIT_NS = 1000000000 };
#define EFER_SVME (1u << 12)                // VMRUN wants it
#define MSR_EFER 0xc0000080u
#define PAT_RESET 0x0007040600070406ull
#define SEL_CODE 0x08                       // desc.c
#define SEL_DATA 0x10

// Offsets in the VMSA. A segment: selector, attributes, limit, base.
enum {
    V_ES = 0x00, V_CS = 0x10, V_SS = 0x20, V_DS = 0x30, V_FS = 0x40, V_GS = 0x50, V_GDTR = 0x60, V_LDTR = 0x70, V_IDTR = 0x80, V_TR = 0x90,
    V_EFER = 0xd0, V_CR4 = 0x148, V_CR3 = 0x150, V_CR0 = 0x158, V_DR7 = 0x160, V_DR6 = 0x168, V_RFLAGS = 0x170, V_RIP = 0x178, V_RSP = 0x1d8,
    V_PAT = 0x268, V_TSC_SCALE = 0x2f0, V_TSC_OFFSET = 0x2f8, V_RDI = 0x338, V_SEV_FEATURES = 0x3b0, V_XCR0 = 0x3e8, V_MXCSR = 0x408,
    V_FTW = 0x40c, V_FCW = 0x410,
};

typedef struct ap {
    struct ap *next;
    uint32_t apic_id;
    volatile uint32_t seen_id;              // what CPUID told it through its own page
    volatile bool done;
    uint8_t *ghcb, *run, *vmsa;             // run: two pages, of which one is the VMSA
} ap_t;
static ap_t *aps;

static void put(uint8_t *vmsa, unsigned at, uint64_t value) {
    *(uint64_t *)(vmsa + at) = value;
}

static void segment(uint8_t *vmsa, unsigned at, uint16_t selector, uint16_t attributes, uint32_t limit, uint64_t base) {
    put(vmsa, at, selector | (uint64_t)attributes << 16 | (uint64_t)limit << 32);
    put(vmsa, at + 8, base);
}

// On the other processor.
static void __attribute__((noreturn)) ap_main(ap_t *ap) {
    ghcb_exit_t x = { .code = EXIT_CPUID, .rax = 1, .rcx = 0, .xcr0 = 1, .in = HAS_RAX | HAS_RCX | HAS_XCR0 };
    int vector;
    if (ghcb_register_here((uint64_t)ap->ghcb) && ghcb_exchange_on(ap->ghcb, &x, &vector) == GHCB_DONE && (x.out & HAS_RBX)) {
        ap->seen_id = x.rbx >> 24 & 0xff;
        barrier();
        ap->done = true;
    }
    for (;;) {
        cli();
        cpu_hlt();
    }
}

static void fill_segments(uint8_t *vmsa) {
    struct __attribute__((packed)) { uint16_t limit; uint64_t base; } gdtr;
    __asm__ volatile ("sgdt %0" : "=m" (gdtr));
    for (unsigned at = V_ES; at <= V_GS; at += 0x10) {
        segment(vmsa, at, SEL_DATA, 0xc93, ~0u, 0);         // data, writable, accessed, 4 GiB
    }
    segment(vmsa, V_CS, SEL_CODE, 0xa9b, ~0u, 0);           // 64-bit code
    segment(vmsa, V_GDTR, 0, 0, gdtr.limit, gdtr.base);
    segment(vmsa, V_IDTR, 0, 0, 0, 0);
    segment(vmsa, V_LDTR, 0, 0x82, 0xffff, 0);
    segment(vmsa, V_TR, 0, 0x8b, 0xffff, 0);                // a busy TSS, as VMRUN wants one
}

static void fill(ap_t *ap, uint64_t stack_top, uint64_t tsc_scale, uint64_t tsc_offset) {
    uint8_t *vmsa = ap->vmsa;
    __builtin_memset(vmsa, 0, PAGE_SIZE);
    fill_segments(vmsa);
    put(vmsa, V_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    put(vmsa, V_CR0, read_cr0());
    put(vmsa, V_CR3, read_cr3());
    put(vmsa, V_CR4, read_cr4());
    put(vmsa, V_DR6, 0xffff0ff0);
    put(vmsa, V_DR7, 0x400);
    put(vmsa, V_RFLAGS, 2);
    put(vmsa, V_RIP, (uint64_t)ap_main);
    put(vmsa, V_RSP, stack_top - 8);        // as behind a call
    put(vmsa, V_RDI, (uint64_t)ap);
    put(vmsa, V_PAT, PAT_RESET);
    put(vmsa, V_TSC_SCALE, tsc_scale);
    put(vmsa, V_TSC_OFFSET, tsc_offset);
    put(vmsa, V_SEV_FEATURES, sev_status >> 2);
    put(vmsa, V_XCR0, 1);
    put(vmsa, V_MXCSR, 0x1f80);
    put(vmsa, V_FTW, 0x5555);
    put(vmsa, V_FCW, 0x37f);
}

static bool ask(uint64_t request, ap_t *ap) {
    int vector;
    ghcb_exit_t x = { .code = EXIT_AP_CREATE, .info1 = request | (uint64_t)ap->apic_id << 32, .info2 = (uint64_t)ap->vmsa };
    if (request == REQUEST_CREATE) {
        x.rax = sev_status >> 2;
        x.in = HAS_RAX;
    }
    return ghcb_call(&x, &vector) == GHCB_DONE;
}

// A VMSA that begins a page of 2 MiB may hit an erratum (1467), so there are two pages to choose from.
static bool equip(ap_t *ap) {
    ap->run = page_alloc(2);
    ap->ghcb = device_alloc(1);
    if (ap->run == NULL || ap->ghcb == NULL) {
        return false;
    }
    ap->vmsa = ((uint64_t)ap->run & 0x1fffff) == 0 ? ap->run + PAGE_SIZE : ap->run;
    return true;
}

static void release(ap_t *ap) {
    page_free(ap->run, ap->run == NULL ? 0 : 2);
    if (ap->ghcb != NULL) {
        device_free(ap->ghcb, 1);
    }
    page_free(ap, STACK_PAGES);
}

static ap_t **find(uint32_t apic_id) {
    ap_t **at = &aps;
    while (*at != NULL && (*at)->apic_id != apic_id) {
        at = &(*at)->next;
    }
    return at;
}

// While it is a VMSA nobody reads or writes the page.
static bool hand_over(ap_t *ap) {
    if (rmpadjust((uint64_t)ap->vmsa, false, VMSA_BIT | TARGET_VMPL1) != 0) {
        return false;
    }
    map_range((uint64_t)ap->vmsa, PAGE_SIZE, 0);
    return true;
}

static bool take_back(ap_t *ap) {
    return map_range((uint64_t)ap->vmsa, PAGE_SIZE, MAP_R | MAP_W) && rmpadjust((uint64_t)ap->vmsa, false, TARGET_VMPL1) == 0;
}

static bool wait(const ap_t *ap) {
    for (uint64_t end = clock_ns() + WAIT_NS; !ap->done && clock_ns() < end;) {
        cpu_pause();
    }
    return ap->done;
}

int ap_start(uint32_t id, uint64_t tsc_scale, uint64_t tsc_offset, uint32_t *seen_id, uint64_t *ghcb) {
    if (!ghcb_live || !(ghcb_protocol().features & FEATURE_AP_CREATE)) {
        return AP_NONE;
    }
    if (*find(id) != NULL || id == apic_id()) {
        return AP_RUNS;
    }
    ap_t *ap = page_alloc_zero(STACK_PAGES);
    if (ap == NULL) {
        return AP_NO_MEMORY;
    }
    ap->apic_id = id;
    if (!equip(ap)) {
        release(ap);
        return AP_NO_MEMORY;
    }
    fill(ap, (uint64_t)ap + STACK_PAGES * PAGE_SIZE, tsc_scale, tsc_offset);
    if (!hand_over(ap)) {
        release(ap);
        return AP_REFUSED;
    }
    ap->next = aps;
    aps = ap;
    if (!ask(REQUEST_CREATE, ap)) {
        ap_stop(id);
        return AP_REFUSED;
    }
    bool done = wait(ap);
    *seen_id = ap->seen_id;
    *ghcb = (uint64_t)ap->ghcb;
    return done ? AP_DONE : AP_SILENT;
}

// What may still run keeps its memory.
int ap_stop(uint32_t id) {
    ap_t **at = find(id), *ap = *at;
    if (ap == NULL) {
        return AP_NONE;
    }
    *at = ap->next;
    if (!ask(REQUEST_DESTROY, ap) || !take_back(ap)) {
        return AP_REFUSED;
    }
    release(ap);
    return AP_DONE;
}
