// Collecting: py/gc.h's marking of what the roots reach, finalisers, and sweeping of the rest.
//
// Conservative: any word that equals an object's address keeps the object. Marking looks at four words
// at a time and lets through those whose upper half is that of addresses in the pool. Its stack holds
// the blocks from which on objects are still to be scanned; long ones are scanned in parts, so that it
// need not hold all that a long list holds. Sweeping works on 32 blocks at a time.

#include <emmintrin.h>

#include "py/gc.h"
#include "py/mpstate.h"
#include "py/runtime.h"
#include "shared/runtime/gchelper.h"
#include "boot/boot.h"
#include "gc_blocks.h"
#include "gc_sites.h"

#define WORDS_PER_BLOCK (BLOCK_LEN / sizeof(uintptr_t))
#define PART_BLOCKS     BLOCKS_PER_WORD         // scanned at a time
#define PART_WORDS      (PART_BLOCKS * WORDS_PER_BLOCK)
#define PART_PUSHES     (PART_WORDS + 1)        // at most, the rest of the object included
#define STACK_FIRST     1024                    // entries
#define STEP_WORDS      4

_Static_assert(WORDS_PER_BLOCK % STEP_WORDS == 0, "blocks are scanned in whole steps");

static size_t stack_first[STACK_FIRST];
static size_t *stack = stack_first, *stack_limit = stack_first + STACK_FIRST - PART_PUSHES;
static size_t stack_pages;                      // 0: stack_first
static bool stack_overflow;

// ---- the stack ------------------------------------------------------------------------------------------
static void stack_free(void) {
    if (stack_pages != 0) {
        page_free(stack, stack_pages);
    }
    stack = stack_first;
    stack_limit = stack_first + STACK_FIRST - PART_PUSHES;
    stack_pages = 0;
}

// -> sp in a stack twice as large, or NULL where there is no memory: then an object stays unscanned.
static __attribute__((noinline)) size_t *stack_grow(size_t *sp) {
    size_t used = sp - stack, room = 2 * (stack_limit + PART_PUSHES - stack);
    size_t pages = room * sizeof(size_t) / PAGE_SIZE, *grown = page_alloc(pages);
    if (grown == NULL) {
        stack_overflow = true;
        return NULL;
    }
    memcpy(grown, stack, used * sizeof(size_t));
    stack_free();
    stack = grown;
    stack_limit = grown + room - PART_PUSHES;
    stack_pages = pages;
    return stack + used;
}

// ---- marking ----------------------------------------------------------------------------------------------
// The pool as marking sees it; a copy, because the table's bytes might alias the original.
typedef struct {
    uintptr_t pool, len;
    uint8_t *kinds;
    __m128i upper, mask;                        // (upper half of an address & mask) == upper: perhaps in the pool
} view_t;

#define INLINE static inline __attribute__((always_inline))

INLINE view_t view_make(void) {
    uintptr_t start = (uintptr_t)gc_blocks.pool, len = gc_blocks.blocks * BLOCK_LEN;
    uint32_t mask = ~0u, first = start >> 32, last = (start + len - 1) >> 32;
    while ((first & mask) != (last & mask)) {
        mask <<= 1;
    }
    return (view_t) { start, len, gc_blocks.kinds, _mm_set1_epi32(first & mask), _mm_set1_epi32(mask) };
}

// Each of these takes the stack's pointer and returns it.
INLINE size_t *mark_word(view_t v, uintptr_t word, size_t *sp) {
    uintptr_t at = word - v.pool;
    if (at < v.len && at % BLOCK_LEN == 0) {
        unsigned shift = at / (BLOCK_LEN / 2) % 8;
        uint8_t *kinds = v.kinds + at / (BLOCK_LEN * BLOCKS_PER_BYTE);
        if ((*kinds >> shift & 3) == KIND_HEAD) {
            *kinds |= KIND_MARK << shift;
            *sp++ = at / BLOCK_LEN;
        }
    }
    return sp;
}

// At least one step, and only whole ones.
INLINE size_t *scan(view_t v, const uintptr_t *words, const uintptr_t *end, size_t *sp) {
    do {
        __m128 low = _mm_loadu_ps((const float *)words), high = _mm_loadu_ps((const float *)(words + 2));
        __m128i upper = _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1)));
        __m128i equal = _mm_cmpeq_epi32(_mm_and_si128(upper, v.mask), v.upper);
        for (unsigned hits = _mm_movemask_ps(_mm_castsi128_ps(equal)); hits != 0; hits &= hits - 1) {
            sp = mark_word(v, words[(unsigned)__builtin_ctz(hits)], sp);
        }
        words += STEP_WORDS;
    } while (words < end);
    return sp;
}

// Scan the object that has this block, from it on; what is left after one part goes back on the stack.
INLINE size_t *scan_part(view_t v, size_t block, size_t *sp) {
    size_t count = 1 + run_of(ALL_TAILS, block + 1, PART_BLOCKS);
    if (count > PART_BLOCKS) {
        count = PART_BLOCKS;
        *sp++ = block + PART_BLOCKS;
    }
    const uintptr_t *words = (const uintptr_t *)(v.pool + block * BLOCK_LEN);
    return scan(v, words, words + count * WORDS_PER_BLOCK, sp);
}

static void drain(view_t v, size_t *sp) {
    while (sp > stack) {
        size_t block = *--sp, *grown = sp;
        if (sp > stack_limit && (grown = stack_grow(sp)) == NULL) {
            continue;
        }
        sp = scan_part(v, block, grown);
    }
}

