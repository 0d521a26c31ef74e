// The handler of #VC (vector 29), which an SEV-SNP guest gets for every instruction that its host intercepts: the instruction is
// read and taken apart, compared with what the exception says of it, and done with the host's help.
// Source: AMD64 APM volume 2, 15.35.5 (#VC); GHCB specification (AMD 56421), 4 (events).
//
// The host can raise vector 29 whenever it likes, with any error code: whatever does not fit the instruction at hand ends the
// machine with a report. So does a #VC inside this handler, which itself causes none. It has a stack of its own, so it may come
// anywhere, and runs with interrupts off. General registers only, no allocation, no recursion.

#include "vc.h"

#define CPL_MASK 3
#define MSR_TSC 0x10u
#define MSR_GUEST_TSC_FREQ 0xc0010134u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define DR7_WRITABLE 0xffff23ffull
#define DR7_ALWAYS 0x400ull
#define FLAGS_DF (1u << 10)

static bool active;
static uint64_t dr7 = DR7_ALWAYS;           // reading it back is left to us
static uint32_t counts[VC_COUNTS];          // by error code; those of page faults at the end

// ---- the interrupted registers -----------------------------------------------------------------------------------------------
uint64_t *vc_register(trap_frame_t *f, unsigned number) {
    uint64_t *const registers[16] = {
        &f->rax, &f->rcx, &f->rdx, &f->rbx, &f->rsp, &f->rbp, &f->rsi, &f->rdi,
        &f->r8, &f->r9, &f->r10, &f->r11, &f->r12, &f->r13, &f->r14, &f->r15,
    };
    return registers[number & 15];
}

void vc_register_write(trap_frame_t *f, unsigned number, unsigned bytes, uint64_t value) {
    uint64_t *r = vc_register(f, number);
    uint64_t mask = bytes == 1 ? 0xff : bytes == 2 ? 0xffff : ~0ull;
    *r = bytes == 4 ? (uint32_t)value : (*r & ~mask) | (value & mask);
}

uint64_t vc_segment_base(unsigned segment) {
    return segment == SEG_FS ? rdmsr(MSR_FS_BASE) : segment == SEG_GS ? rdmsr(MSR_GS_BASE) : 0;
}

uint64_t vc_address(const insn_t *insn, uint64_t value) {
    return insn->address32 ? (uint32_t)value : value;
}

void vc_string_step(const vc_t *vc, uint64_t *address, uint64_t n) {
    uint64_t bytes = n * vc->insn.size;
    *address = vc_address(&vc->insn, vc->frame->rflags & FLAGS_DF ? *address - bytes : *address + bytes);
}

uint64_t vc_string_count(const vc_t *vc) {
    return vc->insn.rep ? vc_address(&vc->insn, vc->frame->rcx) : 1;
}

vc_end_t vc_string_end(vc_t *vc, uint64_t done) {
    if (!vc->insn.rep) {
        return VC_NEXT;
    }
    vc->frame->rcx = vc_string_count(vc) - done;
    return vc->frame->rcx != 0 ? VC_AGAIN : VC_NEXT;
}

// ---- by instruction ----------------------------------------------------------------------------------------------------------
vc_end_t vc_void(vc_t *vc, const char *why) {
    vc->why = why;
    return VC_VOID;
}

vc_end_t vc_verdict(vc_t *vc, ghcb_verdict_t verdict) {
    return verdict == GHCB_DONE ? VC_NEXT : verdict == GHCB_EXCEPTION ? VC_EXCEPTION : vc_void(vc, "the host refuses");
}

// An instruction that is an event of the same code; registers in and out as the masks say.
static vc_end_t ask(vc_t *vc, uint16_t in, uint16_t out) {
    trap_frame_t *f = vc->frame;
    ghcb_exit_t x = { .code = f->error, .rax = f->rax, .rbx = f->rbx, .rcx = f->rcx, .rdx = f->rdx, .rsi = f->rsi, .in = in };
    vc_end_t end = vc_verdict(vc, ghcb_call(&x, &vc->vector));
    if (end != VC_NEXT) {
        return end;
    }
    if ((x.out & out) != out) {
        return vc_void(vc, "the host leaves out a register");
    }
    f->rax = out & HAS_RAX ? x.rax : f->rax;
    f->rdx = out & HAS_RDX ? x.rdx : f->rdx;
    f->rcx = out & HAS_RCX ? x.rcx : f->rcx;
    return VC_NEXT;
}

static vc_end_t do_cpuid(vc_t *vc) {
    trap_frame_t *f = vc->frame;
    cpuid_t c = cpuid_checked(f->rax, f->rcx);
    f->rax = c.eax;
    f->rbx = c.ebx;
    f->rcx = c.ecx;
    f->rdx = c.edx;
    return VC_NEXT;
}

// With Secure TSC the counter is none of the host's business: reading it does not come here, writing is no more allowed.
static vc_end_t secure_tsc(vc_t *vc, bool write) {
    if (write) {
        vc->vector = 13;
        return VC_EXCEPTION;
    }
    uint64_t tsc = rdtsc();
    vc->frame->rax = (uint32_t)tsc;
    vc->frame->rdx = tsc >> 32;
    return VC_NEXT;
}

