// The life of a sock_t, whatever its protocol: made, told of events, closed at once or when there is time.

#include <string.h>

#include "lwip/err.h"

#include "py/mperrno.h"
#include "py/runtime.h"
#include "boot/boot.h"
#include "net.h"
#include "socket.h"

static sock_t *abandoned;

int sock_errno(int err) {
    static const uint8_t table[] = {        // by -err: lwip/err.h
        0, MP_ENOMEM, MP_ENOBUFS, MP_ETIMEDOUT, MP_EHOSTUNREACH, MP_EINPROGRESS, MP_EINVAL, MP_EAGAIN, MP_EADDRINUSE,
        MP_EALREADY, MP_EISCONN, MP_ENOTCONN, MP_EIO, MP_ECONNABORTED, MP_ECONNRESET, MP_ENOTCONN, MP_EIO,
    };
    _Static_assert(sizeof(table) == -ERR_ARG + 1, "an errno for each of lwIP's errors");
    return err <= 0 && -err < (int)sizeof(table) ? table[-err] : MP_EIO;
}

sock_t *sock_new(int family, int type) {
    sock_t *s = net_calloc(1, sizeof(sock_t));
    if (s != NULL) {
        s->family = family;
        s->type = type;
        s->datagrams_end = &s->datagrams;
        s->waiting_end = &s->waiting;
    }
    return s;
}

void sock_free(sock_t *s) {
    net_free(s);
}

// The user's callback is called softly: lwIP is at work here.
void sock_event(sock_t *s) {
    idle_wake();
    if (s->obj != NULL && s->obj->callback != MP_OBJ_NULL) {
        mp_sched_schedule(s->obj->callback, MP_OBJ_FROM_PTR(s->obj));
    }
}

void sock_close(sock_t *s) {
    if (s->type == SOCK_STREAM) {
        tcp_sock_close(s);
    } else {
        dgram_close(s);
    }
    sock_free(s);
}

void sock_abandon(sock_t *s) {
    s->obj = NULL;
    s->next = abandoned;
    abandoned = s;
    idle_wake();
}

bool socket_reap_pending(void) {
    return abandoned != NULL;
}

void socket_reap(void) {
    while (abandoned != NULL) {
        sock_t *s = abandoned;
        abandoned = s->next;
        sock_close(s);
    }
}
