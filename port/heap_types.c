// What lies in the collected heap, by type and size: a walk over its blocks.
//
// An object begins with a pointer to its type; other blocks are tables and texts that an object owns, or what the
// interpreter keeps for itself. The first pass goes through the objects and counts what they own as theirs, marking those
// blocks as the collector would; the second counts the rest and takes the marks back. Nothing is allocated meanwhile.
// It tells types by their address being that of a type: data that happens to begin with such an address counts
// as an object. Left out: what owns the interpreter's own blocks (bytecode, interned strings).

#include "py/bc.h"
#include "py/objarray.h"
#include "py/objint.h"
#include "py/objlist.h"
#include "py/objmodule.h"
#include "py/objstr.h"
#include "py/objtype.h"
#include "py/runtime.h"
#include "gc_blocks.h"
#include "heap_types.h"

#define EXACT_BLOCKS 32u            // sizes up to here are counted one by one

extern const char rodata_start[], rodata_end[];     // boot/keelback.lds

static bool in_pool(const void *p) {
    uintptr_t at = (const uint8_t *)p - gc_blocks.pool;
    return at < gc_blocks.top * BLOCK_LEN && at % BLOCK_LEN == 0 && (kind_of(at / BLOCK_LEN) & 1) != 0;
}

static const mp_obj_type_t *type_of(size_t block) {
    const mp_obj_type_t *type = ((const mp_obj_base_t *)block_ptr(block))->type;
    uintptr_t at = (const char *)type - rodata_start, len = rodata_end - rodata_start;
    bool builtin = (uintptr_t)type % sizeof(void *) == 0 && at < len && len - at >= sizeof(mp_obj_type_t);
    return (builtin || in_pool(type)) && type->base.type == &mp_type_type ? type : NULL;
}

// ---- rows -----------------------------------------------------------------------------------------------------
static uint32_t size_class(size_t blocks) {
    return blocks <= EXACT_BLOCKS ? blocks : 1u << (31 - __builtin_clz((uint32_t)MIN(blocks, UINT32_MAX / 2)));
}

static heap_row_t *row_for(heap_row_t *rows, const mp_obj_type_t *type, bool data, uint32_t class) {
    uint32_t at = ((uint32_t)(uintptr_t)type / 8 * 31 + class * 2 + data) * 2654435761u >> 16;
    for (uint32_t i = 0; i < HEAP_ROWS - 1; i++, at++) {
        heap_row_t *row = &rows[at % (HEAP_ROWS - 1)];
        if (row->count == 0) {
            *row = (heap_row_t) { type, data, class, 0, 0 };
        }
        if (row->type == type && row->data == data && row->blocks == class) {
            return row;
        }
    }
    return &rows[HEAP_ROWS - 1];
}

static void count(heap_row_t *rows, const mp_obj_type_t *type, bool data, size_t blocks) {
    heap_row_t *row = row_for(rows, type, data, size_class(blocks));
    row->count++;
    row->bytes += blocks * BLOCK_LEN;
}

// ---- what objects own -------------------------------------------------------------------------------------------
typedef struct { mp_obj_base_t base; mp_set_t set; } set_t;     // as in py/objset.c, which has no header for it

static const void *owned_by(const mp_obj_type_t *type, const void *object) {
    if (type == &mp_type_str || type == &mp_type_bytes) {
        return ((const mp_obj_str_t *)object)->data;
    }
    if (type == &mp_type_bytearray || type == &mp_type_array) {
        return ((const mp_obj_array_t *)object)->items;
    }
    if (type == &mp_type_list) {
        return ((const mp_obj_list_t *)object)->items;
    }
    if (type == &mp_type_dict || type == &mp_type_ordereddict) {
        return ((const mp_obj_dict_t *)object)->map.table;
    }
    if (type == &mp_type_set) {
        return ((const set_t *)object)->set.table;
    }
    if (type == &mp_type_int) {
        return ((const mp_obj_int_t *)object)->mpz.dig;
    }
    return mp_obj_is_instance_type(type) ? ((const mp_obj_instance_t *)object)->members.table : NULL;
}

static void claim(heap_row_t *rows, size_t block) {
    const mp_obj_type_t *type = type_of(block);
    const void *data = type == NULL ? NULL : owned_by(type, block_ptr(block));
    if (data == NULL || !in_pool(data) || kind_of(block_of(data)) != KIND_HEAD) {
        return;
    }
    size_t owned = block_of(data);
    gc_blocks.kinds[owned / BLOCKS_PER_BYTE] |= KIND_MARK << 2 * (owned % BLOCKS_PER_BYTE);
    count(rows, type, true, object_blocks(owned));
}

// Objects and what they own are of a kind with the lowest bit set.
static size_t next_head(size_t block) {
    while (block < gc_blocks.top && (kind_of(block) & 1) == 0) {
        uint64_t pattern = kind_of(block) == KIND_FREE ? ALL_FREE : ALL_TAILS;
        block += MIN(run_of(pattern, block, gc_blocks.top - block), gc_blocks.top - block);
    }
    return block;
}

void heap_types(heap_row_t *rows) {
    for (size_t block = next_head(0); block < gc_blocks.top; block = next_head(block + 1)) {
        claim(rows, block);
    }
    for (size_t block = next_head(0); block < gc_blocks.top; block = next_head(block + 1)) {
        if (kind_of(block) == KIND_MARK) {
            gc_blocks.kinds[block / BLOCKS_PER_BYTE] &= ~(2 << 2 * (block % BLOCKS_PER_BYTE));
        } else {
            count(rows, type_of(block), false, object_blocks(block));
        }
    }
}