static vc_end_t do_msr(vc_t *vc) {
    trap_frame_t *f = vc->frame;
    bool write = vc->insn.op == INSN_WRMSR, secure = sev_status & STATUS_SECURE_TSC;
    uint32_t msr = f->rcx;
    if (secure && msr == MSR_TSC) {
        return secure_tsc(vc, write);
    }
    if (msr == MSR_GHCB || (secure && msr == MSR_GUEST_TSC_FREQ)) {
        return vc_void(vc, "the host intercepts what it must not");
    }
    uint64_t value = f->rdx << 32 | (uint32_t)f->rax;
    vc_end_t end = vc_verdict(vc, host_msr(write, msr, &value, &vc->vector));
    if (end == VC_NEXT && !write) {
        f->rax = (uint32_t)value;
        f->rdx = value >> 32;
    }
    return end;
}

static vc_end_t do_write_dr7(vc_t *vc) {
    uint64_t value = *vc_register(vc->frame, vc->insn.reg);
    if (value >> 32 != 0) {
        vc->vector = 13;
        return VC_EXCEPTION;
    }
    value = (value & DR7_WRITABLE) | DR7_ALWAYS;
    ghcb_exit_t x = { .code = EXIT_WRITE_DR7, .rax = value, .in = HAS_RAX };
    vc_end_t end = vc_verdict(vc, ghcb_call(&x, &vc->vector));
    dr7 = end == VC_NEXT ? value : dr7;
    return end;
}

static vc_end_t do_vmmcall(vc_t *vc) {
    trap_frame_t *f = vc->frame;
    ghcb_exit_t x = {
        .code = EXIT_VMMCALL, .rax = f->rax, .rbx = f->rbx, .rcx = f->rcx, .rdx = f->rdx, .rsi = f->rsi, .cpl = 0,
        .in = HAS_RAX | HAS_RBX | HAS_RCX | HAS_RDX | HAS_RSI | HAS_CPL,
    };
    vc_end_t end = vc_verdict(vc, ghcb_call(&x, &vc->vector));
    if (end == VC_NEXT) {
        if (!(x.out & HAS_RAX)) {
            return vc_void(vc, "the host leaves out a register");
        }
        f->rax = x.rax;
    }
    return end;
}

static vc_end_t dispatch(vc_t *vc) {
    bool secure = sev_status & STATUS_SECURE_TSC;
    switch (vc->frame->error) {
        case EXIT_READ_DR7: *vc_register(vc->frame, vc->insn.reg) = dr7; return VC_NEXT;
        case EXIT_WRITE_DR7: return do_write_dr7(vc);
        case EXIT_RDTSC: return secure ? vc_void(vc, "the host intercepts what it must not") : ask(vc, 0, HAS_RAX | HAS_RDX);
        case EXIT_RDTSCP: return secure ? vc_void(vc, "the host intercepts what it must not") : ask(vc, 0, HAS_RAX | HAS_RCX | HAS_RDX);
        case EXIT_RDPMC: return ask(vc, HAS_RCX, HAS_RAX | HAS_RDX);
        case EXIT_CPUID: return do_cpuid(vc);
        case EXIT_INVD: case EXIT_WBINVD: return ask(vc, 0, 0);
        case EXIT_IOIO: return vc_port(vc);
        case EXIT_MSR: return do_msr(vc);
        case EXIT_VMMCALL: return do_vmmcall(vc);
        case EXIT_MONITOR: case EXIT_MWAIT: return VC_NEXT;     // whoever waits so goes on at once, and looks again
        case EXIT_NPF: return vc_mmio(vc);
        default: return vc_void(vc, "no such exit");
    }
}

// ---- the exception -----------------------------------------------------------------------------------------------------------
// Our own code, or the firmware's: private and executable.
static unsigned fetch(uint64_t rip, uint8_t *bytes) {
    unsigned n = 0;
    for (; n < INSN_LEN_MAX; n++) {
        if ((n == 0 || ((rip + n) & (PAGE_SIZE - 1)) == 0)) {
            int attr = map_attr(rip + n);
            if (attr < 0 || !(attr & MAP_X) || (attr & (MAP_UC | MAP_SHARED))) {
                break;
            }
        }
        bytes[n] = *(const uint8_t *)(rip + n);
    }
    return n;
}

static vc_end_t handle(vc_t *vc) {
    uint8_t bytes[INSN_LEN_MAX];
    trap_frame_t *f = vc->frame;
    if ((f->cs & CPL_MASK) != 0) {
        return vc_void(vc, "from a ring that nothing runs in");
    }
    if (f->error == EXIT_NOT_VALIDATED) {
        return vc_void(vc, "memory that was never validated, or that the host has exchanged");
    }
    vc->insn = insn_decode(bytes, fetch(f->rip, bytes));
    if (!insn_raises(&vc->insn, f->error)) {
        return vc_void(vc, "the instruction does not raise it");
    }
    return dispatch(vc);
}

bool vc_count_get(unsigned i, uint64_t *code, uint32_t *count) {
    *code = i < VC_COUNTS - 1 ? i : EXIT_NPF;
    *count = i < VC_COUNTS ? counts[i] : 0;
    return i < VC_COUNTS;
}

void vc_handle(trap_frame_t *f) {
    if (!ghcb_live) {
        ghcb_terminate(0, END_GENERAL);     // between the firmware's handler and our page nothing may trap
    }
    vc_t vc = { .frame = f };
    if (active) {
        vc_report(f, "inside the handler of another one");
    }
    active = true;
    counts[f->error < VC_COUNTS - 1 ? f->error : VC_COUNTS - 1]++;
    vc_end_t end = handle(&vc);
    if (end == VC_VOID) {
        vc_report(f, vc.why);
    }
    active = false;
    if (end == VC_NEXT) {
        f->rip += vc.insn.len;
    } else if (end == VC_EXCEPTION) {
        f->vector = vc.vector;
        f->error = vc.error;
        trap_exception(f);
    }
}
