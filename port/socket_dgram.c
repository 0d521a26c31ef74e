// UDP and raw sockets over lwIP's raw interface: a bounded queue of datagrams, each with its sender.

#include <string.h>

#include "lwip/prot/ip6.h"
#include "lwip/raw.h"
#include "lwip/udp.h"

#include "py/mperrno.h"
#include "py/misc.h"
#include "net.h"
#include "socket.h"

#define QUEUE_MAX (208 * 1024)          // bytes of one socket; what comes then is dropped
#define OVERHEAD 256                    // bytes that a datagram costs beside its own
#define PAYLOAD_MAX 65507               // bytes: RFC 768 over RFC 791
#define ICMP6_CHECKSUM_AT 2             // RFC 3542, 3.1: the sender's checksum is ours to compute

// ---- what lwIP calls ------------------------------------------------------------------------------------------------
static void enqueue(sock_t *s, struct pbuf *p, const ip_addr_t *from, uint16_t port) {
    uint32_t cost = p->tot_len + OVERHEAD;
    datagram_t *d = s->queued + cost <= QUEUE_MAX ? net_malloc(sizeof(*d)) : NULL;
    if (d == NULL || s->shut_rd) {
        net_free(d);
        net_count.datagrams_dropped++;
        pbuf_free(p);
        return;
    }
    *d = (datagram_t) { .p = p, .from = *from, .port = port };
    s->queued += cost;
    *s->datagrams_end = d;
    s->datagrams_end = &d->next;
    sock_event(s);
}

static void on_udp(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port) {
    enqueue(arg, p, from, port);
}

// The stack itself wants what a raw socket sees, an echo request say.
static u8_t on_raw(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from) {
    struct pbuf *copy = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
    if (copy != NULL) {
        enqueue(arg, copy, from, 0);
    }
    return 0;
}

// ---- life ---------------------------------------------------------------------------------------------------------------------
int dgram_open(sock_t *s, int proto) {
    u8_t type = s->family == AF_INET6 ? IPADDR_TYPE_ANY : IPADDR_TYPE_V4;
    if (s->type == SOCK_DGRAM) {
        s->pcb.udp = udp_new_ip_type(type);
        if (s->pcb.udp != NULL) {
            udp_recv(s->pcb.udp, on_udp, s);
        }
    } else {
        s->pcb.raw = raw_new_ip_type(s->family == AF_INET6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4, proto);
        if (s->pcb.raw != NULL) {
            raw_recv(s->pcb.raw, on_raw, s);
            if (s->family == AF_INET6 && proto == IP6_NEXTH_ICMP6) {
                s->pcb.raw->chksum_reqd = 1;
                s->pcb.raw->chksum_offset = ICMP6_CHECKSUM_AT;
            }
        }
    }
    return s->pcb.any == NULL ? MP_ENOMEM : 0;
}

int dgram_bind(sock_t *s, const ip_addr_t *addr, uint16_t port) {
    if (s->type == SOCK_RAW) {
        return sock_errno(raw_bind(s->pcb.raw, addr));
    }
    if (s->pcb.udp->local_port != 0) {
        return MP_EINVAL;
    }
    return sock_errno(udp_bind(s->pcb.udp, addr, port));
}

int dgram_connect(sock_t *s, const ip_addr_t *addr, uint16_t port) {
    err_t err = s->type == SOCK_RAW ? raw_connect(s->pcb.raw, addr) : udp_connect(s->pcb.udp, addr, port);
    if (err == ERR_OK) {
        s->peer = *addr;
        s->peer_port = port;
        s->state = SOCK_CONNECTED;
    }
    return sock_errno(err);
}

void dgram_close(sock_t *s) {
    if (s->type == SOCK_RAW) {
        raw_remove(s->pcb.raw);
    } else {
        udp_remove(s->pcb.udp);
    }
    s->pcb.any = NULL;
    ip_addr_t from;
    uint16_t port;
    while (s->datagrams != NULL) {
        dgram_read(s, NULL, 0, &from, &port);
    }
}

// ---- datagrams -----------------------------------------------------------------------------------------------------------------
int dgram_send(sock_t *s, const void *buf, size_t len, const ip_addr_t *addr, uint16_t port) {
    if (len > PAYLOAD_MAX) {
        return MP_EMSGSIZE;
    }
    if (addr == NULL && s->state != SOCK_CONNECTED) {
        return MP_ENOTCONN;
    }
    struct ip_pcb *pcb = s->pcb.any;
    if (addr != NULL && !IP_ADDR_PCB_VERSION_MATCH(pcb, addr)) {
        return MP_EAFNOSUPPORT;
    }
    struct pbuf *p = pbuf_alloc(s->type == SOCK_RAW ? PBUF_IP : PBUF_TRANSPORT, len, PBUF_RAM);
    if (p == NULL) {
        return MP_ENOBUFS;
    }
    memcpy(p->payload, buf, len);
    addr = addr == NULL ? &s->peer : addr;
    err_t err = s->type == SOCK_RAW ? raw_sendto(s->pcb.raw, p, addr) : udp_sendto(s->pcb.udp, p, addr, port != 0 ? port : s->peer_port);
    pbuf_free(p);
    return err == ERR_MEM ? MP_ENOBUFS : sock_errno(err);
}

// The oldest one, cut to len. It must be there.
size_t dgram_read(sock_t *s, void *buf, size_t len, ip_addr_t *from, uint16_t *port) {
    datagram_t *d = s->datagrams;
    s->datagrams = d->next;
    if (s->datagrams == NULL) {
        s->datagrams_end = &s->datagrams;
    }
    s->queued -= d->p->tot_len + OVERHEAD;
    *from = d->from;
    *port = d->port;
    size_t n = pbuf_copy_partial(d->p, buf, MIN(len, d->p->tot_len), 0);
    pbuf_free(d->p);
    net_free(d);
    return n;
}
