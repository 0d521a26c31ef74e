// What a TCP connection received and nobody has read: a chain of lwIP's buffers.
//
// Small segments are collected in buffers of COLLECT_LEN: each would otherwise cost ten times its length, and a peer's
// window bounds bytes alone. The chain is by pbuf->next; tot_len, 16 bits in lwIP, means nothing in it, so that nothing
// here or in lwIP walks along it.

#include <string.h>

#include "lwip/pbuf.h"

#include "py/mpconfig.h"
#include "py/misc.h"
#include "socket.h"

#define COLLECT_LEN 1960                // bytes; with lwIP's heads below 2048
#define SMALL 256                       // bytes; a longer segment keeps its own buffer

static void drop_first(sock_t *s) {
    struct pbuf *p = s->first;
    s->first = p->next;
    s->offset = 0;
    if (s->first == NULL) {
        s->last = NULL;
        s->room = 0;
    }
    p->next = NULL;
    p->tot_len = p->len;
    pbuf_free(p);
}

void received_drop(sock_t *s) {
    while (s->first != NULL) {
        drop_first(s);
    }
    s->queued = 0;
}

static void link_last(sock_t *s, struct pbuf *p, uint32_t room) {
    if (s->last != NULL) {
        s->last->next = p;
    } else {
        s->first = p;
    }
    while (p->next != NULL) {
        p = p->next;
    }
    s->last = p;
    s->room = room;
}

static bool collect(sock_t *s, struct pbuf *p) {
    if (s->room < p->len) {
        struct pbuf *collector = pbuf_alloc(PBUF_RAW, COLLECT_LEN, PBUF_RAM);
        if (collector == NULL) {
            return false;
        }
        collector->len = collector->tot_len = 0;
        link_last(s, collector, COLLECT_LEN);
    }
    memcpy((char *)s->last->payload + s->last->len, p->payload, p->len);
    s->last->len += p->len;
    s->room -= p->len;
    pbuf_free(p);
    return true;
}

void received_append(sock_t *s, struct pbuf *p) {
    s->queued += p->tot_len;
    if (!(s->last != NULL && p->next == NULL && p->len <= SMALL && collect(s, p))) {
        link_last(s, p, 0);
    }
}

size_t received_take(sock_t *s, void *buf, size_t len) {
    size_t done = 0;
    while (done < len && s->first != NULL) {
        struct pbuf *p = s->first;
        size_t n = MIN(len - done, p->len - s->offset);
        memcpy((char *)buf + done, (char *)p->payload + s->offset, n);
        done += n;
        s->offset += n;
        if (s->offset == p->len) {
            drop_first(s);
        }
    }
    s->queued -= done;
    return done;
}

size_t received_find(sock_t *s, int c, size_t limit) {
    size_t passed = 0, offset = s->offset;
    for (struct pbuf *p = s->first; p != NULL && passed < limit; p = p->next) {
        size_t n = MIN(p->len - offset, limit - passed);
        const char *start = (char *)p->payload + offset, *found = memchr(start, c, n);
        if (found != NULL) {
            return passed + (found - start) + 1;
        }
        passed += n;
        offset = 0;
    }
    return passed;
}
