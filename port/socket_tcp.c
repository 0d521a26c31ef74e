// TCP sockets over lwIP's raw interface: what was received waits until it is read (socket_received.c).
//
// The window that a peer may fill bounds that. lwIP is told of what was read in steps of RECVED_STEP, so that a
// program that reads byte by byte does not pay for it.

#include "lwip/priv/tcp_priv.h"

#include "py/mperrno.h"
#include "py/misc.h"
#include "boot/boot.h"
#include "net.h"
#include "socket.h"

#define RECVED_STEP 16384               // bytes; with TCP_WND_UPDATE_THRESHOLD less than 64 KiB, or a window that was full stays shut
#define WRITE_STEP (44 * TCP_MSS)       // bytes of one tcp_write(), which takes 16 bits
#define BACKLOG_MAX 255                 // lwIP counts in 8 bits
#define CLOSE_POLL 20                   // half seconds: a closed connection that moves nothing in two such spans is aborted

// ---- the window -----------------------------------------------------------------------------------------------------
static void tell_recved(sock_t *s) {
    while (s->owed > 0 && s->pcb.tcp != NULL) {
        uint32_t n = MIN(s->owed, 0xffff);
        s->owed -= n;
        tcp_recved(s->pcb.tcp, n);
    }
    s->owed = 0;
}

static void owe(sock_t *s, uint32_t n) {
    s->owed += n;
    if (s->owed >= RECVED_STEP) {
        tell_recved(s);
    }
}

size_t tcp_sock_read(sock_t *s, void *buf, size_t len) {
    size_t done = received_take(s, buf, len);
    owe(s, done);
    return done;
}

// ---- what lwIP calls -----------------------------------------------------------------------------------------------------
static void forget(sock_t *s) {
    struct tcp_pcb *pcb = s->pcb.tcp;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    s->pcb.tcp = NULL;
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
    sock_t *s = arg;
    if (s == NULL) {
        return tcp_recv_null(arg, pcb, p, err);
    }
    if (p == NULL) {
        s->eof = true;
        if (s->shut_wr) {
            forget(s);                  // both sides are done: lwIP frees it without a word
        }
    } else if (s->shut_rd) {
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
        return ERR_OK;
    } else {
        received_append(s, p);
    }
    sock_event(s);
    return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len) {
    sock_t *s = arg;
    if (s != NULL && s->wants_room && tcp_sock_writable(s)) {
        s->wants_room = false;
        idle_wake();
    }
    return ERR_OK;
}

static void leave_queue(sock_t *s) {
    sock_t *listener = s->listener;
    for (sock_t **link = &listener->waiting; *link != NULL; link = &(*link)->next) {
        if (*link == s) {
            *link = s->next;
            if (*link == NULL) {
                listener->waiting_end = link;
            }
            break;
        }
    }
    s->listener = NULL;
}

// lwIP frees the pcb after this.
static void on_err(void *arg, err_t err) {
    sock_t *s = arg;
    if (s == NULL) {
        return;
    }
    s->pcb.tcp = NULL;
    if (s->listener != NULL) {          // nobody has seen it
        leave_queue(s);
        received_drop(s);
        sock_free(s);
        return;
    }
    if (err != ERR_CLSD) {              // not after both sides closed in order
        bool connecting = s->state == SOCK_CONNECTING;
        s->error = err == ERR_RST ? (connecting ? MP_ECONNREFUSED : MP_ECONNRESET) : connecting ? MP_ETIMEDOUT : sock_errno(err);
    }
    s->state = SOCK_DEAD;
    s->eof = true;
    sock_event(s);
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err) {
    sock_t *s = arg;
    s->state = SOCK_CONNECTED;
    sock_event(s);
    return ERR_OK;
}

static void adopt(sock_t *s, struct tcp_pcb *pcb) {
    s->pcb.tcp = pcb;
    tcp_arg(pcb, s);
    tcp_recv(pcb, on_recv);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_err);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err) {
    sock_t *listener = arg;
    if (err != ERR_OK || pcb == NULL) {
        return ERR_VAL;
    }
    sock_t *s = listener != NULL ? sock_new(listener->family, SOCK_STREAM) : NULL;
    if (s == NULL) {
        return ERR_MEM;                 // lwIP aborts the connection
    }
    adopt(s, pcb);
    s->state = SOCK_CONNECTED;
    s->peer = pcb->remote_ip;
    s->peer_port = pcb->remote_port;
    tcp_backlog_delayed(pcb);           // it counts until accept() has it
    s->listener = listener;
    *listener->waiting_end = s;
    listener->waiting_end = &s->next;
    sock_event(listener);
    return ERR_OK;
}

// ---- connections ------------------------------------------------------------------------------------------------------------
int tcp_sock_open(sock_t *s) {
    struct tcp_pcb *pcb = tcp_new_ip_type(s->family == AF_INET6 ? IPADDR_TYPE_ANY : IPADDR_TYPE_V4);
    if (pcb == NULL) {
        return MP_ENOMEM;
    }
    adopt(s, pcb);
    return 0;
}

int tcp_sock_bind(sock_t *s, const ip_addr_t *addr, uint16_t port) {
    bool bound = s->state != SOCK_NEW || s->pcb.tcp->local_port != 0;      // lwIP does not look
    return bound ? MP_EINVAL : sock_errno(tcp_bind(s->pcb.tcp, addr, port));
}

