// The emulator's log: QEMU's debug console (port 402h) where there is one, and COM1 for what the user must see.
// Nothing here allocates; a line has at most LINE bytes.

#include <stdarg.h>

#include "vmcb.h"

#define LINE 320
#define DEBUG_PORT 0x402
#define COM1 0x3f8

static bool debug_console, everything_on_com1;

void log_init(bool serial) {
    debug_console = port_in(DEBUG_PORT, 1) == 0xe9;
    everything_on_com1 = serial;
}

static void put(char c, bool com1) {
    if (debug_console) {
        port_out(DEBUG_PORT, 1, c);
    }
    if (com1 && port_in(COM1 + 5, 1) != 0xff) {
        for (int i = 0; i < 100000 && !(port_in(COM1 + 5, 1) & 0x20); i++) {
        }
        port_out(COM1, 1, c);
    }
}

static size_t number(char *out, uint64_t n, unsigned base, bool prefix) {
    char digits[24];
    size_t len = 0, at = 0;
    do {
        digits[len++] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n != 0);
    if (prefix) {
        out[at++] = '0';
        out[at++] = 'x';
    }
    while (len > 0) {
        out[at++] = digits[--len];
    }
    return at;
}

// %s %d %u %x %lu %lx, # for 0x. -> bytes written, without a NUL, at most room.
static size_t text_format(char *out, size_t room, const char *format, va_list args) {
    size_t at = 0;
    char piece[32];
    for (; *format != 0; format++) {
        const char *text = piece;
        size_t len = 1;
        piece[0] = *format;
        if (*format == '%') {
            bool prefix = *++format == '#', wide;
            format += prefix;
            wide = *format == 'l';
            format += wide;
            if (*format == 's') {
                text = va_arg(args, const char *);
                len = __builtin_strlen(text);
            } else {
                uint64_t n = wide ? va_arg(args, uint64_t) : va_arg(args, unsigned);
                len = number(piece, n, *format == 'x' ? 16 : 10, prefix);
            }
        }
        for (size_t i = 0; i < len && at < room; i++) {
            out[at++] = text[i];
        }
    }
    return at;
}

static void line(bool com1, const char *lead, const char *format, va_list args) {
    char text[LINE];
    size_t len = text_format(text, sizeof(text), format, args);
    while (*lead != 0) {
        put(*lead++, com1);
    }
    for (size_t i = 0; i < len; i++) {
        put(text[i], com1);
    }
    put('\r', com1);
    put('\n', com1);
}

void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    line(everything_on_com1, "snpemu: ", format, args);
    va_end(args);
}

void note(const char *format, ...) {
    if (machine.options->notes) {
        va_list args;
        va_start(args, format);
        line(everything_on_com1, "snpemu: ", format, args);
        va_end(args);
    }
}

static void end(vcpu_t *v) {
    say("at RIP %#lx, RSP %#lx, CR3 %#lx, vCPU %u; RAX %#lx RBX %#lx RCX %#lx RDX %#lx", V64(v, RIP), v->gpr[RSP_], V64(v, CR3), v->apic_id,
        v->gpr[RAX_], v->gpr[RBX_], v->gpr[RCX_], v->gpr[RDX_]);
    say("%lu exits, %lu #VCs", v->exits, v->vc_count);
    for (uint64_t n = v->vc_count < RECENT ? v->vc_count : RECENT; n > 0; n--) {
        const recent_t *r = &v->recent[(v->vc_count - n) % RECENT];
        say("#VC of exit %#lx at %#lx", r->code, r->rip);
    }
    char how = machine.options->end[0];
    if (how == 'o' && machine.setup->pm1a_cnt != 0) {
        port_out(machine.setup->pm1a_cnt, 2, 1 << 13);      // SLP_EN; type 0 is S5 in QEMU's tables
    } else if (how == 'r') {
        port_out(0xcf9, 1, 6);
    }
    for (;;) {
        __asm__ volatile ("cli; hlt");
    }
}

// The guest did what hardware would not let pass.
void violation(vcpu_t *v, const char *format, ...) {
    va_list args;
    va_start(args, format);
    line(true, "snpemu: violation: ", format, args);
    va_end(args);
    end(v);
    __builtin_unreachable();
}

void guest_end(vcpu_t *v, const char *format, ...) {
    va_list args;
    va_start(args, format);
    line(true, "snpemu: ", format, args);
    va_end(args);
    end(v);
    __builtin_unreachable();
}

// A fault of the emulator itself: host.S.
void host_fault(uint64_t vector, uint64_t error, uint64_t rip, uint64_t cr2) __attribute__((noreturn, used));
void host_fault(uint64_t vector, uint64_t error, uint64_t rip, uint64_t cr2) {
    everything_on_com1 = true;
    say("the emulator itself has failed: exception %lu (%#lx) at %#lx, offset %#lx, CR2 %#lx", vector, error, rip, rip - (uint64_t)host_fault, cr2);
    for (;;) {
        __asm__ volatile ("cli; hlt");
    }
}
