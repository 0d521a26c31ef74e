// When TCP sends what a received segment brings about: once for all segments that came together.
//
// lwIP's tcp_input() ends each segment with tcp_output(): an acknowledgement for every second one, or a look at what may
// be sent now. Here connections are marked instead, and net_output_flush() lets each send once: behind a poll of the card,
// and after SEGMENTS_MAX at the latest, so that a peer who counts acknowledgements sees a few of each window. Those that
// say what is missing leave at once: tcp_receive() sends them itself.

#include "lwip/priv/tcp_priv.h"
#include "net.h"
#include "net_hooks.h"

#define TF_MARKED 0x8000u                   // of a pcb's flags, of which lwIP uses the lower bits
#define SEGMENTS_MAX 16

static unsigned segments, marked;           // since the last flush: come in; connections marked

// lwIP puts the connection of each segment first in the list, so that those which are marked are soon found.
void net_output_flush(void) {
    segments = 0;
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL && marked > 0; pcb = pcb->next) {
        if (pcb->flags & TF_MARKED) {
            tcp_clear_flags(pcb, TF_MARKED);
            marked--;
            net_batch_presses(pcb->unsent != NULL);
            tcp_output(pcb);
        }
    }
    net_batch_presses(true);
    marked = 0;                             // others are gone
}

err_t tcp_output(struct tcp_pcb *pcb) {
    net_batch_begin();
    net_segments_gather(true);
    err_t err = tcp_output_each(pcb);
    net_segments_gather(false);
    net_batch_end(NET_TELL_NOW);
    return err;
}

// In place of tcp_output() in tcp_in.c: lwip_tcp_in.h.
err_t net_tcp_output(struct tcp_pcb *pcb) {
    if (pcb->state != ESTABLISHED) {        // it may have left the list to wait in, its last acknowledgement unsent
        return tcp_output(pcb);
    }
    if (!(pcb->flags & TF_MARKED)) {
        tcp_set_flags(pcb, TF_MARKED);
        marked++;
    }
    if (++segments >= SEGMENTS_MAX) {
        net_output_flush();
    }
    return ERR_OK;
}
