// What port/ does inside interrupts and faults: Ctrl-C on the console, alarms, and a stack that overflowed.
//
// Bytecode looks for a pending KeyboardInterrupt between its instructions, and whatever waits looks too.
// Loops in C that go through iterators or compare look in patience.c. What is left is code that computes
// for long and calls nothing: functions compiled to machine code, long integers, regular expressions.
// Those own nothing that is shared or half done, so the interrupt itself makes them raise.
//
// Built with -mgeneral-regs-only, like py/scheduler.c which it calls: the interrupted code's SSE
// registers are not saved.

#include "py/runtime.h"
#include "boot/boot.h"
#include "irq.h"

static bool deferred;

void soft_alarm_ring(alarm_t *alarm) {
    soft_alarm_t *soft = (soft_alarm_t *)alarm;
    mp_sched_schedule_node(&soft->node, soft->fn);
    idle_wake();
}

// A second one does not wait for a function that hangs.
void console_interrupt(void) {
    if (irq_defers_interrupt() && !deferred) {
        deferred = true;
        return;
    }
    deferred = false;
    mp_sched_keyboard_interrupt();
    idle_wake();
}

void interrupt_deferred(void) {
    if (deferred) {
        deferred = false;
        mp_sched_keyboard_interrupt();
    }
}

bool interrupt_pending(void) {
    return MP_STATE_THREAD(mp_pending_exception) == MP_OBJ_FROM_PTR(&MP_STATE_VM(mp_kbd_exception));
}

static void raise_pending(void) {
    mp_handle_pending(true);
}

bool interrupt_unwind(uint64_t *rip, uint64_t *rsp) {
    if (MP_STATE_THREAD(nlr_top) == NULL || MP_STATE_THREAD(gc_lock_depth) != 0) {
        return false;
    }
    *rip = (uint64_t)raise_pending;
    *rsp = (*rsp & ~15ull) - 8;     // as behind a call; there is no red zone
    return true;
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
