// Sending, receiving and waiting, for sockets of all kinds: the methods of a socket that move bytes, and its stream protocol.
//
// A wait lets events be handled and sleeps until something happens to the socket, or its timeout. One that must not wait
// (timeout 0) lets events be handled before it gives up, so that a program that asks in a loop hears of them.

#include <string.h>

#include "lwip/pbuf.h"

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "boot/boot.h"
#include "socket.h"

#define RETRY_MS 20                     // a frame or a segment found no memory or no room on the card

// ---- waiting ------------------------------------------------------------------------------------------------------------
sock_t *socket_of(mp_obj_t self_in) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->sock == NULL) {
        mp_raise_OSError(MP_EBADF);
    }
    return self->sock;
}

static uint64_t deadline_of(const socket_obj_t *self) {
    return self->timeout_ms == NO_TIMEOUT ? UINT64_MAX : clock_ns() + self->timeout_ms * 1000000ull;
}

int socket_wait(socket_obj_t *self, bool (*ready)(sock_t *)) {
    uint64_t deadline = deadline_of(self);
    while (!ready(self->sock)) {
        mp_event_handle_nowait();
        if (self->sock == NULL) {
            return MP_EBADF;            // closed by a function that was called meanwhile
        }
        if (ready(self->sock)) {
            return 0;
        }
        uint64_t now = clock_ns();
        if (now >= deadline) {
            return self->timeout_ms == 0 ? MP_EAGAIN : MP_ETIMEDOUT;
        }
        mp_hal_wait(deadline == UINT64_MAX ? -1 : (intptr_t)((deadline - now + 999999) / 1000000));
    }
    return 0;
}

static bool dgram_ready(sock_t *s) {
    return s->datagrams != NULL || s->shut_rd;
}

static bool room_made(sock_t *s) {
    s->wants_room = true;
    return tcp_sock_writable(s);
}

mp_uint_t socket_poll(sock_t *s, mp_uint_t flags) {
    if (s->type != SOCK_STREAM) {
        return flags & ((dgram_ready(s) ? MP_STREAM_POLL_RD : 0) | MP_STREAM_POLL_WR);
    }
    mp_uint_t ready = 0;
    if ((flags & MP_STREAM_POLL_RD) && s->state != SOCK_NEW && tcp_sock_readable(s)) {
        ready |= MP_STREAM_POLL_RD;
    }
    if ((flags & MP_STREAM_POLL_WR) && s->state != SOCK_LISTENING) {
        s->wants_room = !tcp_sock_writable(s);
        ready |= s->wants_room && !s->eof ? 0 : MP_STREAM_POLL_WR;
    }
    if (s->state == SOCK_NEW || s->state == SOCK_DEAD) {
        ready |= MP_STREAM_POLL_HUP;
    }
    return s->error != 0 ? ready | MP_STREAM_POLL_ERR : ready;
}

// ---- reading ------------------------------------------------------------------------------------------------------------------
// -> 0 if there is data or the end of it, else errno
static int wait_to_read(socket_obj_t *self) {
    sock_t *s = self->sock;
    if (s->type != SOCK_STREAM) {
        return socket_wait(self, dgram_ready);
    }
    if (s->state == SOCK_NEW || s->state == SOCK_LISTENING) {
        return MP_ENOTCONN;
    }
    int error = socket_wait(self, tcp_sock_readable);
    if (error == 0 && self->sock->first == NULL) {
        error = tcp_sock_take_error(self->sock);
    }
    return error;
}

static mp_uint_t receive(socket_obj_t *self, void *buf, size_t len, ip_addr_t *from, uint16_t *port, int *error) {
    if (self->sock == NULL) {
        *error = MP_EBADF;
        return MP_STREAM_ERROR;
    }
    *error = wait_to_read(self);
    if (*error != 0) {
        return MP_STREAM_ERROR;
    }
    sock_t *s = self->sock;
    *from = s->peer;
    *port = s->peer_port;
    if (s->type == SOCK_STREAM) {
        return tcp_sock_read(s, buf, len);
    }
    return s->datagrams == NULL ? 0 : dgram_read(s, buf, len, from, port);
}

