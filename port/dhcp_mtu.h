// What lwIP's DHCP client does besides, through its hooks (net_hooks.h): dhcp_mtu.c.
#ifndef KEELBACK_DHCP_MTU_H
#define KEELBACK_DHCP_MTU_H

#include "lwip/netif.h"
#include "lwip/prot/dhcp.h"

void dhcp_ask_mtu(struct dhcp_msg *message, u16_t *options_len);
void dhcp_take_mtu(struct netif *netif, u8_t message_type, u8_t option, u8_t option_len, struct pbuf *p, u16_t at);

#endif
