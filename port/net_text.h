// IP addresses as text: net_text.c.
#ifndef KEELBACK_PORT_NET_TEXT_H
#define KEELBACK_PORT_NET_TEXT_H

#include "lwip/ip_addr.h"
#include "py/obj.h"

mp_obj_t net_text(const ip_addr_t *addr);   // -> str

#endif
