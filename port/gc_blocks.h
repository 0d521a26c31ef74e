// The collected heap seen as blocks: what gc_heap.c, gc_alloc.c, gc_collect.c and gc_info.c share.
//
// The pool is one range of blocks. A table of two bits a block says what each is; it ends with a word
// of zeroes, so that runs end with the pool. Another table, one bit a block, says which objects have a
// finaliser. Words of the tables are read 64 bits at a time, at any byte: little-endian.
#ifndef KEELBACK_PORT_GC_BLOCKS_H
#define KEELBACK_PORT_GC_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "py/mpconfig.h"

#define BLOCK_LEN       MICROPY_BYTES_PER_GC_BLOCK
#define BLOCKS_PER_BYTE 4u                      // of the table of kinds
#define BLOCKS_PER_WORD 32u
#define NO_BLOCK        SIZE_MAX

enum { KIND_FREE, KIND_HEAD, KIND_TAIL, KIND_MARK };    // MARK: a head that was reached
#define ALL_FREE        0u
#define ALL_HEADS       0x5555555555555555u
#define ALL_TAILS       0xaaaaaaaaaaaaaaaau

typedef struct {
    uint8_t *pool, *kinds, *finalisers;
    size_t blocks;                              // in the pool; a multiple of BLOCKS_PER_WORD
    size_t top;                                 // no block from here on is in use
} gc_blocks_t;
extern gc_blocks_t gc_blocks;                   // gc_heap.c

// gc_heap.c: more free blocks at the pool's end, for a run of count to fit there; false: no memory.
bool gc_grow(size_t count);
void gc_trim(void);                             // give most of it back where three quarters are free
// gc_collect.c: collect for the sake of an allocation; gc_collect(), when asked to, also trims.
void gc_collect_keep(void);
// gc_alloc.c: blocks before this one are all in use, and nothing is known about free runs behind it.
void gc_search_from(size_t block);

static inline uint64_t kinds_at(size_t byte) {
    uint64_t word;
    memcpy(&word, gc_blocks.kinds + byte, sizeof(word));
    return word;
}

static inline void kinds_put(size_t byte, uint64_t word) {
    memcpy(gc_blocks.kinds + byte, &word, sizeof(word));
}

static inline unsigned kind_of(size_t block) {
    return gc_blocks.kinds[block / BLOCKS_PER_BYTE] >> 2 * (block % BLOCKS_PER_BYTE) & 3;
}

// How many blocks in a row, from this one on, are of the kind that fills the pattern. At least limit
// where that many are; the answer may then be larger.
static inline size_t run_of(uint64_t pattern, size_t block, size_t limit) {
    size_t count = 0;
    do {
        size_t at = block + count, skip = at % BLOCKS_PER_BYTE;
        uint64_t other = (kinds_at(at / BLOCKS_PER_BYTE) ^ pattern) >> 2 * skip;
        if (other != 0) {
            return count + (unsigned)__builtin_ctzll(other) / 2;
        }
        count += BLOCKS_PER_WORD - skip;
    } while (count < limit);
    return count;
}

static inline size_t object_blocks(size_t head) {
    return 1 + run_of(ALL_TAILS, head + 1, SIZE_MAX);
}

static inline size_t block_of(const void *ptr) {
    return ((const uint8_t *)ptr - gc_blocks.pool) / BLOCK_LEN;
}

static inline void *block_ptr(size_t block) {
    return gc_blocks.pool + block * BLOCK_LEN;
}

#endif
