// The way of a frame into lwIP, with what lwIP 2.2.1 forgets to check: each found by tests/fuzz/frames.

#include "lwip/etharp.h"
#include "lwip/icmp6.h"
#include "lwip/nd6.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/priv/tcp_priv.h"
#include "netif/ethernet.h"
#include <stdbool.h>
#include <string.h>
#include "net_hooks.h"

#define MSS_LEAST 64                        // bytes; a peer that asks for less wants us to work in vain

err_t net_input(struct pbuf *p, struct netif *netif);
void nd6_checked_input(struct pbuf *p, struct netif *netif);

// etharp.c, ip4.c and ip6.c look at a header's fields before they know that it is there.
// -> bytes that a frame of this type must have at least.
static uint16_t shortest(uint16_t type) {
    switch (type) {
        case PP_HTONS(ETHTYPE_ARP):
            return SIZEOF_ETH_HDR + SIZEOF_ETHARP_HDR;
        case PP_HTONS(ETHTYPE_IP):
            return SIZEOF_ETH_HDR + IP_HLEN;
        default:
            return SIZEOF_ETH_HDR + IP6_HLEN;
    }
}

static bool is_ours4(uint32_t addr) {
    struct netif *netif;
    NETIF_FOREACH(netif) {
        if (netif_ip4_addr(netif)->addr == addr && addr != IPADDR_ANY) {
            return true;
        }
    }
    return false;
}

// Not one that is tentative: who has it already says so from there.
static bool is_ours6(const ip6_addr_p_t *addr) {
    struct netif *netif;
    NETIF_FOREACH(netif) {
        for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
            if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)) && memcmp(netif_ip6_addr(netif, i)->addr, addr->addr, sizeof(addr->addr)) == 0) {
                return true;
            }
        }
    }
    return false;
}

// A packet off a wire that claims to come from ourselves (LAND): one datagram would have a server answer itself for ever.
// RFC 1122, 3.2.1.3; RFC 4291, 2.5.3.
static bool from_ourselves(const struct eth_hdr *eth) {
    const void *packet = eth + 1;
    if (eth->type == PP_HTONS(ETHTYPE_IP)) {
        uint32_t addr = ((const struct ip_hdr *)packet)->src.addr;
        return is_ours4(addr) || (addr & PP_HTONL(0xff000000u)) == PP_HTONL(0x7f000000u);
    }
    return eth->type == PP_HTONS(ETHTYPE_IPV6) && is_ours6(&((const struct ip6_hdr *)packet)->src);
}

err_t net_input(struct pbuf *p, struct netif *netif) {
    const struct eth_hdr *eth = p->payload;
    if (p->len < SIZEOF_ETH_HDR || p->len < shortest(eth->type) || from_ourselves(eth)) {
        pbuf_free(p);
        return ERR_OK;
    }
    return ethernet_input(p, netif);
}

// tcp_in.c takes a peer's largest segment from any segment, tcp_out.c counts on its never getting less. RFC 9293, 3.2:
// it comes with SYN only. The options lie behind the header, or in two parts, of which the first is first_len long.
err_t net_check_options(struct tcp_hdr *tcp, unsigned len, unsigned first_len, unsigned char *second) {
    uint8_t *option[4];
    for (unsigned i = 0, step; i + 3 < len; i += step) {
        for (unsigned k = 0; k < 4; k++) {
            option[k] = i + k < first_len ? (uint8_t *)(tcp + 1) + i + k : second + (i + k - first_len);
        }
        uint8_t kind = *option[0];
        step = kind == LWIP_TCP_OPT_NOP ? 1 : *option[1];
        if (kind == LWIP_TCP_OPT_EOL || step == 0) {
            break;
        }
        if (kind == LWIP_TCP_OPT_MSS && !(TCPH_FLAGS(tcp) & TCP_SYN)) {
            for (unsigned k = 0; k < 4; k++) {
                *option[k] = LWIP_TCP_OPT_NOP;
            }
        } else if (kind == LWIP_TCP_OPT_MSS && *option[2] == 0 && *option[3] < MSS_LEAST && *option[3] != 0) {
            *option[3] = MSS_LEAST;
        }
    }
    return ERR_OK;
}

// nd6.c believes an option whose length is 0. RFC 4861, 6.1 and 7.1: the message is to be discarded, as is one that
// came in fragments (RFC 6980). In place of nd6_input() in lwIP's icmp6.c: port.mk.
void nd6_checked_input(struct pbuf *p, struct netif *netif) {
    static const uint8_t heads[] = { 8, 16, 24, 24, 40 };           // from router solicitation to redirect: where options begin
    unsigned kind = *(uint8_t *)p->payload - ICMP6_TYPE_RS;
    bool good = p->next == NULL;
    if (good && kind < sizeof(heads)) {
        for (unsigned at = heads[kind]; good && at < p->len; ) {
            unsigned len = at + 1 < p->len ? 8 * ((uint8_t *)p->payload)[at + 1] : 0;
            good = len != 0 && at + len <= p->len;
            at += len;
        }
    }
    if (good) {
        nd6_input(p, netif);
    } else {
        pbuf_free(p);
    }
}
