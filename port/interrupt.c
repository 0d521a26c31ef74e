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
