// Functions of Python that devices and lwIP call, and Ctrl-C meanwhile: modirq.c, interrupt.c.
#ifndef KEELBACK_PORT_IRQ_H
#define KEELBACK_PORT_IRQ_H

#include <stdbool.h>
#include "py/obj.h"

void irq_shield(mp_obj_t function);                 // call it to its end, Ctrl-C waits; what it raises is printed
bool irq_defers_interrupt(void);
void interrupt_deferred(void);                      // raise the Ctrl-C that waited
void irq_deinit(void);                              // before the interpreter ends

#endif
