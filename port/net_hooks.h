// What lwIP asks us in the middle of its work: net_hooks.c. Read by lwIP files that have hooks.
#ifndef KEELBACK_PORT_NET_HOOKS_H
#define KEELBACK_PORT_NET_HOOKS_H

#include <stdbool.h>

#include "lwip/ip6_addr.h"
#include "lwip/tcp.h"
#include "lwip/prot/tcp.h"

void net_half_open(struct tcp_pcb *listener);
const ip6_addr_t *net_gateway6(struct netif *netif);
err_t net_check_options(struct tcp_hdr *tcp, unsigned len, unsigned first_len, unsigned char *second);  // net_input.c

uint32_t net_isn(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote, uint16_t remote_port);  // net_blind.c
bool net_check_ack(struct tcp_pcb *pcb, struct tcp_hdr *tcp);
void net_tcp_input(struct pbuf *p, struct netif *netif);
err_t net_tcp_output(struct tcp_pcb *pcb);          // net_output.c
void net_output_flush(void);
err_t tcp_output_each(struct tcp_pcb *pcb);         // lwIP's tcp_output(): lwip_tcp_out.h
void net_segments_gather(bool on);                  // netif_segments.c

#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, optlen, opt1len, opt2, p) \
    ((pcb)->state == LISTEN && (TCPH_FLAGS(hdr) & TCP_SYN) ? net_half_open((struct tcp_pcb *)(pcb)) : (void)0, \
     net_check_ack((struct tcp_pcb *)(pcb), hdr) ? net_check_options(hdr, optlen, opt1len, opt2) : ERR_VAL)
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) net_isn(local, local_port, remote, remote_port)
#define LWIP_HOOK_ND6_GET_GW(netif, dest) net_gateway6(netif)

#include "dhcp_mtu.h"
#define LWIP_HOOK_DHCP_APPEND_OPTIONS(netif, dhcp, state, message, type, options_len) dhcp_ask_mtu(message, options_len)
#define LWIP_HOOK_DHCP_PARSE_OPTION(netif, dhcp, state, message, type, option, len, p, at) \
    ((void)(message), dhcp_take_mtu(netif, type, option, len, p, at))

#endif
