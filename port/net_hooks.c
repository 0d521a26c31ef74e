// What lwIP asks us in the middle of its work: whom a full listener lets go, and where IPv6's static gateway is.

#include "lwip/priv/tcp_priv.h"

#include "py/mpconfig.h"
#include "net.h"
#include "net_hooks.h"
#include "netif_obj.h"

// A connection request for a listener: where its backlog is full, the oldest one that has not answered yet gives way,
// without a word. A flood of requests from nowhere so costs honest ones a race, not the wait for it to age.
void net_half_open(struct tcp_pcb *listener) {
    struct tcp_pcb_listen *l = (struct tcp_pcb_listen *)listener;
    struct tcp_pcb *oldest = NULL;
    if (l->accepts_pending < l->backlog) {
        return;
    }
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        if (pcb->state == SYN_RCVD && pcb->listener == l && (oldest == NULL || tcp_ticks - pcb->tmr >= tcp_ticks - oldest->tmr)) {
            oldest = pcb;
        }
    }
    if (oldest != NULL) {
        net_count.requests_dropped++;
        tcp_abandon(oldest, 0);
    }
}

// -> NULL: those that routers announced
const ip6_addr_t *net_gateway6(struct netif *netif) {
    netif_obj_t *self = netif->state;
    return self != NULL && !ip6_addr_isany(&self->gateway6) ? &self->gateway6 : NULL;
}
