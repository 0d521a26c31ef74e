// Allocating, freeing and resizing: py/gc.h's gc_alloc, gc_free, gc_realloc and gc_nbytes.
//
// First fit, 32 blocks at a time: small objects fill the pool from below and leave its end to large
// ones. For each short length the place is remembered before which no run of it starts. Memory that is
// handed out is zero: what objects do not fill must not hold old pointers, and qstr.c relies on it.

#include "py/gc.h"
#include "py/mpstate.h"
#include "gc_blocks.h"
#include "gc_sites.h"

#define HALF            (BLOCKS_PER_WORD / 2)   // places are numbers of half-words of the table of kinds
#define HALF_LEN        (HALF / BLOCKS_PER_BYTE)
#define SHORT_MAX       HALF                    // blocks; two half-words hold every run of them
#define KNOWN_MAX       8                       // lengths above it use its place

static size_t first[KNOWN_MAX + 1];             // [length]: no free run of it starts before this place
static size_t freed = NO_BLOCK;                 // lowest place where a run may have begun since, length 1 excepted

void gc_search_from(size_t block) {
    for (size_t count = 1; count <= KNOWN_MAX; count++) {
        first[count] = block / HALF;
    }
    freed = NO_BLOCK;
}

static inline size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static inline size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

// ---- the search for free blocks ---------------------------------------------------------------------------
// Bit 2k is set where block k from that half-word on is free.
static inline uint64_t free_blocks(size_t half) {
    uint64_t kinds = kinds_at(half * HALF_LEN);
    return ~(kinds | kinds >> 1) & ALL_HEADS;
}

// A run that is freed may begin a longer one up to its length earlier.
static inline void note_freed(size_t block) {
    first[1] = least(first[1], block / HALF);
    freed = least(freed, (block - least(block, SHORT_MAX)) / HALF);
}

static inline size_t search_start(size_t count) {
    size_t known = least(count, KNOWN_MAX);
    if (freed < first[known]) {
        for (size_t i = 2; i <= KNOWN_MAX; i++) {
            first[i] = least(first[i], freed);
        }
        freed = NO_BLOCK;
    }
    return most(first[known], first[1]);
}

static size_t find_one(void) {
    size_t end = gc_blocks.blocks / HALF;
    for (size_t half = first[1]; half < end; half += 2) {
        uint64_t free = free_blocks(half);
        if (free != 0) {
            size_t block = half * HALF + (unsigned)__builtin_ctzll(free) / 2;
            first[1] = block / HALF;
            return block;
        }
    }
    first[1] = end;
    return NO_BLOCK;
}

// Up to SHORT_MAX: words overlap by half, so that each short run lies within one.
static size_t find_short(size_t count) {
    size_t end = gc_blocks.blocks / HALF;
    for (size_t half = search_start(count); half < end; half++) {
        uint64_t runs = free_blocks(half);
        for (size_t have = 1; have < count && runs != 0;) {
            size_t step = least(have, count - have);
            runs &= runs >> 2 * step;
            have += step;
        }
        if (runs != 0) {
            first[least(count, KNOWN_MAX)] = count <= KNOWN_MAX ? half : first[KNOWN_MAX];
            return half * HALF + (unsigned)__builtin_ctzll(runs) / 2;
        }
    }
    return NO_BLOCK;
}

// More: add up the free blocks at the ends of words and in empty words.
static size_t find_long(size_t count) {
    size_t run = 0, end = gc_blocks.blocks / HALF;
    for (size_t half = search_start(count); half < end; half += 2) {
        uint64_t used = free_blocks(half) ^ ALL_HEADS;
        size_t before = used == 0 ? BLOCKS_PER_WORD : (unsigned)__builtin_ctzll(used) / 2;
        if (run + before >= count) {
            return half * HALF - run;
        }
        run = used == 0 ? run + BLOCKS_PER_WORD : (unsigned)__builtin_clzll(used) / 2;
    }
    return NO_BLOCK;
}

