// The network stack and when it runs: net.c.
#ifndef KEELBACK_PORT_NET_H
#define KEELBACK_PORT_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void net_start(void);           // once; without a source of entropy there are no sockets
bool net_ready(void);
void net_poll(void);            // let lwIP do what is due
void net_settle(void);          // behind a poll of a card: as net_poll(), but devices may hear later of acknowledgements
void net_linger(void);          // something was sent: an answer may come, or not
void net_enter(void);           // lwIP calls a driver: nothing may come back into it
void net_leave(void);
// Frames that are sent from net_batch_begin() to net_batch_end(): devices are told of them once; netif_frames.c.
// Later: another batch follows, which tells. If pressing: not of acknowledgements alone.
typedef enum { NET_TELL_LATER, NET_TELL_IF_PRESSING, NET_TELL_NOW } net_tell_t;
void net_batch_begin(void);
void net_batch_end(net_tell_t tell);
void net_batch_presses(bool on);        // what is sent now; so it is from the start
bool net_batch_untold(void);    // devices were not told of all
void netif_deinit(void);        // modnetif.c: every driver stops its device
void *net_malloc(size_t len);    // net_memory.c: packets, connections and sockets; NULL: the limit is reached
void *net_calloc(size_t count, size_t len);
void net_free(void *p);         // NULL is nothing
void net_memory_init(void);
bool net_memory_short(void);    // new data is turned away, so that what there is can be worked on
// What went wrong, beside lwIP's own counters.
typedef struct {
    uint32_t memory_refused;    // allocations
    uint32_t datagrams_dropped; // a socket's queue was full
    uint32_t frames_refused;    // memory was short
    uint32_t requests_dropped;  // connections that were only asked for, when a backlog was full
} net_count_t;
extern net_count_t net_count;
size_t net_memory_used(void);   // bytes
size_t net_memory_limit(void);
uint64_t net_deadline(void);    // when something will be, in clock_ns() time; UINT64_MAX: nothing

#endif
