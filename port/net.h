// The network stack and when it runs: net.c.
#ifndef KEELBACK_PORT_NET_H
#define KEELBACK_PORT_NET_H

#include <stdint.h>

void net_start(void);           // once; without a source of entropy there are no sockets
void net_poll(void);            // let lwIP do what is due
uint64_t net_deadline(void);    // when something will be, in clock_ns() time; UINT64_MAX: nothing

#endif
