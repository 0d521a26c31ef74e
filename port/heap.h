// The collected heap's areas: heap.c.
#ifndef KEELBACK_PORT_HEAP_H
#define KEELBACK_PORT_HEAP_H

#include <stdbool.h>

bool heap_init(void);       // the first area, the same one after a soft reset; false: no memory

#endif
