// What the files of the #VC handler have in common.
#ifndef KEELBACK_BOOT_VC_H
#define KEELBACK_BOOT_VC_H

#include "internal.h"
#include "io.h"

// What becomes of the instruction. VC_AGAIN: there is more of it to do, or another exception comes first.
typedef enum { VC_NEXT, VC_AGAIN, VC_EXCEPTION, VC_VOID } vc_end_t;
typedef struct {
    trap_frame_t *frame;
    insn_t insn;
    int vector;                             // VC_EXCEPTION: which, and its error code
    uint64_t error;
    const char *why;                        // VC_VOID: what is wrong
} vc_t;

uint64_t *vc_register(trap_frame_t *f, unsigned number);
void vc_register_write(trap_frame_t *f, unsigned number, unsigned bytes, uint64_t value);   // 4 bytes clear the upper half
vc_end_t vc_verdict(vc_t *vc, ghcb_verdict_t verdict);
vc_end_t vc_void(vc_t *vc, const char *why);
uint64_t vc_segment_base(unsigned segment);
uint64_t vc_address(const insn_t *insn, uint64_t value);    // cut to the width of addresses
// A string instruction's register goes on by n elements, up or down.
void vc_string_step(const vc_t *vc, uint64_t *address, uint64_t n);
uint64_t vc_string_count(const vc_t *vc);
vc_end_t vc_string_end(vc_t *vc, uint64_t done);            // count down; is the instruction done?

vc_end_t vc_port(vc_t *vc);                 // vc_port.c
vc_end_t vc_mmio(vc_t *vc);                 // vc_mmio.c

#endif