void gc_collect_root(void **ptrs, size_t len) {
    const uintptr_t *words = (const uintptr_t *)ptrs;
    view_t v = view_make();
    for (size_t count; len >= STEP_WORDS; len -= count, words += count) {
        count = (len < PART_WORDS ? len : PART_WORDS) & ~(size_t)(STEP_WORDS - 1);
        drain(v, scan(v, words, words + count, stack));
    }
    for (; len > 0; len--, words++) {
        drain(v, mark_word(v, *words, stack));
    }
}

// The stack could not grow: some objects that are marked were not scanned, so scan them all.
static void mark_again(void) {
    while (stack_overflow) {
        stack_overflow = false;
        for (size_t block = 0; block < gc_blocks.top; block++) {
            if (kind_of(block) == KIND_MARK) {
                *stack = block;
                drain(view_make(), stack + 1);
            }
        }
    }
}

// ---- finalisers ------------------------------------------------------------------------------------------------
static void call_finaliser(mp_obj_base_t *object) {
    mp_obj_t method[2] = { MP_OBJ_NULL };
    if (object->type != NULL) {                 // NULL: allocated, but its making failed
        mp_load_method_maybe(MP_OBJ_FROM_PTR(object), MP_QSTR___del__, method);
    }
    if (method[0] != MP_OBJ_NULL) {
        mp_sched_lock();
        mp_call_function_1_protected(method[0], method[1]);
        mp_sched_unlock();
    }
}

static void finalise(void) {
    for (size_t block = 0; block < gc_blocks.top; block += 64) {
        uint64_t bits;
        memcpy(&bits, gc_blocks.finalisers + block / 8, sizeof(bits));
        for (; bits != 0; bits &= bits - 1) {
            size_t at = block + __builtin_ctzll(bits);
            if (kind_of(at) == KIND_HEAD) {
                call_finaliser(block_ptr(at));
                gc_blocks.finalisers[at / 8] &= ~(1 << at % 8);
            }
        }
    }
}

// ---- sweeping ------------------------------------------------------------------------------------------------
static size_t count_ones(uint64_t pairs) {      // of which each has at most one
    pairs = (pairs & 0x3333333333333333u) + (pairs >> 2 & 0x3333333333333333u);
    return (((pairs + (pairs >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u) >> 56;
}

// What becomes of a word of kinds: marks are heads again, other heads and their tails are free.
// *dead: an object that goes continues here; at the end, in the next word. A tail's two bits are set
// in runs, so that adding one to the run's lowest bit, where its object goes, carries through it.
static inline uint64_t sweep_word(uint64_t kinds, uint64_t *dead) {
    uint64_t low = kinds & ALL_HEADS, high = kinds >> 1 & ALL_HEADS;
    uint64_t heads = low & ~high, tails = high & ~low, runs = tails * 3;
    uint64_t starts = (heads << 2 | *dead) & runs, carried;
    bool over = __builtin_add_overflow(runs, starts, &carried);
    *dead = over | heads >> 62;
    return (low & high) | ((tails & carried) << 1);
}

static void sweep(void) {
    size_t collected = 0, top = 0, first_free = NO_BLOCK;
    uint64_t dead = 0;
    for (size_t block = 0; block < gc_blocks.top; block += BLOCKS_PER_WORD) {
        uint64_t kinds = kinds_at(block / BLOCKS_PER_BYTE), left = kinds;
        if (kinds != ALL_TAILS || dead) {
            left = sweep_word(kinds, &dead);
            kinds_put(block / BLOCKS_PER_BYTE, left);
            collected += count_ones(kinds & ~(kinds >> 1) & ALL_HEADS);
        }
        uint64_t used = (left | left >> 1) & ALL_HEADS;
        top = used != 0 ? block + BLOCKS_PER_WORD - __builtin_clzll(used) / 2 : top;
        first_free = used != ALL_HEADS && first_free == NO_BLOCK ? block : first_free;
    }
    MP_STATE_MEM(gc_collected) = collected;
    gc_search_from(first_free < top ? first_free : top);
    gc_blocks.top = top;
}

// ---- py/gc.h ---------------------------------------------------------------------------------------------------
void gc_lock(void) {
    MP_STATE_THREAD(gc_lock_depth) += 1 << GC_LOCK_DEPTH_SHIFT;
}

void gc_unlock(void) {
    MP_STATE_THREAD(gc_lock_depth) -= 1 << GC_LOCK_DEPTH_SHIFT;
}

bool gc_is_locked(void) {
    return MP_STATE_THREAD(gc_lock_depth) != 0;
}

// The roots are one range of mp_state_ctx, from the thread's dictionaries to the last of the VM's.
void gc_collect_start(void) {
    MP_STATE_THREAD(gc_lock_depth) |= GC_COLLECT_FLAG;
    if (gc_sites_on) {
        gc_sites_collect();
    }
    MP_STATE_MEM(gc_alloc_amount) = 0;
    char *from = (char *)&mp_state_ctx.thread.dict_locals, *to = (char *)&mp_state_ctx.vm.qstr_last_chunk;
    gc_collect_root((void **)from, (to - from) / sizeof(void *));
}

void gc_collect_end(void) {
    mark_again();
    stack_free();
    if (gc_sites_on) {
        gc_sites_sweep();
    }
    finalise();
    sweep();
    MP_STATE_THREAD(gc_lock_depth) &= ~GC_COLLECT_FLAG;
}

void gc_sweep_all(void) {
    MP_STATE_THREAD(gc_lock_depth) |= GC_COLLECT_FLAG;
    gc_collect_end();
}

void gc_collect_keep(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

void gc_collect(void) {
    gc_collect_keep();
    gc_trim();
}