// The first block of a free run. The words read may reach past the pool's end, so may what was found.
static size_t find(size_t count) {
    size_t block = count == 1 ? find_one() : count <= SHORT_MAX ? find_short(count) : find_long(count);
    return count <= gc_blocks.blocks && block <= gc_blocks.blocks - count ? block : NO_BLOCK;
}

// Nothing free: collect if at least half as much as the heap was handed out since the last time, else
// grow, so that a heap that is nearly full grows rather than collects over and over.
static __attribute__((noinline)) size_t find_hard(size_t count) {
    bool may_collect = MP_STATE_MEM(gc_auto_collect_enabled);
    size_t block = NO_BLOCK;
    if (may_collect && MP_STATE_MEM(gc_alloc_amount) >= gc_blocks.blocks / 2) {
        gc_collect_keep();
        may_collect = false;
        block = find(count);
    }
    if (block == NO_BLOCK && gc_grow(count)) {
        block = find(count);
    }
    if (block == NO_BLOCK && may_collect) {
        gc_collect_keep();
        block = find(count);
        block = block == NO_BLOCK && gc_grow(count) ? find(count) : block;
    }
    return block;
}

// ---- the table of kinds ----------------------------------------------------------------------------------
// Fill the kinds from one block to before another with a byte's pattern, ALL_FREE or ALL_TAILS.
static void kinds_fill(size_t block, size_t end, uint8_t pattern) {
    uint8_t *at = gc_blocks.kinds + block / BLOCKS_PER_BYTE, *last = gc_blocks.kinds + end / BLOCKS_PER_BYTE;
    uint8_t from = 0xff << 2 * (block % BLOCKS_PER_BYTE), to = ~(0xff << 2 * (end % BLOCKS_PER_BYTE));
    if (at == last) {
        from &= to;
        *at = (*at & ~from) | (pattern & from);
        return;
    }
    *at = (*at & ~from) | (pattern & from);
    memset(at + 1, pattern, last - at - 1);
    *last = (*last & ~to) | (pattern & to);
}

// A short object's kinds are within the word that starts at its first block's byte.
static inline void take(size_t block, size_t count) {
    size_t byte = block / BLOCKS_PER_BYTE, shift = 2 * (block % BLOCKS_PER_BYTE);
    if (count <= SHORT_MAX) {
        uint64_t object = (ALL_TAILS >> (64 - 2 * count)) - 1;      // a head and count - 1 tails
        kinds_put(byte, kinds_at(byte) | object << shift);
    } else {
        gc_blocks.kinds[byte] |= KIND_HEAD << shift;
        kinds_fill(block + 1, block + count, (uint8_t)ALL_TAILS);
    }
    gc_blocks.top = most(gc_blocks.top, block + count);
    MP_STATE_MEM(gc_alloc_amount) += count;
}

static inline void release(size_t block, size_t count) {
    size_t byte = block / BLOCKS_PER_BYTE, shift = 2 * (block % BLOCKS_PER_BYTE);
    if (count <= SHORT_MAX) {
        kinds_put(byte, kinds_at(byte) & ~(UINT64_MAX >> (64 - 2 * count) << shift));
    } else {
        kinds_fill(block, block + count, ALL_FREE);
    }
    note_freed(block);
}

// ---- py/gc.h ------------------------------------------------------------------------------------------------
static inline size_t blocks_for(size_t len) {
    return len / BLOCK_LEN + (len % BLOCK_LEN != 0);
}

static inline void sample_site(size_t block, size_t count) {
    if (gc_sites_on && MP_STATE_MEM(gc_alloc_amount) >= MP_STATE_MEM(gc_alloc_threshold)) {
        gc_sites_sample(block, count);
    }
}

