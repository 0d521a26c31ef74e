// The machine as the emulator holds it: memory of its own, one vCPU per processor, and the loop that each of them runs.

#include "vmcb.h"
#include "psp.h"

#define STACK_PAGES 16
#define GUEST_ASID 1                           // 0 is the host's

machine_t machine;
static uint64_t next_page;
static uint8_t *msr_map, *io_map;
static volatile uint32_t lock;

void *host_pages(unsigned count) {
    uint64_t at = next_page;
    if (count > (machine.setup->host.end - at) / PAGE_SIZE) {
        guest_end(&machine.vcpus[0], "the emulator is out of memory of its own");
    }
    next_page += count * PAGE_SIZE;
    __builtin_memset((void *)at, 0, count * PAGE_SIZE);
    return (void *)at;
}

void host_random(void *out, size_t len) {
    for (uint8_t *p = out; len > 0; p++, len--) {
        uint64_t word;
        uint8_t carry;
        do {
            __asm__ volatile ("rdrand %0; setc %1" : "=r" (word), "=q" (carry) : : "cc");
        } while (!carry);
        *p = word;
    }
}

void machine_lock(void) {
    while (__sync_lock_test_and_set(&lock, 1)) {
        __asm__ volatile ("pause" : : : "memory");
    }
}

void machine_unlock(void) {
    __sync_lock_release(&lock);
}

// MSRs that a guest reaches itself: what VMCB and VMLOAD switch, and what KVM does not intercept. The rest exits.
static void build_msr_map(void) {
    static const uint32_t direct[] = { 0x174, 0x175, 0x176, 0x277, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102 };
    msr_map = host_pages(2);
    __builtin_memset(msr_map, 0xff, 2 * PAGE_SIZE);
    for (unsigned i = 0; i < sizeof(direct) / sizeof(direct[0]); i++) {
        uint32_t bit = 2 * (direct[i] & 0x1fff) + (direct[i] >> 31 ? 0x4000 : 0);
        msr_map[bit / 8] &= ~(3 << bit % 8);
    }
}

// The controls; the guest's registers are the caller's to fill in.
void vcpu_init(vcpu_t *v) {
    __builtin_memset(v->vmcb, 0, PAGE_SIZE);
    bool first = v == &machine.vcpus[0];
    V16(v, CR_WRITES) = first ? 1 << 3 : 0;
    V16(v, DR_READS) = 1 << 7;
    V16(v, DR_WRITES) = 1 << 7;
    V32(v, EXCEPTIONS) = 1 << 6;
    V32(v, INTERCEPT3) = I3_RDPMC | I3_CPUID | I3_INVD | I3_IO | I3_MSR | I3_SHUTDOWN | (first ? I3_LIDT : I3_NMI)
        | (machine.options->rdtsc ? I3_RDTSC : 0);
    V32(v, INTERCEPT4) = I4_VMRUN | I4_VMMCALL | I4_VMLOAD | I4_VMSAVE | I4_STGI | I4_CLGI | I4_SKINIT | I4_WBINVD | I4_MONITOR | I4_MWAIT
        | (machine.options->rdtsc ? I4_RDTSCP : 0);
    V64(v, IOPM_BASE) = (uint64_t)io_map;
    V64(v, MSRPM_BASE) = (uint64_t)msr_map;
    V32(v, ASID) = GUEST_ASID;
    V32(v, TLB_CONTROL) = 1;
    V64(v, NESTED_CONTROL) = 1;
    V64(v, NESTED_CR3) = npt_root(v);
}

// The state of the processor that runs this: the guest goes on with it.
static void adopt_state(vcpu_t *v) {
    struct { uint16_t limit; uint64_t base; } __attribute__((packed)) gdtr, idtr;
    uint64_t cr0, cr3, cr4, efer, pat;
    uint16_t cs, ss, ds, es;
    __asm__ volatile ("sgdt %0; sidt %1" : "=m" (gdtr), "=m" (idtr));
    __asm__ volatile ("mov %%cr0, %0; mov %%cr3, %1; mov %%cr4, %2" : "=r" (cr0), "=r" (cr3), "=r" (cr4));
    __asm__ volatile ("mov %%cs, %0; mov %%ss, %1; mov %%ds, %2; mov %%es, %3" : "=r" (cs), "=r" (ss), "=r" (ds), "=r" (es));
    uint16_t data[][2] = { { SEG_SS, ss }, { SEG_DS, ds }, { SEG_ES, es } };
    for (int i = 0; i < 3; i++) {
        V16(v, data[i][0]) = data[i][1];
        V16(v, data[i][0] + SEG_ATTR) = 0xc93;
        V32(v, data[i][0] + SEG_LIMIT) = ~0u;
    }
    V16(v, SEG_CS) = cs;
    V16(v, SEG_CS + SEG_ATTR) = 0xa9b;
    V32(v, SEG_CS + SEG_LIMIT) = ~0u;
    V32(v, GDTR + SEG_LIMIT) = gdtr.limit;
    V64(v, GDTR + SEG_BASE) = gdtr.base;
    V32(v, IDTR + SEG_LIMIT) = idtr.limit;
    V64(v, IDTR + SEG_BASE) = idtr.base;
    safe_rdmsr(MSR_EFER, &efer);
    safe_rdmsr(0x277, &pat);
    V64(v, EFER) = efer;
    V64(v, CR0) = cr0;
    V64(v, CR3) = cr3;
    V64(v, CR4) = cr4;
    V64(v, G_PAT) = pat;
    V64(v, DR6) = 0xffff0ff0;
    V64(v, DR7) = 0x400;
    __asm__ volatile ("vmsave %0" : : "a" (v->vmcb_pa) : "memory");     // FS, GS, TR, LDTR and their MSRs
    machine.firmware_cr3 = cr3;
    machine.firmware_idt = idtr.base;
}

