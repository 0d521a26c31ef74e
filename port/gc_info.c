// Telling what is in the collected heap: py/gc.h's gc_info and what micropython.mem_info() prints.

#include "py/gc.h"
#include "py/runtime.h"
#include "gc_blocks.h"

#define BLOCKS_PER_LINE 64u

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

void gc_info(gc_info_t *info) {
    *info = (gc_info_t) { .total = gc_blocks.blocks * BLOCK_LEN, .max_new_split = gc_get_max_new_split() };
    size_t used = 0;
    for (size_t block = 0, count; block < gc_blocks.blocks; block += count) {
        if (kind_of(block) == KIND_FREE) {
            count = run_of(ALL_FREE, block, gc_blocks.blocks - block);
            count = count < gc_blocks.blocks - block ? count : gc_blocks.blocks - block;
            info->max_free = larger(info->max_free, count);
            continue;
        }
        count = object_blocks(block);
        used += count;
        info->num_1block += count == 1;
        info->num_2block += count == 2;
        info->max_block = larger(info->max_block, count);
    }
    info->used = used * BLOCK_LEN;
    info->free = info->total - info->used;
}

void gc_dump_info(const mp_print_t *print) {
    gc_info_t info;
    gc_info(&info);
    mp_printf(print, "GC: total: %lu, used: %lu, free: %lu, max new split: %lu\n", (unsigned long)info.total,
        (unsigned long)info.used, (unsigned long)info.free, (unsigned long)info.max_new_split);
    mp_printf(print, " No. of 1-blocks: %lu, 2-blocks: %lu, max blk sz: %lu, max free sz: %lu\n", (unsigned long)info.num_1block,
        (unsigned long)info.num_2block, (unsigned long)info.max_block, (unsigned long)info.max_free);
}

// The letter that MicroPython's documentation of mem_info gives a kind of object.
static char head_letter(const mp_obj_base_t *object) {
    static const struct { const mp_obj_type_t *type; char letter; } letters[] = {
        { &mp_type_tuple, 'T' }, { &mp_type_list, 'L' }, { &mp_type_dict, 'D' }, { &mp_type_str, 'S' },
        { &mp_type_bytes, 'S' }, { &mp_type_bytearray, 'A' }, { &mp_type_array, 'A' }, { &mp_type_float, 'F' },
        { &mp_type_fun_bc, 'B' }, { &mp_type_module, 'M' },
    };
    for (size_t i = 0; i < MP_ARRAY_SIZE(letters); i++) {
        if (object->type == letters[i].type) {
            return letters[i].letter;
        }
    }
    return 'h';
}

static char block_letter(size_t block) {
    unsigned kind = kind_of(block);
    return kind == KIND_HEAD ? head_letter(block_ptr(block)) : kind == KIND_TAIL ? '=' : kind == KIND_MARK ? 'm' : '.';
}

// A line for every 64 blocks; two or more lines of free blocks are one line that says how many.
void gc_dump_alloc_table(const mp_print_t *print) {
    mp_printf(print, "GC memory layout; from %p:", gc_blocks.pool);
    for (size_t block = 0; block < gc_blocks.blocks; block += BLOCKS_PER_LINE) {
        size_t left = gc_blocks.blocks - block, lines = run_of(ALL_FREE, block, left) / BLOCKS_PER_LINE;
        lines = lines < left / BLOCKS_PER_LINE ? lines : left / BLOCKS_PER_LINE;
        if (lines >= 2) {
            mp_printf(print, "\n       (%lu lines all free)", (unsigned long)lines);
            block += (lines - 1) * BLOCKS_PER_LINE;
            continue;
        }
        mp_printf(print, "\n%08lx: ", (unsigned long)(block * BLOCK_LEN));
        for (size_t i = block; i < block + BLOCKS_PER_LINE; i++) {
            mp_printf(print, "%c", block_letter(i));
        }
    }
    mp_print_str(print, "\n");
}
