// Frames between lwIP and a driver in Python, one copy each way: input() takes a frame out of the driver's
// buffers, sending puts one into the place that the driver named.
//
// Drivers may be called from inside lwIP, so nothing that they do comes back into it: the scheduler is locked
// and net_poll() refuses while transmit() runs, Ctrl-C waits, and what it raises is counted, not passed on.

#include <string.h>

#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/tcp.h"

#include "py/runtime.h"
#include "irq.h"
#include "net.h"
#include "netif_obj.h"

#define TCP_CHECKSUM_AT offsetof(struct tcp_hdr, chksum)

// ---- frames out -------------------------------------------------------------------------------------------
// The device completes TCP's checksum: it wants the sum of the pseudo header in its place, and to know where.
// -> start << 16 | offset of the checksum, or 0 for a frame without one. Read from the private copy.
static uint32_t begin_checksum(const struct pbuf *p, uint8_t *frame) {
    const uint8_t *ip = (const uint8_t *)p->payload + SIZEOF_ETH_HDR;
    size_t have = p->len - MIN(p->len, SIZEOF_ETH_HDR), head;
    uint32_t sum = 0;
    if (have >= IP_HLEN && ip[0] >> 4 == 4 && ip[9] == IP_PROTO_TCP) {
        head = 4 * (ip[0] & 15);
        sum = IP_PROTO_TCP + (p->tot_len - SIZEOF_ETH_HDR - head);
        for (int i = 12; i < 20; i += 2) {
            sum += ip[i] << 8 | ip[i + 1];
        }
    } else if (have >= IP6_HLEN && ip[0] >> 4 == 6 && ip[6] == IP6_NEXTH_TCP) {
        head = IP6_HLEN;
        sum = IP6_NEXTH_TCP + (p->tot_len - SIZEOF_ETH_HDR - head);
        for (int i = 8; i < 40; i += 2) {
            sum += ip[i] << 8 | ip[i + 1];
        }
    } else {
        return 0;
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    uint8_t *at = frame + SIZEOF_ETH_HDR + head + TCP_CHECKSUM_AT;
    at[0] = sum >> 8;
    at[1] = sum;
    return (SIZEOF_ETH_HDR + head) << 16 | TCP_CHECKSUM_AT;
}

static bool call_transmit(netif_obj_t *self, size_t len, uint32_t csum) {
    nlr_buf_t nlr;
    bool done = false, deferred = irq_defer_interrupt(true);
    mp_sched_lock();
    net_enter();
    if (nlr_push(&nlr) == 0) {
        mp_call_function_2(self->transmit, MP_OBJ_NEW_SMALL_INT(len), MP_OBJ_NEW_SMALL_INT(csum));
        nlr_pop();
        done = true;
    }
    net_leave();
    mp_sched_unlock();
    irq_defer_interrupt(deferred);
    return done;
}

err_t netif_frames_send(struct netif *netif, struct pbuf *p) {
    netif_obj_t *self = netif->state;
    uint8_t *frame = (uint8_t *)*self->tx;
    if (frame == NULL || p->tot_len > SIZEOF_ETH_HDR + netif->mtu) {
        self->waiting = true;
        self->count.tx_dropped++;
        return ERR_MEM;
    }
    uint8_t *at = frame;
    for (struct pbuf *q = p; q != NULL && q->len <= p->tot_len - (at - frame); q = q->next) {
        memcpy(at, q->payload, q->len);     // tot_len has 16 bits, the chain has no end of its own
        at += q->len;
    }
    uint32_t csum = netif->chksum_flags & NETIF_CHECKSUM_GEN_TCP ? 0 : begin_checksum(p, frame);
    if (!call_transmit(self, p->tot_len, csum)) {
        self->count.errors++;
        return ERR_IF;
    }
    net_linger();
    self->count.tx_frames++;
    self->count.tx_bytes += p->tot_len;
    return ERR_OK;
}

// ---- frames in ----------------------------------------------------------------------------------------------
static void deliver(netif_obj_t *self, struct pbuf *p, bool checked) {
    self->count.rx_frames++;
    self->count.rx_bytes += p->tot_len;
    const uint16_t check = NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP;
    self->netif.chksum_flags = checked ? self->netif.chksum_flags & ~check : self->netif.chksum_flags | check;
    if (net_input(p, &self->netif) != ERR_OK) {
        pbuf_free(p);
    }
}

// One frame in the making, from several pieces: where the next goes in it. No pbuf: it is being dropped.
static bool append(netif_obj_t *self, const void *piece, size_t len, size_t rest) {
    struct pbuf *p = self->partial;
    if (p == NULL || len + rest != p->tot_len - self->partial_len) {
        return false;
    }
    memcpy((uint8_t *)p->payload + self->partial_len, piece, len);
    self->partial_len += len;
    return true;
}

void netif_frames_drop(netif_obj_t *self) {
    if (self->partial != NULL) {
        pbuf_free(self->partial);
        self->partial = NULL;
    }
}

// Acknowledgements, which let memory go, and what keeps the network up are short.
#define SHORT_FRAME 128                 // bytes

static bool refused(size_t len) {
    bool refused = len > SHORT_FRAME && net_memory_short();
    net_count.frames_refused += refused;
    return refused;
}

// input(address, length, info): a frame for lwIP, or a piece of one. info: 1 where the device vouches for its checksums,
// and twice the bytes of the same frame that the next calls bring.
static mp_obj_t netif_receive(size_t n_args, const mp_obj_t *args) {
    netif_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    const void *piece = (const void *)(uintptr_t)mp_obj_get_int(args[1]);
    size_t len = mp_obj_get_int(args[2]), info = mp_obj_get_int(args[3]), rest = info >> 1, behind = self->behind;
    self->behind = rest;
    if (behind == 0) {                      // a frame begins
        netif_frames_drop(self);
        self->partial_len = 0;
        self->partial = self->added && len + rest - 1 < UINT16_MAX && !refused(len + rest) ? pbuf_alloc(PBUF_RAW, len + rest, PBUF_RAM) : NULL;
        self->count.rx_dropped += self->partial == NULL;
    }
    if (!append(self, piece, len, rest)) {
        netif_frames_drop(self);
    } else if (rest == 0) {
        struct pbuf *p = self->partial;
        self->partial = NULL;
        deliver(self, p, info & 1);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(netif_input_obj, 4, 4, netif_receive);