static void vcpu_make(vcpu_t *v, unsigned apic_id) {
    v->vmcb = host_pages(1);
    v->vmcb_pa = (uint64_t)v->vmcb;
    v->hsave = (uint64_t)host_pages(1);
    v->stack_top = (uint64_t)host_pages(STACK_PAGES) + STACK_PAGES * PAGE_SIZE;
    v->apic_id = apic_id;
    v->ghcb_registered = ~0ull;
}

static void trampoline_make(void) {
    uint8_t *page = (uint8_t *)machine.setup->trampoline;
    __builtin_memcpy(page, trampoline_start, trampoline_end - trampoline_start);
    extern char trampoline_cr3[];
    ((uint64_t *)(page + (trampoline_arg - trampoline_start)))[1] = (uint64_t)ap_entry;
    *(uint64_t *)(page + (trampoline_cr3 - trampoline_start)) = machine.host_cr3;
}

// Called in the copy of the image that stays. -> NULL or what is wrong; the first vCPU and what it runs.
const char *machine_init(setup_t *setup, vcpu_t **first, void (**entry)(vcpu_t *)) {
    uint64_t efer;
    machine.setup = setup;
    machine.options = &setup->options;
    next_page = setup->host.start;
    log_init(setup->options.log_serial);
    safe_rdmsr(MSR_EFER, &efer);
    safe_wrmsr(MSR_EFER, efer | EFER_SVME | 1 << 11);
    machine.host_cr3 = host_identity();
    io_map = host_pages(3);
    __builtin_memset(io_map, 0xff, 3 * PAGE_SIZE);
    build_msr_map();
    machine.vcpus = host_pages((setup->vcpu_count * sizeof(vcpu_t) + PAGE_SIZE - 1) / PAGE_SIZE);
    machine.vcpu_count = setup->vcpu_count;
    for (unsigned i = 0; i < setup->vcpu_count; i++) {
        vcpu_make(&machine.vcpus[i], setup->apic_ids[i]);
    }
    npt_init();
    rmp_init();
    trampoline_make();
    vcpu_t *v = &machine.vcpus[0];
    vcpu_init(v);
    adopt_state(v);
    v->ghcb_msr = v->ghcb_registered = setup->firmware_ghcb;
    safe_wrmsr(MSR_HSAVE, v->hsave);
    *first = v;
    *entry = vcpu_loop;
    if (!fault_known()) {
        return "there is no such fault; docs/emulator.md lists them";
    }
    const char *end = machine.options->end;
    if (__builtin_strcmp(end, "off") != 0 && __builtin_strcmp(end, "reset") != 0 && __builtin_strcmp(end, "halt") != 0) {
        return "end is off, reset or halt";
    }
    return launch();
}

// Run the guest and serve its exits, for as long as this processor has one.
void vcpu_run(vcpu_t *v) {
    while (v->state == AP_RUN) {
        svm_run(v);
        machine_lock();
        v->exits++;
        v->gpr[RAX_] = V64(v, RAX);
        v->gpr[RSP_] = V64(v, RSP);
        handle_exit(v);
        V64(v, RAX) = v->gpr[RAX_];
        V64(v, RSP) = v->gpr[RSP_];
        V64(v, NESTED_CR3) = npt_root(v);
        V32(v, TLB_CONTROL) = v->flush;
        v->flush = false;
        machine_unlock();
    }
}

void vcpu_loop(vcpu_t *v) {
    host_tables(machine.host_cr3);
    v->state = AP_RUN;
    for (;;) {
        vcpu_run(v);
    }
}
