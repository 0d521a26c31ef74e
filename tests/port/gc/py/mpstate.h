// What the collected heap wants of MicroPython's headers, for its test on the host: its state, and roots.
#ifndef TEST_MPSTATE_H
#define TEST_MPSTATE_H

#include <stddef.h>
#include <stdint.h>
#include "py/mpconfig.h"

#define ROOTS 3001
#define GC_COLLECT_FLAG 1
#define GC_LOCK_DEPTH_SHIFT 1
#define MP_STATE_THREAD(x) (mp_state_ctx.thread.x)
#define MP_STATE_MEM(x) (mp_state_ctx.mem.x)

typedef struct {
    struct { uint16_t gc_lock_depth; void *dict_locals; } thread;
    struct { void *roots[ROOTS]; void *qstr_last_chunk; } vm;
    struct { uint16_t gc_auto_collect_enabled; size_t gc_alloc_amount, gc_alloc_threshold, gc_collected; } mem;
} mp_state_ctx_t;
extern mp_state_ctx_t mp_state_ctx;

#endif
