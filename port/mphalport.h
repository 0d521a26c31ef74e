// The HAL that py/mphal.h asks for: atomic sections and what mphalport.c adds to its list.

#include <stdint.h>
#include <stddef.h>
#include "py/obj.h"

// Interrupts off while the scheduler's queue is touched; gives back what they were.
#ifndef MICROPY_BEGIN_ATOMIC_SECTION
static inline uintptr_t mp_hal_irq_off(void) {
    uintptr_t flags;
    __asm__ volatile ("pushfq\n\tpopq %0\n\tcli" : "=r" (flags) : : "memory");
    return flags;
}
static inline void mp_hal_irq_restore(uintptr_t flags) {
    __asm__ volatile ("pushq %0\n\tpopfq" : : "r" (flags) : "memory", "cc");
}
#define MICROPY_BEGIN_ATOMIC_SECTION()      mp_hal_irq_off()
#define MICROPY_END_ATOMIC_SECTION(state)   mp_hal_irq_restore(state)
#endif

void mp_hal_set_interrupt_char(int c);      // -1: none
void mp_hal_get_random(size_t len, void *buf);  // OSError(ENODEV) where there is no source
void mp_hal_wait_until(uint64_t deadline_ns);   // handle events until clock_ns() reaches it
mp_obj_t mp_hal_redirect(mp_obj_t stream);  // stdout goes there, None: the console -> where it went
