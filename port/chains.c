// Chains of running Python functions: walking the records of frames, and keeping each chain once.
//
// Called at any instruction of anything, from the profiler's interrupt. The list of frames is whole at each (frames.c), but
// an innermost record that lies below the stack pointer is one that is just being left, or one that an unwinding has
// jumped over: then there is no chain. Nothing is allocated and nothing of Python is called. Built with general
// registers only.

#include "py/mpconfig.h"
#include "boot/boot.h"
#include "chains.h"
#include "kmem.h"

// -> how many frames there are, CHAIN_DEPTH_MAX + 1 for more; -1: the list is being changed.
static int walk(chains_t *c, uint64_t rsp) {
    uint64_t above = rsp, top = (uint64_t)main_stack_top;
    unsigned depth = 0;
    for (const frame_t *frame = frames_innermost; frame != NULL; frame = frame->caller) {
        if ((uint64_t)frame < above || (uint64_t)frame > top - sizeof(*frame)) {
            return -1;
        }
        if (depth == CHAIN_DEPTH_MAX) {
            return CHAIN_DEPTH_MAX + 1;
        }
        c->places[depth++] = frame_place(frame->code);
        above = (uint64_t)(frame + 1);
    }
    return depth;
}

static uint32_t hash_of(const place_t *places, uint64_t leaf, unsigned depth) {
    uint32_t hash = 2166136261u ^ (uint32_t)leaf;
    for (unsigned i = 0; i < depth; i++) {
        const place_t *p = &places[i];
        hash = (((hash ^ p->function) * 16777619u ^ p->line) * 16777619u ^ p->file) * 16777619u;
    }
    return hash ^ hash >> 16;
}

static bool equal(const chain_t *chain, const chain_t *like, const place_t *places) {
    if (chain->hash != like->hash || chain->leaf != like->leaf || chain->depth != like->depth || chain->deeper != like->deeper) {
        return false;
    }
    for (unsigned i = 0; i < chain->depth; i++) {
        const place_t *a = &chain->places[i], *b = &places[i];
        if (a->file != b->file || a->function != b->function || a->line != b->line) {
            return false;
        }
    }
    return true;
}

static size_t chain_len(unsigned depth) {
    return (sizeof(chain_t) + depth * sizeof(place_t) + 7) & ~(size_t)7;
}

static chain_t *append(chains_t *c, const chain_t *like) {
    size_t len = chain_len(like->depth);
    if (len > c->len - c->used) {
        return NULL;
    }
    chain_t *chain = (chain_t *)(c->room + c->used), **bucket = &c->buckets[like->hash % CHAIN_BUCKETS];
    c->used += len;
    *chain = *like;
    chain->same_bucket = *bucket;
    for (unsigned i = 0; i < like->depth; i++) {
        chain->places[i] = c->places[i];
    }
    *bucket = chain;
    return chain;
}

chain_t *chains_now(chains_t *c, uint64_t leaf, uint64_t rsp) {
    int depth = walk(c, rsp);
    if (depth < 0) {
        return NULL;
    }
    chain_t like = { .leaf = leaf, .deeper = depth > (int)CHAIN_DEPTH_MAX };
    like.depth = like.deeper ? CHAIN_DEPTH_MAX : (unsigned)depth;
    like.hash = hash_of(c->places, leaf, like.depth);
    for (chain_t *chain = c->buckets[like.hash % CHAIN_BUCKETS]; chain != NULL; chain = chain->same_bucket) {
        if (equal(chain, &like, c->places)) {
            return chain;
        }
    }
    return append(c, &like);
}

// ---- outside of interrupts ----------------------------------------------------------------------------------
bool chains_begin(chains_t *c, size_t len) {
    c->room = kmem_alloc(len);
    c->len = len;
    c->used = 0;
    for (size_t i = 0; i < CHAIN_BUCKETS; i++) {
        c->buckets[i] = NULL;
    }
    return c->room != NULL;
}

void chains_end(chains_t *c) {
    kmem_free(c->room, c->len);
    c->room = NULL;
    c->len = c->used = 0;
    c->ended++;
}

const chain_t *chains_next(const chains_t *c, const chain_t *before) {
    const uint8_t *at = before == NULL ? c->room : (const uint8_t *)before + chain_len(before->depth);
    return at < c->room + c->used ? (const chain_t *)at : NULL;
}
