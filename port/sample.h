// Sampling of what runs, from inside a timer interrupt: sample.c; what Python sees of it: modprof.c.
#ifndef KEELBACK_PORT_SAMPLE_H
#define KEELBACK_PORT_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include "frames.h"

// In place of a C function's address, where what was interrupted is none:
enum { SAMPLE_NO_LEAF, SAMPLE_MACHINE_CODE, SAMPLE_FIRMWARE, SAMPLE_FIRST_ADDRESS = PAGE_SIZE };

// A chain of running Python functions, and how often it was found.
typedef struct sample {
    struct sample *same_bucket;
    uint64_t leaf;              // start of the C function on top of it, or one of the above
    uint32_t hash, count;
    uint32_t depth;             // places that follow, innermost first
    bool deeper;                // there were more, which were not looked at
    place_t places[];
} sample_t;

typedef struct {
    uint64_t samples;           // found running, dropped ones included
    uint64_t idle;              // found waiting for an interrupt
    uint64_t dropped;           // no room, or interrupted in the middle of a change
    uint64_t elapsed_ns;
} sample_counts_t;

bool sample_start(uint64_t period_ns, size_t len);      // len: bytes for chains; false: no memory
bool sample_running(void);
void sample_stop(void);                                 // what was found stays
sample_counts_t sample_counts(void);
const sample_t *sample_next(const sample_t *before);    // in the order of their first finding; NULL: begins, ends
void sample_free(void);                                 // stop, and forget what was found
extern uint32_t sample_frees;                           // how often that was done; wraps

#endif
