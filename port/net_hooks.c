// What lwIP asks us in the middle of its work: whom a full listener lets go. IPv6's gateway: modnetif.c.

#include "lwip/priv/tcp_priv.h"

#include "py/mpconfig.h"
#include "net.h"
#include "net_hooks.h"

// A connection request for a listener: where its backlog is full, and more of it than half are requests that have not answered
// yet, the oldest of them gives way, without a word. A flood of requests from nowhere so costs honest ones a race, not the wait
// for it to age. Where it is full of connections that nobody accepted yet, lwIP drops the request, which comes again a second
// later: who gave way then would be reset as soon as it answers.
void net_half_open(struct tcp_pcb *listener) {
    struct tcp_pcb_listen *l = (struct tcp_pcb_listen *)listener;
    struct tcp_pcb *oldest = NULL;
    unsigned count = 0;
    if (l->accepts_pending < l->backlog) {
        return;
    }
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        if (pcb->state == SYN_RCVD && pcb->listener == l) {
            count++;
            if (oldest == NULL || tcp_ticks - pcb->tmr >= tcp_ticks - oldest->tmr) {
                oldest = pcb;
            }
        }
    }
    if (count > l->backlog / 2) {
        net_count.requests_dropped++;
        tcp_abandon(oldest, 0);
    }
}
