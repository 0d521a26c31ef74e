// The collected heap's beginning: gc_heap.c.
#ifndef KEELBACK_PORT_HEAP_H
#define KEELBACK_PORT_HEAP_H

#include <stdbool.h>

bool heap_init(void);       // an empty heap, as small as the first one after a soft reset; false: no memory

#endif
