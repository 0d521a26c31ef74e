// Memory that devices read and write: moddma.c.
#ifndef KEELBACK_PORT_MODDMA_H
#define KEELBACK_PORT_MODDMA_H

#include "py/obj.h"

MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(mem_dma_obj);
mp_obj_t mem_view_new(uint64_t addr, size_t len, bool writable);    // a memoryview of bytes
void dma_free_all(void);    // at a soft reset

#endif
