// Where the heap's objects are allocated: each allocation that goes past the next of equally spaced marks in the
// amount allocated is a sample, and stands for all that was allocated since the mark before.
//
// It costs the allocator nothing: its fast path ends at MP_STATE_MEM(gc_alloc_threshold), which is the next mark while
// sampling is on (gc.threshold() has no effect for so long, and ends it where a program calls it). Samples are followed until
// their objects are freed or swept. The caller is the innermost Python function, whichever C function allocates.

#include "py/gc.h"
#include "py/mpstate.h"
#include "gc_blocks.h"
#include "gc_sites.h"
#include "kmem.h"

#define FOLLOWED_MAX 16384u
#define FOLLOWED_BUCKETS 4096u

typedef struct followed {
    struct followed *next;
    chain_t *chain;
    size_t block, weight;           // weight: blocks that it stands for
} followed_t;

bool gc_sites_on;
chains_t gc_sites;
uint64_t gc_sites_dropped;
static size_t interval, threshold_before;
static followed_t *followed, *unused;
static followed_t *buckets[FOLLOWED_BUCKETS];

bool gc_sites_start(size_t interval_blocks, size_t len) {
    gc_sites_free();
    followed = kmem_alloc(FOLLOWED_MAX * sizeof(*followed));
    if (followed == NULL || !chains_begin(&gc_sites, len)) {
        gc_sites_free();
        return false;
    }
    unused = NULL;
    for (size_t i = 0; i < FOLLOWED_MAX; i++) {
        followed[i].next = unused;
        unused = &followed[i];
    }
    memset(buckets, 0, sizeof(buckets));
    gc_sites_dropped = 0;
    interval = interval_blocks;
    threshold_before = MP_STATE_MEM(gc_alloc_threshold);
    MP_STATE_MEM(gc_alloc_threshold) = MP_STATE_MEM(gc_alloc_amount) + interval;
    gc_sites_on = true;
    return true;
}

void gc_sites_stop(void) {
    if (gc_sites_on) {
        gc_sites_on = false;
        MP_STATE_MEM(gc_alloc_threshold) = threshold_before;
    }
}

void gc_sites_free(void) {
    gc_sites_stop();
    chains_end(&gc_sites);
    kmem_free(followed, FOLLOWED_MAX * sizeof(*followed));
    followed = NULL;
}

void gc_sites_sample(size_t block, size_t count) {
    size_t weight = (MP_STATE_MEM(gc_alloc_amount) - MP_STATE_MEM(gc_alloc_threshold)) / interval * interval + interval;
    MP_STATE_MEM(gc_alloc_threshold) += weight;
    chain_t *chain = unused == NULL ? NULL : chains_now(&gc_sites, count, (uint64_t)__builtin_frame_address(0));
    if (chain == NULL) {
        gc_sites_dropped += weight;
        return;
    }
    followed_t *f = unused, **bucket = &buckets[block % FOLLOWED_BUCKETS];
    unused = f->next;
    *f = (followed_t) { *bucket, chain, block, weight };
    *bucket = f;
    chain->counts[0] += weight;
    chain->counts[1] += weight;
}

// Take the followed object that a link points to out of its bucket.
static void forget(followed_t **link) {
    followed_t *f = *link;
    f->chain->counts[1] -= f->weight;
    *link = f->next;
    f->next = unused;
    unused = f;
}

void gc_sites_freed(size_t block) {
    for (followed_t **link = &buckets[block % FOLLOWED_BUCKETS]; *link != NULL;) {
        if ((*link)->block == block) {
            forget(link);
        } else {
            link = &(*link)->next;
        }
    }
}

void gc_sites_collect(void) {
    size_t amount = MP_STATE_MEM(gc_alloc_amount), threshold = MP_STATE_MEM(gc_alloc_threshold);
    MP_STATE_MEM(gc_alloc_threshold) = threshold > amount ? threshold - amount : 1;
}

void gc_sites_sweep(void) {
    for (size_t i = 0; i < FOLLOWED_BUCKETS; i++) {
        for (followed_t **link = &buckets[i]; *link != NULL;) {
            if (kind_of((*link)->block) != KIND_MARK) {
                forget(link);
            } else {
                link = &(*link)->next;
            }
        }
    }
}
