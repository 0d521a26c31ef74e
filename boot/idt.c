// The IDT, the dispatch of traps and interrupts, and guarded calls that survive an exception.
// Everything here may run inside an interrupt: built with general registers only.
// Source: AMD64 Architecture Programmer's Manual, volume 2, 8.2 (vectors), 8.9 (long mode).

#include "internal.h"
#include "cpu.h"

#define SEL_CODE 0x08
#define GATE_INTERRUPT 0x8e
#define FIRST_IRQ 32
#define SPURIOUS 0xff
#define VECTOR_VC 29
#define INTERRUPT_RETRY_NS 500000

extern char vectors_start[];                // vectors.S: 256 stubs, 16 bytes apart

static struct __attribute__((packed)) {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, reserved;
} idt[256] __attribute__((aligned(16)));

static struct { irq_handler_t fn; void *arg; } handlers[256];
static const trap_frame_t *current;         // of the interrupt that is being handled

uint64_t guard_sp;
int guard_vector;

static uint8_t stack_of(int vector) {
    switch (vector) {
        case 2:
            return IST_NMI;
        case 8:
            return IST_DOUBLE_FAULT;
        case 18:
            return IST_MACHINE_CHECK;
        case VECTOR_VC:
            return IST_VC;
        default:
            return vector < FIRST_IRQ ? IST_FAULT : IST_IRQ;
    }
}

void idt_init(void) {
    for (int v = 0; v < 256; v++) {
        uint64_t stub = (uint64_t)vectors_start + 16 * v;
        idt[v].offset_low = stub;
        idt[v].offset_mid = stub >> 16;
        idt[v].offset_high = stub >> 32;
        idt[v].selector = SEL_CODE;
        idt[v].ist = stack_of(v);
        idt[v].type = GATE_INTERRUPT;
    }
    struct __attribute__((packed)) { uint16_t limit; uint64_t base; } idtr = { sizeof(idt) - 1, (uint64_t)idt };
    __asm__ volatile ("lidt %0" : : "m" (idtr));
}

int irq_alloc(irq_handler_t fn, void *arg) {
    for (int v = FIRST_IRQ; v < SPURIOUS; v++) {
        if (handlers[v].fn == NULL) {
            handlers[v].arg = arg;
            handlers[v].fn = fn;
            return v;
        }
    }
    return -1;
}

void irq_free(int vector) {
    handlers[vector].fn = NULL;
}

// Page faults, protection faults, invalid opcodes and the like can be guarded; aborts cannot.
static bool guardable(uint64_t vector) {
    return vector < FIRST_IRQ && vector != 2 && vector != 8 && vector != 18 && vector != VECTOR_VC;
}

// The interpreter ran into the guard page of its stack: port/ knows how to unwind it, unless foreign code was running.
static bool main_stack_overflow(trap_frame_t *f) {
    uint64_t addr = read_cr2(), guard = (uint64_t)main_stack;
    return f->vector == 14 && addr - guard < PAGE_SIZE && f->rip - (uint64_t)text_start < (uint64_t)(text_end - text_start)
        && stack_overflow_unwind(&f->rip, &f->rsp);
}

bool leavable(uint64_t rip) {
    return exec_holds(rip) || rip - (uint64_t)leavable_start < (uint64_t)(leavable_end - leavable_start);
}

// A Ctrl-C that nobody has taken yet is raised where the code can be left at any instruction; elsewhere we look again soon.
static void interrupt_raise(trap_frame_t *f) {
    if (interrupt_pending() && !(leavable(f->rip) && interrupt_unwind(&f->rip, &f->rsp))) {
        timer_by(clock_ns() + INTERRUPT_RETRY_NS);
    }
}

bool interrupted(uint64_t *rip, uint64_t *rsp) {
    if (boot_services_alive()) {
        return firmware_interrupted(rip, rsp);
    }
    *rip = current->rip;
    *rsp = current->rsp;
    return true;
}

void trap_exception(trap_frame_t *f) {
    if (guard_sp != 0 && guardable(f->vector)) {
        guard_vector = f->vector;
        f->rip = (uint64_t)guard_recover;
        f->rsp = guard_sp;
    } else if (!main_stack_overflow(f)) {
        trap_report(f);
    }
}

void trap(trap_frame_t *f) {
    if (f->vector >= FIRST_IRQ) {
        current = f;
        if (handlers[f->vector].fn != NULL) {
            handlers[f->vector].fn(handlers[f->vector].arg);
        }
        if (f->vector != SPURIOUS) {
            apic_eoi();
            interrupt_raise(f);
        }
    } else if (f->vector == VECTOR_VC && snp_guest) {
        vc_handle(f);
    } else {
        trap_exception(f);
    }
}

bool guard_call(void (*fn)(void *), void *arg);

bool fault_guard(void (*fn)(void *), void *arg, int *vector) {
    if (guard_call(fn, arg)) {
        return true;
    }
    if (vector != NULL) {
        *vector = guard_vector;
    }
    return false;
}

typedef struct { uint32_t msr; uint64_t value; } msr_t;

static void do_rdmsr(void *arg) {
    ((msr_t *)arg)->value = rdmsr(((msr_t *)arg)->msr);
}

static void do_wrmsr(void *arg) {
    wrmsr(((msr_t *)arg)->msr, ((msr_t *)arg)->value);
}

bool msr_read(uint32_t msr, uint64_t *value) {
    msr_t m = { msr, 0 };
    bool ok = fault_guard(do_rdmsr, &m, NULL);
    *value = m.value;
    return ok;
}

bool msr_write(uint32_t msr, uint64_t value) {
    msr_t m = { msr, value };
    return fault_guard(do_wrmsr, &m, NULL);
}