// An object of that many blocks. Its first keep bytes are not zeroed: the caller fills them.
static void *alloc(size_t count, unsigned int flags, size_t keep) {
    if (count == 0 || MP_STATE_THREAD(gc_lock_depth) > 0) {
        return NULL;
    }
    if (MP_STATE_MEM(gc_alloc_amount) >= MP_STATE_MEM(gc_alloc_threshold) && MP_STATE_MEM(gc_auto_collect_enabled)
        && !gc_sites_on) {
        gc_collect_keep();
    }
    size_t block = find(count);
    if (block == NO_BLOCK && (block = find_hard(count)) == NO_BLOCK) {
        return NULL;
    }
    take(block, count);
    sample_site(block, count);
    uint8_t *ptr = block_ptr(block);
    memset(ptr + keep, 0, count * BLOCK_LEN - keep);
    if (flags & GC_ALLOC_FLAG_HAS_FINALISER) {
        gc_blocks.finalisers[block / 8] |= 1 << block % 8;
    }
    return ptr;
}

// Most objects are one block without a finaliser, and most find one in the first word that is looked at.
void *gc_alloc(size_t n_bytes, unsigned int flags) {
    bool simple = n_bytes - 1 < BLOCK_LEN && flags == 0 && MP_STATE_THREAD(gc_lock_depth) == 0
        && MP_STATE_MEM(gc_alloc_amount) < MP_STATE_MEM(gc_alloc_threshold);
    uint64_t free = simple ? free_blocks(first[1]) : 0;
    size_t block = first[1] * HALF + (unsigned)__builtin_ctzll(free | 1ull << 63) / 2;
    if (free == 0 || block >= gc_blocks.blocks) {
        return alloc(blocks_for(n_bytes), flags, 0);
    }
    take(block, 1);
    first[1] = block / HALF;
    return __builtin_memset(block_ptr(block), 0, BLOCK_LEN);
}

// Freeing only hastens what the next collection does. Finalisers may free while one is under way.
void gc_free(void *ptr) {
    if (ptr == NULL || (MP_STATE_THREAD(gc_lock_depth) & ~GC_COLLECT_FLAG) != 0) {
        return;
    }
    size_t block = block_of(ptr), count = object_blocks(block);
    gc_blocks.finalisers[block / 8] &= ~(1 << block % 8);
    if (gc_sites_on) {
        gc_sites_freed(block);
    }
    release(block, count);
}

size_t gc_nbytes(const void *ptr) {
    size_t at = (const uint8_t *)ptr - gc_blocks.pool;
    bool object = at < gc_blocks.blocks * BLOCK_LEN && at % BLOCK_LEN == 0 && kind_of(at / BLOCK_LEN) == KIND_HEAD;
    return object ? object_blocks(at / BLOCK_LEN) * BLOCK_LEN : 0;
}

static bool extend(size_t block, size_t have, size_t count) {
    size_t end = block + have, lacking = count - have;
    if (gc_blocks.blocks - end < lacking || run_of(ALL_FREE, end, lacking) < lacking) {
        return false;
    }
    kinds_fill(end, block + count, (uint8_t)ALL_TAILS);
    memset(block_ptr(end), 0, lacking * BLOCK_LEN);
    gc_blocks.top = most(gc_blocks.top, block + count);
    MP_STATE_MEM(gc_alloc_amount) += lacking;
    sample_site(block, count);
    return true;
}

static void *move(void *ptr, size_t block, size_t have, size_t count) {
    bool finaliser = gc_blocks.finalisers[block / 8] >> block % 8 & 1;
    void *moved = alloc(count, finaliser ? GC_ALLOC_FLAG_HAS_FINALISER : 0, have * BLOCK_LEN);
    if (moved != NULL) {
        memcpy(moved, ptr, have * BLOCK_LEN);
        gc_free(ptr);
    }
    return moved;
}

void *gc_realloc(void *ptr, size_t n_bytes, bool allow_move) {
    if (ptr == NULL) {
        return gc_alloc(n_bytes, 0);
    }
    if (n_bytes == 0) {
        gc_free(ptr);
        return NULL;
    }
    if (MP_STATE_THREAD(gc_lock_depth) > 0) {
        return NULL;
    }
    size_t block = block_of(ptr), have = object_blocks(block), count = blocks_for(n_bytes);
    if (count < have) {
        release(block + count, have - count);
    } else if (count > have && !extend(block, have, count)) {
        return allow_move ? move(ptr, block, have, count) : NULL;
    }
    return ptr;
}
