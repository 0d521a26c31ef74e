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
static uint32_t sum_of_words(const uint8_t *at, size_t len) {
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i += 2) {
        sum += at[i] << 8 | at[i + 1];
    }
    return sum;
}

// The device completes TCP's checksum: it wants the sum of the pseudo header in its place, and to know where.
// -> start << 16 | offset of the checksum, or 0 for a frame without one. head: its first bytes, `have` of them, in private memory.
uint32_t netif_frames_checksum(const uint8_t *head, size_t have, uint8_t *frame, size_t len) {
    const uint8_t *ip = head + SIZEOF_ETH_HDR;
    size_t ip_len;
    uint32_t sum;
    have -= MIN(have, SIZEOF_ETH_HDR);
    if (have >= IP_HLEN && ip[0] >> 4 == 4 && ip[9] == IP_PROTO_TCP) {
        ip_len = 4 * (ip[0] & 15);
        sum = sum_of_words(ip + 12, 8);
    } else if (have >= IP6_HLEN && ip[0] >> 4 == 6 && ip[6] == IP6_NEXTH_TCP) {
        ip_len = IP6_HLEN;
        sum = sum_of_words(ip + 8, 32);
    } else {
        return 0;
    }
    sum += IP_PROTO_TCP + (len - SIZEOF_ETH_HDR - ip_len);
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    uint8_t *at = frame + SIZEOF_ETH_HDR + ip_len + TCP_CHECKSUM_AT;
    at[0] = sum >> 8;
    at[1] = sum;
    return (SIZEOF_ETH_HDR + ip_len) << 16 | TCP_CHECKSUM_AT;
}

bool netif_frames_call(netif_obj_t *self, mp_obj_t function, size_t n_args, const mp_obj_t *args) {
    nlr_buf_t nlr;
    bool done = false, deferred = irq_defer_interrupt(true);
    mp_sched_lock();
    net_enter();
    if (nlr_push(&nlr) == 0) {
        mp_call_function_n_kw(function, n_args, 0, args);
        nlr_pop();
        done = true;
    }
    net_leave();
    mp_sched_unlock();
    irq_defer_interrupt(deferred);
    self->count.errors += !done;
    return done;
}

// -> where its bytes behind the first `skip` now lie, or NULL: there is no place
uint8_t *netif_frames_copy(netif_obj_t *self, struct pbuf *p, size_t skip) {
    uint8_t *frame = (uint8_t *)*self->tx, *at = frame;
    if (frame == NULL || p->tot_len > SIZEOF_ETH_HDR + self->netif.mtu) {
        self->waiting = true;
        self->count.tx_dropped++;
        return NULL;
    }
    size_t len = p->tot_len - skip;
    for (struct pbuf *q = p; q != NULL && q->len - skip <= len - (at - frame); q = q->next) {
        memcpy(at, (uint8_t *)q->payload + skip, q->len - skip);    // tot_len has 16 bits, the chain has no end of its own
        at += q->len - skip;
        skip = 0;
    }
    return frame;
}

// ---- many frames, and the device told of them once -----------------------------------------------------------
static unsigned batches;
static bool can_wait;                           // what is sent now

#define MORE (1ull << 32)                       // docs/drivers.md, transmit()

uint64_t netif_frames_more(netif_obj_t *self) {
    if (batches == 0 || self->notify == MP_OBJ_NULL) {
        return 0;
    }
    self->untold = true;
    self->pressing |= !can_wait;
    return MORE;
}

void net_batch_presses(bool on) {
    can_wait = !on;
}

bool net_batch_untold(void) {
    bool untold = false;
    for (netif_obj_t *self = MP_STATE_PORT(netif_list_head); self != NULL; self = self->next) {
        untold |= self->untold;
    }
    return untold;
}

void net_batch_begin(void) {
    batches++;
}

void net_batch_end(net_tell_t tell) {
    if (--batches > 0 || tell == NET_TELL_LATER) {
        return;
    }
    for (netif_obj_t *self = MP_STATE_PORT(netif_list_head); self != NULL; self = self->next) {
        if (self->untold && (self->pressing || tell == NET_TELL_NOW)) {
            self->untold = self->pressing = false;
            if (*self->tx != 0) {               // with no place left it was told, or has stopped meanwhile
                netif_frames_call(self, self->notify, 0, NULL);
            }
        }
    }
}

err_t netif_frames_send(struct netif *netif, struct pbuf *p) {
    netif_obj_t *self = netif->state;
    if (!netif_segments_take(self, p)) {
        uint8_t *frame = netif_frames_copy(self, p, 0);
        if (frame == NULL) {
            return ERR_MEM;
        }
        uint32_t csum = netif->chksum_flags & NETIF_CHECKSUM_GEN_TCP ? 0 : netif_frames_checksum(p->payload, p->len, frame, p->tot_len);
        mp_obj_t args[] = { MP_OBJ_NEW_SMALL_INT(p->tot_len), MP_OBJ_NEW_SMALL_INT(csum | netif_frames_more(self)) };
        if (!netif_frames_call(self, self->transmit, 2, args)) {
            return ERR_IF;
        }
        net_linger();
    }
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
    net_batch_begin();                      // answers leave when settle() is called
    if (net_input(p, &self->netif) != ERR_OK) {
        pbuf_free(p);
    }
    net_batch_end(NET_TELL_LATER);
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
