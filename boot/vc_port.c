// Port I/O that raised #VC: single values, and strings through the shared buffer, as many elements in one exit as fit.
// Source: GHCB specification (AMD 56421), 4.1.2; AMD64 APM volume 3 (IN, OUT, INS, OUTS), volume 2, 15.10.2 (EXITINFO1).

#include "vc.h"

#define PF_WRITE 2                          // error code of a page fault: a write, to a page that is not there

static vc_end_t single(vc_t *vc, uint16_t port) {
    bool in = vc->insn.op == INSN_IN;
    uint64_t rax = vc->frame->rax;
    vc_end_t end = vc_verdict(vc, host_port(ioio_info(port, vc->insn.size) | (in ? IOIO_IN : 0), &rax, &vc->vector));
    if (end == VC_NEXT && in) {
        vc_register_write(vc->frame, 0, vc->insn.size, rax);
    }
    return end;
}

static bool ram(uint64_t addr, int attr) {
    int have = map_attr(addr);
    return have >= 0 && (have & attr) == attr && !(have & MAP_UC);
}

// How many of n elements, from an address on, lie in memory that may be accessed so.
static uint64_t reachable(const vc_t *vc, uint64_t base, uint64_t address, uint64_t n, int attr) {
    uint64_t i = 0;
    for (; i < n && ram(base + address, attr) && ram(base + address + vc->insn.size - 1, attr); i++) {
        vc_string_step(vc, &address, 1);
    }
    return i;
}

// Elements between memory and the shared buffer, byte by byte: the host may change the latter meanwhile, and gains nothing.
static void copy(const vc_t *vc, uint64_t base, uint64_t address, uint64_t n, bool in) {
    volatile uint8_t *buffer = ghcb_page() + GHCB_BUFFER;
    for (uint64_t i = 0; i < n; i++) {
        volatile uint8_t *at = (volatile uint8_t *)(base + address);
        for (unsigned k = 0; k < vc->insn.size; k++, buffer++) {
            if (in) {
                at[k] = *buffer;
            } else {
                *buffer = at[k];
            }
        }
        vc_string_step(vc, &address, 1);
    }
}

static uint32_t string_info(const vc_t *vc, uint16_t port, bool in) {
    return ioio_info(port, vc->insn.size) | IOIO_STRING | (in ? IOIO_IN : 0) | (vc->insn.rep ? IOIO_REP : 0)
        | (vc->insn.address32 ? IOIO_ADDRESS32 : IOIO_ADDRESS64) | (in ? SEG_ES : SEG_DS) << IOIO_SEGMENT_SHIFT;
}

static ghcb_verdict_t exchange(vc_t *vc, uint32_t info, uint64_t base, uint64_t address, uint64_t n) {
    bool in = info & IOIO_IN;
    uint64_t flags = ghcb_begin();
    if (!in) {
        copy(vc, base, address, n, false);
    }
    ghcb_exit_t x = {
        .code = EXIT_IOIO, .info1 = info, .info2 = n, .scratch = (uint64_t)ghcb_page() + GHCB_BUFFER, .in = HAS_SCRATCH,
    };
    ghcb_verdict_t verdict = ghcb_exchange(&x, &vc->vector);
    if (verdict == GHCB_DONE && in) {
        copy(vc, base, address, n, true);
    }
    ghcb_end(flags);
    return verdict;
}

static vc_end_t string(vc_t *vc, uint16_t port) {
    bool in = vc->insn.op == INSN_INS;
    uint64_t *index = in ? &vc->frame->rdi : &vc->frame->rsi;
    uint64_t address = vc_address(&vc->insn, *index), base = vc_segment_base(in ? SEG_ES : vc->insn.segment);
    uint64_t n = vc_string_count(vc), most = GHCB_BUFFER_LEN / vc->insn.size;
    if (n == 0) {
        return VC_NEXT;
    }
    n = reachable(vc, base, address, n < most ? n : most, in ? MAP_R | MAP_W : MAP_R);
    if (n == 0) {
        write_cr2(base + address);
        vc->vector = 14;
        vc->error = in ? PF_WRITE : 0;
        return VC_EXCEPTION;
    }
    vc_end_t end = vc_verdict(vc, exchange(vc, string_info(vc, port, in), base, address, n));
    if (end != VC_NEXT) {
        return end;
    }
    vc_string_step(vc, &address, n);
    *index = address;
    return vc_string_end(vc, n);
}

vc_end_t vc_port(vc_t *vc) {
    uint16_t port = vc->insn.by_dx ? vc->frame->rdx : vc->insn.imm;
    return vc->insn.op == INSN_IN || vc->insn.op == INSN_OUT ? single(vc, port) : string(vc, port);
}
