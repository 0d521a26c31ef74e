// What lies in the collected heap, by type and size: heap_types.c.
#ifndef KEELBACK_PORT_HEAP_TYPES_H
#define KEELBACK_PORT_HEAP_TYPES_H

#include "py/obj.h"

// Objects of one type and size, or (data) the tables and texts that belong to objects of that type.
typedef struct {
    const mp_obj_type_t *type;      // NULL: what no type was found for
    bool data;
    uint32_t blocks;                // BLOCK_LEN bytes; large ones are counted under the next lower power of two
    uint64_t count, bytes;
} heap_row_t;

#define HEAP_ROWS 1025u             // the last one counts what found no other
// Count what the heap holds into rows[HEAP_ROWS], which are zero; those without a count stay unused.
void heap_types(heap_row_t *rows);

#endif
