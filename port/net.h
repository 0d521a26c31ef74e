// The network stack and when it runs: net.c.
#ifndef KEELBACK_PORT_NET_H
#define KEELBACK_PORT_NET_H

#include <stdbool.h>
#include <stdint.h>

void net_start(void);           // once; without a source of entropy there are no sockets
bool net_ready(void);
void net_poll(void);            // let lwIP do what is due
void net_linger(void);          // something was sent: an answer may come, or not
void net_enter(void);           // lwIP calls a driver: nothing may come back into it
void net_leave(void);
void netif_deinit(void);        // modnetif.c: every driver stops its device
uint64_t net_deadline(void);    // when something will be, in clock_ns() time; UINT64_MAX: nothing

#endif