int tcp_sock_listen(sock_t *s, int backlog) {
    backlog = MAX(1, MIN(backlog, BACKLOG_MAX));
    if (s->state == SOCK_LISTENING) {
        tcp_backlog_set((struct tcp_pcb_listen *)s->pcb.tcp, backlog);
        return 0;
    }
    if (s->state != SOCK_NEW) {
        return MP_EINVAL;
    }
    err_t err = ERR_OK;
    if (s->pcb.tcp->local_port == 0) {
        err = tcp_bind(s->pcb.tcp, s->family == AF_INET6 ? IP_ANY_TYPE : IP4_ADDR_ANY, 0);
    }
    struct tcp_pcb *pcb = err == ERR_OK ? tcp_listen_with_backlog_and_err(s->pcb.tcp, backlog, &err) : NULL;
    if (pcb == NULL) {
        return sock_errno(err);
    }
    s->pcb.tcp = pcb;
    s->state = SOCK_LISTENING;
    tcp_accept(pcb, on_accept);
    return 0;
}

sock_t *tcp_sock_accept(sock_t *s) {
    sock_t *found = s->waiting;
    if (found != NULL) {
        leave_queue(found);
        if (found->pcb.tcp != NULL) {
            tcp_backlog_accepted(found->pcb.tcp);
        }
    }
    return found;
}

int tcp_sock_connect(sock_t *s, const ip_addr_t *addr, uint16_t port) {
    if (s->state != SOCK_NEW) {
        return s->state == SOCK_CONNECTED ? MP_EISCONN : s->state == SOCK_CONNECTING ? MP_EALREADY : MP_EINVAL;
    }
    s->peer = *addr;
    s->peer_port = port;
    s->state = SOCK_CONNECTING;
    err_t err = tcp_connect(s->pcb.tcp, addr, port, on_connected);
    if (err != ERR_OK) {
        s->state = SOCK_NEW;
    }
    return sock_errno(err);
}

int tcp_sock_shutdown(sock_t *s, bool rd, bool wr) {
    if (s->state != SOCK_CONNECTED || s->pcb.tcp == NULL) {
        return MP_ENOTCONN;
    }
    if (wr && !s->shut_wr) {
        err_t err = tcp_shutdown(s->pcb.tcp, 0, 1);
        if (err != ERR_OK) {
            return sock_errno(err);
        }
        s->shut_wr = true;
    }
    if (rd && !s->shut_rd) {
        s->shut_rd = s->eof = true;
        owe(s, s->queued);
        received_drop(s);
    }
    return 0;
}

// ---- closing ------------------------------------------------------------------------------------------------------------
// What was written before is still sent, as long as the peer takes it: the argument is what it had acknowledged last time.
static err_t on_close_poll(void *arg, struct tcp_pcb *pcb) {
    void *acked = (void *)(uintptr_t)(pcb->lastack | 1ull << 32);
    if (arg == acked) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    tcp_arg(pcb, acked);
    return ERR_OK;
}

static void close_connection(sock_t *s) {
    struct tcp_pcb *pcb = s->pcb.tcp;
    tell_recved(s);
    received_drop(s);                        // if there is something left, lwIP sees it by its window and resets the connection
    if (s->pcb.tcp != NULL) {
        forget(s);
        tcp_poll(pcb, on_close_poll, CLOSE_POLL);
        if (tcp_close(pcb) != ERR_OK) {
            tcp_abort(pcb);
        }
    }
}

static void close_listener(sock_t *s) {
    struct tcp_pcb *pcb = s->pcb.tcp;
    while (s->waiting != NULL) {
        sock_t *child = tcp_sock_accept(s);
        struct tcp_pcb *child_pcb = child->pcb.tcp;
        received_drop(child);
        if (child_pcb != NULL) {
            forget(child);
            tcp_abort(child_pcb);
        }
        sock_free(child);
    }
    tcp_arg(pcb, NULL);
    tcp_accept(pcb, NULL);
    tcp_close(pcb);                     // cannot fail
    s->pcb.tcp = NULL;
}

void tcp_sock_close(sock_t *s) {
    if (s->state == SOCK_LISTENING) {
        close_listener(s);
    } else {
        close_connection(s);
    }
}

// ---- sending, and what a wait is for ---------------------------------------------------------------------------------------
bool tcp_sock_readable(sock_t *s) {
    return s->first != NULL || s->eof || s->waiting != NULL || s->state == SOCK_NEW;
}

bool tcp_sock_writable(sock_t *s) {
    struct tcp_pcb *pcb = s->pcb.tcp;
    if (pcb == NULL || s->shut_wr || s->state == SOCK_NEW) {
        return true;                    // an error, told at once
    }
    return s->state == SOCK_CONNECTED && tcp_sndbuf(pcb) >= TCP_SNDLOWAT && tcp_sndqueuelen(pcb) < TCP_SNDQUEUELOWAT
        && !net_memory_short();
}

bool tcp_sock_has_room(sock_t *s, size_t len) {
    return s->pcb.tcp == NULL || s->state == SOCK_NEW || s->shut_wr || tcp_sndbuf(s->pcb.tcp) >= len;
}

int tcp_sock_take_error(sock_t *s) {
    int error = s->error;
    s->error = 0;
    return error;
}

size_t tcp_sock_write(sock_t *s, const void *buf, size_t len, int *error) {
    struct tcp_pcb *pcb = s->pcb.tcp;
    size_t done = 0;
    err_t err = ERR_OK;
    while (done < len && err == ERR_OK) {
        size_t n = MIN(MIN(len - done, WRITE_STEP), tcp_sndbuf(pcb));
        if (n == 0) {
            break;
        }
        err = tcp_write(pcb, (char *)buf + done, n, TCP_WRITE_FLAG_COPY | (done + n < len ? TCP_WRITE_FLAG_MORE : 0));
        done += err == ERR_OK ? n : 0;
    }
    if (done > 0) {
        tcp_output_nagle(pcb);          // what it cannot send now, timers and acknowledgements will
    } else if (err != ERR_OK && err != ERR_MEM) {
        *error = sock_errno(err);
    }
    return done;
}
