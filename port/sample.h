// Sampling of what runs, from inside a timer interrupt: sample.c; what Python sees of it: modprof.c.
#ifndef KEELBACK_PORT_SAMPLE_H
#define KEELBACK_PORT_SAMPLE_H

#include "chains.h"

// A chain's leaf is the start of the C function on top of it, or:
enum { SAMPLE_NO_LEAF, SAMPLE_MACHINE_CODE, SAMPLE_FIRMWARE };

typedef struct {
    uint64_t samples;           // found running, dropped ones included
    uint64_t idle;              // found waiting for an interrupt
    uint64_t dropped;           // no room, or interrupted in the middle of a change
    uint64_t elapsed_ns;
} sample_counts_t;

extern chains_t sample_chains;                          // counts[0]: how often one was found
bool sample_start(uint64_t period_ns, size_t len);      // len: bytes for chains; false: no memory
bool sample_running(void);
void sample_stop(void);                                 // what was found stays
sample_counts_t sample_counts(void);
void sample_free(void);                                 // stop, and forget what was found

#endif
