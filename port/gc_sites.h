// Where the heap's objects are allocated, by sampling: gc_sites.c; gc_alloc.c and gc_collect.c call it.
#ifndef KEELBACK_PORT_GC_SITES_H
#define KEELBACK_PORT_GC_SITES_H

#include "chains.h"

extern bool gc_sites_on;
extern chains_t gc_sites;                       // leaf: blocks of an object; counts: blocks allocated, those that live
extern uint64_t gc_sites_dropped;               // blocks that found no room

bool gc_sites_start(size_t interval, size_t len);   // interval: blocks; len: bytes for chains; false: no memory
void gc_sites_stop(void);                       // what was found stays, and is not followed any longer
void gc_sites_free(void);
// Called only while it is on:
void gc_sites_sample(size_t block, size_t count);   // an allocation of count blocks went past the threshold
void gc_sites_freed(size_t block);
void gc_sites_collect(void);                    // the amount allocated is about to be zero again
void gc_sites_sweep(void);                      // marks are set

#endif
