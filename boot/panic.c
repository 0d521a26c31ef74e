// The last report: what happened, registers, where it came from in C and in Python; then halt, reset or power off
// as the option fault= says. It trusts nothing it has not checked and never waits for anybody.
// Source: AMD64 Architecture Programmer's Manual, volume 2, 8.2 (vectors and error codes).

#include "internal.h"
#include <stdarg.h>
#include "io.h"

#define BACKTRACE_MAX 24
#define STACK_WORDS_MAX 2048                // how far up the stack return addresses are looked for

static const char *const causes[32] = {
    "divide error", "debug", "non-maskable interrupt", "breakpoint", "overflow", "bound range exceeded",
    "invalid opcode", "device not available", "double fault", NULL, "invalid TSS", "segment not present",
    "stack fault", "general protection fault", "page fault", NULL, "x87 floating-point error", "alignment check",
    "machine check", "SIMD floating-point error", NULL, "control protection fault", NULL, NULL, NULL, NULL, NULL, NULL,
    "hypervisor injection", "VMM communication (#VC)", "security exception", NULL,
};

static void where(uint64_t addr) {
    uint64_t offset;
    const char *name = symbol_lookup(addr, &offset);
    console_printf("  %016lx", addr);
    if (addr - (uint64_t)image_start < boot_info.image_size) {
        console_printf(" image+%lx", addr - (uint64_t)image_start);
    }
    if (name != NULL) {
        console_printf(" %s+%lx", name, offset);
    }
    console_puts("\n");
}

// A return address follows a call: e8 rel32, or ff /2 of two to seven bytes.
static bool after_call(uint64_t addr) {
    const uint8_t *p = (const uint8_t *)addr;
    if (addr < (uint64_t)text_start + 7 || addr > (uint64_t)text_end) {
        return false;
    }
    if (p[-5] == 0xe8) {
        return true;
    }
    for (int n = 2; n <= 7; n++) {
        if (p[-n] == 0xff && (p[1 - n] >> 3 & 7) == 2) {
            return true;
        }
    }
    return false;
}

// Frame pointers are not kept, so this lists what looks like return addresses: a superset of the true chain.
static void backtrace(uint64_t rip, uint64_t rsp) {
    console_puts("backtrace (candidates from the stack):\n");
    where(rip);
    int found = 0;
    for (int i = 0; i < STACK_WORDS_MAX && found < BACKTRACE_MAX; i++) {
        uint64_t at = (rsp & ~7ull) + 8 * i;
        if (!map_check(at, 8, MAP_R) || at >= (uint64_t)image_end) {
            break;
        }
        uint64_t addr = *(uint64_t *)at;
        if (after_call(addr)) {
            where(addr);
            found++;
        }
    }
}

static bool in_panic;
static bool host_broken;                    // whoever hears the report should know that it is about him

static void begin(void) {
    cli();
    ghcb_abandon();
    if (in_panic) {
        if (host_broken) {
            ghcb_terminate(0, END_GENERAL);
        }
        console_puts("\npanic: a second fault while reporting the first\n");
        machine_power(POWER_HALT);
    }
    in_panic = true;
}

static void end(void) {
    const char *mode = option_get("fault");
    console_puts("python:\n");
    panic_python_frames();
    if (mode != NULL && __builtin_strcmp(mode, "reset") == 0) {
        console_puts("resetting\n");
        machine_power(POWER_COLD);
    }
    if (mode != NULL && __builtin_strcmp(mode, "off") == 0) {
        console_puts("powering off\n");
        machine_power(POWER_OFF);
    }
    if (mode == NULL && host_broken) {
        console_puts("terminated\n");
        ghcb_terminate(0, END_GENERAL);
    }
    console_puts("halted\n");
    machine_power(POWER_HALT);
}

void panic_end(void) {
    begin();
    backtrace((uint64_t)__builtin_return_address(0), (uint64_t)__builtin_frame_address(0));
    end();
    __builtin_unreachable();
}

static bool in_guard_page(uint64_t addr) {
    return addr >= (uint64_t)main_stack && addr < (uint64_t)image_end && map_attr(addr) < 0;
}

static void describe(const trap_frame_t *f) {
    const char *cause = f->vector < 32 && causes[f->vector] ? causes[f->vector] : "reserved exception";
    console_printf("\nfault: %s (vector %u, error %lx)", cause, (unsigned)f->vector, f->error);
    if (f->vector == 14) {
        console_printf(": %s of %016lx, %s%s", f->error & 16 ? "execution" : f->error & 2 ? "write" : "read", read_cr2(),
            f->error & 1 ? "protection" : "not mapped", in_guard_page(read_cr2()) ? ", a stack overflow" : "");
    }
    console_puts("\n");
}

void trap_report(const trap_frame_t *f) {
    begin();
    describe(f);
    console_printf("rip %016lx  rsp %016lx  rflags %016lx  cs %lx ss %lx\n", f->rip, f->rsp, f->rflags, f->cs, f->ss);
#if !KEELBACK_HARDENED      // the console is the host's, and a register may hold a piece of a key
    console_printf("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
    console_printf("rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", f->rsi, f->rdi, f->rbp, f->r8);
    console_printf("r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", f->r9, f->r10, f->r11, f->r12);
    console_printf("r13 %016lx  r14 %016lx  r15 %016lx\n", f->r13, f->r14, f->r15);
#endif
    console_printf("cr0 %016lx  cr2 %016lx  cr3 %016lx  cr4 %016lx\n", read_cr0(), read_cr2(), read_cr3(), read_cr4());
    backtrace(f->rip, f->rsp);
    end();
    __builtin_unreachable();
}

void vc_report(const trap_frame_t *f, const char *why) {
    ghcb_abandon();
    host_broken = true;
    console_printf("\nerror: #VC %lx: %s\n", f->error, why);
    trap_report(f);
}

void host_broke(const char *fmt, ...) {
    va_list ap;
    ghcb_abandon();
    if (host_broken) {
        ghcb_terminate(0, END_GENERAL);     // it refuses the console as well
    }
    host_broken = true;
    va_start(ap, fmt);
    console_puts("\nerror: the host: ");
    console_vprintf(fmt, ap);
    va_end(ap);
    console_puts("\n");
    panic_end();
}
