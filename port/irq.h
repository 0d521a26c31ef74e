// Functions of Python that devices and lwIP call, and Ctrl-C meanwhile: modirq.c, interrupt.c.
#ifndef KEELBACK_PORT_IRQ_H
#define KEELBACK_PORT_IRQ_H

#include <stdbool.h>
#include "py/obj.h"
#include "py/runtime.h"
#include "boot/boot.h"

void irq_shield(mp_obj_t function);                 // call it to its end, Ctrl-C waits; what it raises is printed
bool irq_defers_interrupt(void);
void interrupt_deferred(void);                      // raise the Ctrl-C that waited
bool irq_defer_interrupt(bool on);                  // Ctrl-C waits while it is on; -> what it was before
// A function that is called softly at a time, between two bytecodes or by whoever waits.
typedef struct {
    alarm_t alarm;                                  // .fn is soft_alarm_ring
    mp_sched_node_t node;
    mp_sched_callback_t fn;
} soft_alarm_t;
void soft_alarm_ring(alarm_t *alarm);
void irq_deinit(void);                              // before the interpreter ends

#endif