mp_uint_t socket_read(mp_obj_t self, void *buf, mp_uint_t size, int *error) {
    ip_addr_t from;
    uint16_t port;
    return receive(MP_OBJ_TO_PTR(self), buf, size, &from, &port, error);
}

// Not more than is there is allocated, however much is asked for.
static mp_obj_t receive_bytes(mp_obj_t self_in, mp_obj_t len_in, ip_addr_t *from, uint16_t *port) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    sock_t *s = socket_of(self_in);
    mp_int_t len = mp_obj_get_int(len_in);
    if (len < 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("negative length"));
    }
    int error = wait_to_read(self);
    if (error != 0) {
        mp_raise_OSError(error);
    }
    s = self->sock;
    size_t there = s->type == SOCK_STREAM || s->datagrams == NULL ? s->queued : s->datagrams->p->tot_len;
    vstr_t vstr;
    vstr_init_len(&vstr, MIN((size_t)len, there));
    mp_uint_t got = receive(self, vstr.buf, vstr.len, from, port, &error);
    if (got == MP_STREAM_ERROR) {
        mp_raise_OSError(error);
    }
    vstr.len = got;
    return mp_obj_new_bytes_from_vstr(&vstr);
}

// recv(n) -> bytes, at most n; b"": the peer has closed
static mp_obj_t socket_recv(size_t n_args, const mp_obj_t *args) {
    ip_addr_t from;
    uint16_t port;
    return receive_bytes(args[0], args[1], &from, &port);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_recv_obj, 2, 3, socket_recv);

// recvfrom(n) -> (bytes, address)
static mp_obj_t socket_recvfrom(size_t n_args, const mp_obj_t *args) {
    ip_addr_t from;
    uint16_t port;
    mp_obj_t data = receive_bytes(args[0], args[1], &from, &port);
    mp_obj_t pair[] = { data, socket_address(&from, port) };
    return mp_obj_new_tuple(2, pair);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_recvfrom_obj, 2, 3, socket_recvfrom);

// recv_into(buffer, n=len(buffer)) -> bytes received
static mp_obj_t socket_recv_into(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[1], &buf, MP_BUFFER_WRITE);
    size_t len = n_args > 2 && mp_obj_get_int(args[2]) > 0 ? MIN((size_t)mp_obj_get_int(args[2]), buf.len) : buf.len;
    int error;
    mp_uint_t got = socket_read(args[0], buf.buf, len, &error);
    if (got == MP_STREAM_ERROR) {
        mp_raise_OSError(error);
    }
    return MP_OBJ_NEW_SMALL_INT(got);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_recv_into_obj, 2, 4, socket_recv_into);

// readline(max=-1) -> bytes up to and with the line feed. As py's readline(), but a line is found where it lies.
static mp_obj_t socket_readline(size_t n_args, const mp_obj_t *args) {
    socket_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    if (socket_of(args[0])->type != SOCK_STREAM) {
        mp_raise_OSError(MP_EOPNOTSUPP);
    }
    mp_int_t max = n_args > 1 && args[1] != mp_const_none ? mp_obj_get_int(args[1]) : -1;
    size_t limit = max < 0 ? SIZE_MAX : (size_t)max;
    vstr_t line;
    vstr_init(&line, 0);
    while (line.len < limit) {
        int error = wait_to_read(self);
        if (error != 0 && line.len == 0) {
            if (error == MP_EAGAIN) {
                return mp_const_none;
            }
            mp_raise_OSError(error);
        }
        size_t n = error == 0 ? received_find(self->sock, '\n', limit - line.len) : 0;
        if (n == 0) {
            break;
        }
        char *at = vstr_add_len(&line, n);
        tcp_sock_read(self->sock, at, n);
        if (at[n - 1] == '\n') {
            break;
        }
    }
    return mp_obj_new_bytes_from_vstr(&line);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_readline_obj, 1, 2, socket_readline);

// ---- writing ---------------------------------------------------------------------------------------------------------------------
// Where there is room, memory is short, and only time helps.
static int wait_for_room(socket_obj_t *self, uint64_t deadline) {
    if (!room_made(self->sock) || self->timeout_ms == 0) {
        return socket_wait(self, room_made) == 0 ? 0 : self->timeout_ms == 0 ? MP_EAGAIN : self->sock == NULL ? MP_EBADF : MP_ETIMEDOUT;
    }
    mp_event_wait_ms(RETRY_MS);
    return self->sock == NULL ? MP_EBADF : clock_ns() >= deadline ? MP_ETIMEDOUT : 0;
}

