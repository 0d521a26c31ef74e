// Further processors: created by the guest with a VMSA, started by us, each with a VMCB of its own.
// Source: GHCB specification (56421), 4.1.9; APM volume 2, table B-4 (VMSA); MultiProcessor specification B.4 (INIT, SIPI).
//
// The processors themselves wait where the firmware left them until the guest creates the first one there.

#include "vmcb.h"

#define ICR_INIT 0x4500u
#define ICR_STARTUP 0x4600u
#define ICR_NMI 0x4400u

enum { CREATE_ON_INIT, CREATE, DESTROY };
enum {      // VMSA
    S_ES = 0x000, S_CPL = 0x0cb, S_EFER = 0x0d0, S_CR4 = 0x148, S_CR3 = 0x150, S_CR0 = 0x158, S_DR7 = 0x160, S_DR6 = 0x168, S_RFLAGS = 0x170, S_RIP = 0x178,
    S_RSP = 0x1d8, S_RAX = 0x1f8, S_STAR = 0x200, S_CR2 = 0x240, S_PAT = 0x268, S_RCX = 0x308, S_FEATURES = 0x3b0, S_VMPL = 0x0ca,
};
static uint64_t on_init[VCPUS_MAX];

static uint64_t word(uint64_t vmsa, int offset) {
    return *(uint64_t *)(guest_page(vmsa) + offset);
}

static void send(unsigned apic_id, uint32_t command) {
    uint64_t base;
    if (!safe_rdmsr(MSR_APIC_BASE, &base)) {
        return;
    }
    if (base >> 10 & 1) {
        safe_wrmsr(0x830, (uint64_t)apic_id << 32 | command);
        return;
    }
    base &= ~PAGE_MASK & GPA_MASK;
    *(volatile uint32_t *)(base + 0x310) = apic_id << 24;
    *(volatile uint32_t *)(base + 0x300) = command;
    while (*(volatile uint32_t *)(base + 0x300) & 1u << 12) {
    }
}

static void pause_a_while(void) {
    for (volatile int i = 0; i < 2000000; i++) {
    }
}

// The guest's registers are what its VMSA holds. 32 bytes of it and of the VMCB's state save area are alike from ES to LDTR.
static void load_vmsa(vcpu_t *v) {
    uint64_t s = v->vmsa;
    uint8_t *page = guest_page(s);
    __builtin_memcpy(v->vmcb + SEG_ES, page + S_ES, 0xa0);
    v->vmcb[CPL] = page[S_CPL];
    V64(v, EFER) = word(s, S_EFER) | EFER_SVME;
    V64(v, CR4) = word(s, S_CR4);
    V64(v, CR3) = word(s, S_CR3);
    V64(v, CR0) = word(s, S_CR0);
    V64(v, DR7) = word(s, S_DR7);
    V64(v, DR6) = word(s, S_DR6);
    V64(v, RFLAGS) = word(s, S_RFLAGS);
    V64(v, RIP) = word(s, S_RIP);
    V64(v, CR2) = word(s, S_CR2);
    V64(v, G_PAT) = word(s, S_PAT);
    __builtin_memcpy(v->vmcb + STAR, page + S_STAR, 0x40);
    __builtin_memset(v->gpr, 0, sizeof(v->gpr));
    v->gpr[RAX_] = word(s, S_RAX);
    v->gpr[RSP_] = word(s, S_RSP);
    for (int i = 0; i < 15; i++) {          // RCX, RDX, RBX, -, RBP, RSI, RDI, R8 to R15
        if (i != 3) {
            v->gpr[i + 1] = word(s, S_RCX + 8 * i);
        }
    }
    V64(v, RAX) = v->gpr[RAX_];
    V64(v, RSP) = v->gpr[RSP_];
    v->own_idt = true;
    v->flush = true;
    v->ghcb_msr = 0x002 - 1;                // the reset value, SEV information
    v->ghcb_registered = ~0ull;
}

// In host mode, on the processor itself; again whenever a VMSA was taken away.
void ap_entry(vcpu_t *v) {
    host_tables(machine.host_cr3);
    safe_wrmsr(MSR_HSAVE, v->hsave);
    for (;;) {
        while (v->state != AP_STARTING) {
            v->state = AP_WAITING;
            __asm__ volatile ("pause" : : : "memory");
        }
        machine_lock();
        v->flat = !(word(v->vmsa, S_CR0) & CR0_PG);
        vcpu_init(v);
        load_vmsa(v);
        v->state = AP_RUN;
        note("vCPU %u starts at %#lx:%#lx", v->apic_id, V64(v, SEG_CS + SEG_BASE), V64(v, RIP));
        machine_unlock();
        vcpu_run(v);
        __asm__ volatile ("stgi; nop; clgi");   // the NMI that stopped it
    }
}

static void start(vcpu_t *v, uint64_t vmsa) {
    bool asleep = v->state == AP_OFF;
    v->vmsa = vmsa;
    v->state = AP_STARTING;
    if (asleep) {
        uint64_t *arg = (uint64_t *)(machine.setup->trampoline + (trampoline_arg - trampoline_start));
        arg[0] = (uint64_t)v;
        send(v->apic_id, ICR_INIT);
        pause_a_while();
        send(v->apic_id, ICR_STARTUP | machine.setup->trampoline >> 12);
        pause_a_while();
        send(v->apic_id, ICR_STARTUP | machine.setup->trampoline >> 12);
    }
}

void ap_stop_check(vcpu_t *v) {
    if (v->state == AP_STOP) {
        note("vCPU %u is stopped", v->apic_id);
        v->vmsa = 0;
    }
}

static vcpu_t *find(unsigned apic_id) {
    for (unsigned i = 1; i < machine.vcpu_count; i++) {
        if (machine.vcpus[i].apic_id == apic_id) {
            return &machine.vcpus[i];
        }
    }
    return NULL;
}

void ap_init_signal(unsigned apic_id) {
    vcpu_t *v = find(apic_id);
    if (v != NULL && on_init[v - machine.vcpus] != 0) {
        start(v, on_init[v - machine.vcpus]);
        on_init[v - machine.vcpus] = 0;
    }
}

static void destroy(vcpu_t *v) {
    on_init[v - machine.vcpus] = 0;
    if (v->state == AP_RUN) {
        v->state = AP_STOP;
        send(v->apic_id, ICR_NMI);
    }
}

static bool is_sound(exchange_t *x) {
    uint64_t vmsa = x->info2;
    return (vmsa & PAGE_MASK) == 0 && (vmsa & 0x1fffff) != 0 && rmp_state(vmsa) == RMP_VMSA && has(x, BIT_RAX) && x->rax == word(vmsa, S_FEATURES)
        && x->rax == 1 && (word(vmsa, S_EFER) & EFER_SVME) && guest_page(vmsa)[S_VMPL] == 0;
}

void event_ap_create(exchange_t *x) {
    uint32_t request = x->info1;
    vcpu_t *v = find(x->info1 >> 32);
    if (v == NULL || request > DESTROY || (request != DESTROY && !is_sound(x)) || (request == CREATE && v->state == AP_RUN)) {
        malformed(x, MALFORMED_VALUE);
    } else if (request == DESTROY) {
        destroy(v);
    } else if (request == CREATE_ON_INIT) {
        on_init[v - machine.vcpus] = x->info2;
    } else {
        start(v, x->info2);
    }
}
