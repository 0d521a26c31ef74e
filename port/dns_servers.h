// The list of name servers: dns_servers.c.
#ifndef KEELBACK_PORT_DNS_SERVERS_H
#define KEELBACK_PORT_DNS_SERVERS_H

#include "lwip/ip_addr.h"
#include "py/obj.h"

// These four stand in for dns_setserver() and dns_getserver() in files of lwIP and MicroPython: port.mk.
void dns_set_by_user(u8_t index, const ip_addr_t *addr);
void dns_set_by_dhcp(u8_t index, const ip_addr_t *addr);
void dns_set_by_router(u8_t index, const ip_addr_t *addr);
const ip_addr_t *dns_get_by_router(u8_t index);

void dns_forget_learned(void);              // the interface is gone
mp_obj_t dns_servers_list(void);            // -> list of texts, in the order in which they are asked
void dns_servers_set(mp_obj_t list, bool last);    // of texts; empty: what DHCP and routers say; last: in case nobody names any. ValueError

#endif