static mp_uint_t write_stream(socket_obj_t *self, const void *buf, size_t len, int *error) {
    uint64_t deadline = deadline_of(self);
    for (*error = 0; ; ) {
        sock_t *s = self->sock;
        if (s->state != SOCK_CONNECTED && s->state != SOCK_CONNECTING) {
            *error = tcp_sock_take_error(s);
            *error = *error != 0 ? *error : s->state == SOCK_DEAD ? MP_EPIPE : MP_ENOTCONN;
        } else if (s->shut_wr || s->pcb.tcp == NULL) {
            *error = MP_EPIPE;
        } else if (s->state == SOCK_CONNECTED) {
            size_t n = tcp_sock_write(s, buf, len, error);
            if (n > 0 || len == 0) {
                return n;
            }
        }
        *error = *error != 0 ? *error : wait_for_room(self, deadline);
        if (*error != 0) {
            return MP_STREAM_ERROR;
        }
    }
}

static mp_uint_t send_datagram(socket_obj_t *self, const void *buf, size_t len, const ip_addr_t *addr, uint16_t port, int *error) {
    uint64_t deadline = deadline_of(self);
    for (int i = 0; (*error = dgram_send(self->sock, buf, len, addr, port)) == MP_ENOBUFS && i < RETRY_MS && clock_ns() < deadline; i++) {
        mp_event_wait_ms(1);
        if (self->sock == NULL) {
            *error = MP_EBADF;
            break;
        }
    }
    return *error == 0 ? len : MP_STREAM_ERROR;
}

mp_uint_t socket_write(mp_obj_t self_in, const void *buf, mp_uint_t size, int *error) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->sock == NULL) {
        *error = MP_EBADF;
        return MP_STREAM_ERROR;
    }
    return self->sock->type == SOCK_STREAM ? write_stream(self, buf, size, error) : send_datagram(self, buf, size, NULL, 0, error);
}

static mp_obj_t sent(mp_uint_t n, int error) {
    if (n == MP_STREAM_ERROR) {
        mp_raise_OSError(error);
    }
    return MP_OBJ_NEW_SMALL_INT(n);
}

// send(data) -> bytes taken
static mp_obj_t socket_send(mp_obj_t self, mp_obj_t data) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(data, &buf, MP_BUFFER_READ);
    int error;
    mp_uint_t n = socket_write(self, buf.buf, buf.len, &error);
    return sent(n, error);
}
MP_DEFINE_CONST_FUN_OBJ_2(socket_send_obj, socket_send);

// sendall(data): all of it. A socket that must not wait takes all or nothing: OSError(EAGAIN).
static mp_obj_t socket_sendall(mp_obj_t self_in, mp_obj_t data) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(data, &buf, MP_BUFFER_READ);
    sock_t *s = socket_of(self_in);
    if (s->type == SOCK_STREAM && self->timeout_ms == 0 && !tcp_sock_has_room(s, buf.len)) {
        mp_raise_OSError(MP_EAGAIN);
    }
    for (size_t done = 0; done < buf.len; ) {
        int error;
        mp_uint_t n = socket_write(self_in, (char *)buf.buf + done, buf.len - done, &error);
        sent(n, error);
        done += n;
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_2(socket_sendall_obj, socket_sendall);

// sendto(data, address) -> bytes sent
static mp_obj_t socket_sendto(mp_obj_t self, mp_obj_t data, mp_obj_t address) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(data, &buf, MP_BUFFER_READ);
    sock_t *s = socket_of(self);
    if (s->type == SOCK_STREAM) {
        return socket_send(self, data);
    }
    ip_addr_t addr;
    mp_uint_t port = socket_parse_address(address, s->family, &addr);
    int error;
    mp_uint_t n = send_datagram(MP_OBJ_TO_PTR(self), buf.buf, buf.len, &addr, port, &error);
    return sent(n, error);
}
MP_DEFINE_CONST_FUN_OBJ_3(socket_sendto_obj, socket_sendto);
