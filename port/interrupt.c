// The one function of port/ that runs inside an interrupt: Ctrl-C on the console.
//
// Built with -mgeneral-regs-only, like py/scheduler.c which it calls: the interrupted code's SSE
// registers are not saved.

#include "py/runtime.h"
#include "boot/boot.h"

void console_interrupt(void) {
    mp_sched_keyboard_interrupt();
    idle_wake();
}

// The C stack overflowed where MicroPython does not look (comparing lists nested a hundred thousand deep, say): raise
// what its own checks raise, on the stack of the innermost handler. Not during a collection, whose state would be torn.
static void raise_recursion_depth(void) {
    mp_raise_recursion_depth();
}

#define NLR_REG_RSP 2           // py/nlrx64.c stores rip, rbp, rsp

bool stack_overflow_unwind(uint64_t *rip, uint64_t *rsp) {
    nlr_buf_t *handler = MP_STATE_THREAD(nlr_top);
    if (handler == NULL || MP_STATE_THREAD(gc_lock_depth) != 0) {
        return false;
    }
    *rip = (uint64_t)raise_recursion_depth;
    *rsp = ((uint64_t)handler->regs[NLR_REG_RSP] & ~15ull) - 256 - 8;   // as behind a call, below its frame
    return true;
}
