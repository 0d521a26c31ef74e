// Chains of running Python functions, each kept once, with counts: chains.c.
#ifndef KEELBACK_PORT_CHAINS_H
#define KEELBACK_PORT_CHAINS_H

#include <stdbool.h>
#include <stddef.h>
#include "frames.h"

#define CHAIN_DEPTH_MAX 128u        // frames of a chain, from the innermost on
#define CHAIN_BUCKETS 1024u

typedef struct chain {
    struct chain *same_bucket;
    uint64_t leaf;                  // what the user of the chains tells apart beside the functions
    uint64_t counts[2];             // the user's
    uint32_t hash, depth;           // depth: places that follow, innermost first
    bool deeper;                    // there were more, which were not looked at
    place_t places[];
} chain_t;

typedef struct {
    uint8_t *room;                  // chain_t one behind the other
    size_t len, used;
    uint32_t ended;                 // how often
    chain_t *buckets[CHAIN_BUCKETS];
    place_t places[CHAIN_DEPTH_MAX];    // of the walk under way
} chains_t;

bool chains_begin(chains_t *c, size_t len);             // none yet; len: bytes for them; false: no memory
void chains_end(chains_t *c);
// The chain that runs now, of code whose stack pointer is rsp, its counts zero when it is new. NULL: no room, or (torn)
// interrupted while the list of frames is being changed. Both may be called from interrupt handlers.
chain_t *chains_now(chains_t *c, uint64_t leaf, uint64_t rsp);
const chain_t *chains_next(const chains_t *c, const chain_t *before);   // in order of making; NULL: begins, ends

#endif
