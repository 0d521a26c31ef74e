// Module socket, which is module lwip as well: MicroPython's sockets over lwIP, in place of extmod/modlwip.c.
//
// Beyond MicroPython's: IPv6 for every kind of socket ("::" and "" are bound for both families, "0.0.0.0" for IPv4
// alone), getpeername, getsockname, shutdown, recv_into, getsockopt; datagrams queue. What it is made of: socket.h.

#include <string.h>

#include "lwip/raw.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"

#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "net.h"
#include "socket.h"
#include "socket_options.h"

#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

static void raise_if(int error) {
    if (error != 0) {
        mp_raise_OSError(error);
    }
}

static void require_stream(sock_t *s) {
    if (s->type != SOCK_STREAM) {
        mp_raise_OSError(MP_EOPNOTSUPP);
    }
}

// ---- life -----------------------------------------------------------------------------------------------------------
static void socket_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    sock_t *s = self->sock;
    if (s == NULL) {
        mp_printf(print, "<socket closed>");
    } else {
        mp_printf(print, "<socket state=%d timeout=%d incoming=%u>", s->state, (int)self->timeout_ms, (unsigned)s->queued);
    }
}

static socket_obj_t *new_object(void) {
    socket_obj_t *self = mp_obj_malloc_with_finaliser(socket_obj_t, &socket_type);
    self->sock = NULL;
    self->callback = MP_OBJ_NULL;
    self->timeout_ms = NO_TIMEOUT;
    return self;
}

// socket(af=AF_INET, type=SOCK_STREAM, proto=0). OSError: ENODEV without a source of random numbers, EAFNOSUPPORT, EINVAL, ENOMEM
static mp_obj_t socket_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 4, false);
    mp_int_t family = n_args > 0 ? mp_obj_get_int(args[0]) : AF_INET, kind = n_args > 1 ? mp_obj_get_int(args[1]) : SOCK_STREAM;
    mp_int_t proto = n_args > 2 ? mp_obj_get_int(args[2]) : 0;
    if (family != AF_INET && family != AF_INET6) {
        mp_raise_OSError(MP_EAFNOSUPPORT);
    }
    if (kind != SOCK_STREAM && kind != SOCK_DGRAM && kind != SOCK_RAW) {
        mp_raise_OSError(MP_EINVAL);
    }
    if (!net_ready()) {
        mp_raise_OSError(MP_ENODEV);
    }
    socket_obj_t *self = new_object();
    sock_t *s = sock_new(family, kind);
    if (s == NULL) {
        mp_raise_OSError(MP_ENOMEM);
    }
    int error = kind == SOCK_STREAM ? tcp_sock_open(s) : dgram_open(s, proto);
    if (error != 0) {
        sock_free(s);
        mp_raise_OSError(error);
    }
    s->obj = self;
    self->sock = s;
    return MP_OBJ_FROM_PTR(self);
}

// The finaliser: no object may be made, and no driver called.
static mp_obj_t socket_del(mp_obj_t self_in) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->sock != NULL) {
        sock_abandon(self->sock);
        self->sock = NULL;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_del_obj, socket_del);

static mp_uint_t socket_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int *error) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (request == MP_STREAM_POLL) {
        return self->sock == NULL ? MP_STREAM_POLL_NVAL : socket_poll(self->sock, arg);
    }
    if (request == MP_STREAM_CLOSE) {
        if (self->sock != NULL) {
            sock_t *s = self->sock;
            self->sock = NULL;
            s->obj = NULL;
            sock_close(s);
        }
        return 0;
    }
    *error = MP_EINVAL;
    return MP_STREAM_ERROR;
}

// ---- connections ------------------------------------------------------------------------------------------------------
// bind(address)
static mp_obj_t socket_bind(mp_obj_t self, mp_obj_t address) {
    sock_t *s = socket_of(self);
    ip_addr_t addr;
    mp_uint_t port = socket_parse_address(address, 0, &addr);
    if (IP_IS_V6(&addr) && ip6_addr_isany(ip_2_ip6(&addr)) && s->type != SOCK_RAW) {
        addr = *IP_ANY_TYPE;
    }
    raise_if(s->type == SOCK_STREAM ? tcp_sock_bind(s, &addr, port) : dgram_bind(s, &addr, port));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_bind_obj, socket_bind);

// listen(backlog=16)
static mp_obj_t socket_listen(size_t n_args, const mp_obj_t *args) {
    sock_t *s = socket_of(args[0]);
    require_stream(s);
    raise_if(tcp_sock_listen(s, n_args > 1 ? mp_obj_get_int(args[1]) : MICROPY_PY_SOCKET_LISTEN_BACKLOG_DEFAULT));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_listen_obj, 1, 2, socket_listen);

// accept() -> (socket, address)
static mp_obj_t socket_accept(mp_obj_t self_in) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in), *made = NULL;
    sock_t *s = socket_of(self_in);
    require_stream(s);
    if (s->state != SOCK_LISTENING) {
        mp_raise_OSError(MP_EINVAL);
    }
    raise_if(socket_wait(self, tcp_sock_readable));
    made = new_object();                // may collect, which lets no connection go
    made->sock = tcp_sock_accept(self->sock);
    made->timeout_ms = self->timeout_ms;
    made->sock->obj = made;
    mp_obj_t pair[] = { MP_OBJ_FROM_PTR(made), socket_address(&made->sock->peer, made->sock->peer_port) };
    return mp_obj_new_tuple(2, pair);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_accept_obj, socket_accept);

static bool connect_done(sock_t *s) {
    return s->state != SOCK_CONNECTING;
}

// connect(address). OSError(EINPROGRESS): it goes on, and the socket is writable when it is done.
static mp_obj_t socket_connect(mp_obj_t self_in, mp_obj_t address) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    sock_t *s = socket_of(self_in);
    ip_addr_t addr;
    mp_uint_t port = socket_parse_address(address, s->family, &addr);
    if (s->type != SOCK_STREAM) {
        raise_if(dgram_connect(s, &addr, port));
        return mp_const_none;
    }
    raise_if(tcp_sock_connect(s, &addr, port));
    int error = socket_wait(self, connect_done);
    raise_if(error == MP_EAGAIN ? MP_EINPROGRESS : error);
    raise_if(tcp_sock_take_error(self->sock));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_connect_obj, socket_connect);

// shutdown(how): SHUT_WR tells the peer that no more will come, and what it sends can still be read
static mp_obj_t socket_shutdown(mp_obj_t self, mp_obj_t how_in) {
    sock_t *s = socket_of(self);
    mp_int_t how = mp_obj_get_int(how_in);
    if (how < SHUT_RD || how > SHUT_RDWR) {
        mp_raise_OSError(MP_EINVAL);
    }
    require_stream(s);
    raise_if(tcp_sock_shutdown(s, how != SHUT_WR, how != SHUT_RD));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_shutdown_obj, socket_shutdown);

// getpeername() -> address
static mp_obj_t socket_getpeername(mp_obj_t self) {
    sock_t *s = socket_of(self);
    if (s->state != SOCK_CONNECTED) {
        mp_raise_OSError(MP_ENOTCONN);
    }
    return socket_address(&s->peer, s->peer_port);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_getpeername_obj, socket_getpeername);

// getsockname() -> address
static mp_obj_t socket_getsockname(mp_obj_t self) {
    sock_t *s = socket_of(self);
    struct ip_pcb *pcb = s->pcb.any;
    if (pcb == NULL) {
        mp_raise_OSError(MP_EINVAL);
    }
    uint16_t port = s->type == SOCK_STREAM ? s->pcb.tcp->local_port : s->type == SOCK_DGRAM ? s->pcb.udp->local_port : 0;
    return socket_address(IP_IS_ANY_TYPE_VAL(pcb->local_ip) ? IP6_ADDR_ANY : &pcb->local_ip, port);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_getsockname_obj, socket_getsockname);

// ---- settings -----------------------------------------------------------------------------------------------------------
// settimeout(seconds or None)
static mp_obj_t socket_settimeout(mp_obj_t self_in, mp_obj_t timeout) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    self->timeout_ms = NO_TIMEOUT;
    if (timeout != mp_const_none) {
        mp_float_t ms = 1000 * mp_obj_get_float(timeout);
        if (!(ms >= 0)) {
            mp_raise_ValueError(MP_ERROR_TEXT("negative timeout"));
        }
        self->timeout_ms = ms < NO_TIMEOUT ? (uint32_t)ms + ((uint32_t)ms == 0 && ms > 0) : NO_TIMEOUT;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_settimeout_obj, socket_settimeout);

// setblocking(flag): as settimeout(None) and settimeout(0)
static mp_obj_t socket_setblocking(mp_obj_t self_in, mp_obj_t flag) {
    ((socket_obj_t *)MP_OBJ_TO_PTR(self_in))->timeout_ms = mp_obj_is_true(flag) ? NO_TIMEOUT : 0;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_setblocking_obj, socket_setblocking);

static mp_obj_t socket_makefile(size_t n_args, const mp_obj_t *args) {
    return args[0];
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_makefile_obj, 1, 3, socket_makefile);

// ---- the type -----------------------------------------------------------------------------------------------------------
static const mp_rom_map_elem_t socket_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&socket_del_obj) },
    { MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&mp_stream_close_obj) },
    { MP_ROM_QSTR(MP_QSTR_bind), MP_ROM_PTR(&socket_bind_obj) },
    { MP_ROM_QSTR(MP_QSTR_listen), MP_ROM_PTR(&socket_listen_obj) },
    { MP_ROM_QSTR(MP_QSTR_accept), MP_ROM_PTR(&socket_accept_obj) },
    { MP_ROM_QSTR(MP_QSTR_connect), MP_ROM_PTR(&socket_connect_obj) },
    { MP_ROM_QSTR(MP_QSTR_shutdown), MP_ROM_PTR(&socket_shutdown_obj) },
    { MP_ROM_QSTR(MP_QSTR_getpeername), MP_ROM_PTR(&socket_getpeername_obj) },
    { MP_ROM_QSTR(MP_QSTR_getsockname), MP_ROM_PTR(&socket_getsockname_obj) },
    { MP_ROM_QSTR(MP_QSTR_send), MP_ROM_PTR(&socket_send_obj) },
    { MP_ROM_QSTR(MP_QSTR_sendall), MP_ROM_PTR(&socket_sendall_obj) },
    { MP_ROM_QSTR(MP_QSTR_sendto), MP_ROM_PTR(&socket_sendto_obj) },
    { MP_ROM_QSTR(MP_QSTR_recv), MP_ROM_PTR(&socket_recv_obj) },
    { MP_ROM_QSTR(MP_QSTR_recvfrom), MP_ROM_PTR(&socket_recvfrom_obj) },
    { MP_ROM_QSTR(MP_QSTR_recv_into), MP_ROM_PTR(&socket_recv_into_obj) },
    { MP_ROM_QSTR(MP_QSTR_settimeout), MP_ROM_PTR(&socket_settimeout_obj) },
    { MP_ROM_QSTR(MP_QSTR_setblocking), MP_ROM_PTR(&socket_setblocking_obj) },
    { MP_ROM_QSTR(MP_QSTR_setsockopt), MP_ROM_PTR(&socket_setsockopt_obj) },
    { MP_ROM_QSTR(MP_QSTR_getsockopt), MP_ROM_PTR(&socket_getsockopt_obj) },
    { MP_ROM_QSTR(MP_QSTR_makefile), MP_ROM_PTR(&socket_makefile_obj) },
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&mp_stream_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&mp_stream_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_readline), MP_ROM_PTR(&socket_readline_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&mp_stream_write_obj) },
};
static MP_DEFINE_CONST_DICT(socket_locals, socket_locals_table);

static const mp_stream_p_t socket_stream = { .read = socket_read, .write = socket_write, .ioctl = socket_ioctl };

MP_DEFINE_CONST_OBJ_TYPE(socket_type, MP_QSTR_socket, MP_TYPE_FLAG_NONE, make_new, socket_make_new, print, socket_print,
    protocol, &socket_stream, locals_dict, &socket_locals);

#define NUMBER(name, value) { MP_ROM_QSTR(MP_QSTR_##name), MP_ROM_INT(value) }

static const mp_rom_map_elem_t socket_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_socket) },
    { MP_ROM_QSTR(MP_QSTR_socket), MP_ROM_PTR(&socket_type) },
    { MP_ROM_QSTR(MP_QSTR_getaddrinfo), MP_ROM_PTR(&socket_getaddrinfo_obj) },
    NUMBER(AF_INET, AF_INET),
    NUMBER(AF_INET6, AF_INET6),
    NUMBER(SOCK_STREAM, SOCK_STREAM),
    NUMBER(SOCK_DGRAM, SOCK_DGRAM),
    NUMBER(SOCK_RAW, SOCK_RAW),
    NUMBER(SOL_SOCKET, SOL_SOCKET),
    NUMBER(SO_REUSEADDR, SOF_REUSEADDR),
    NUMBER(SO_BROADCAST, SOF_BROADCAST),
    NUMBER(SO_KEEPALIVE, SOF_KEEPALIVE),
    NUMBER(SO_ERROR, SO_ERROR),
    NUMBER(SO_TYPE, SO_TYPE),
    NUMBER(IPPROTO_IP, IPPROTO_IP),
    NUMBER(IPPROTO_ICMP, IPPROTO_ICMP),
    NUMBER(IPPROTO_TCP, IPPROTO_TCP),
    NUMBER(IPPROTO_UDP, IPPROTO_UDP),
    NUMBER(IPPROTO_IPV6, IPPROTO_IPV6),
    NUMBER(IPPROTO_ICMPV6, IPPROTO_ICMPV6),
    NUMBER(IP_ADD_MEMBERSHIP, IP_ADD_MEMBERSHIP),
    NUMBER(IP_DROP_MEMBERSHIP, IP_DROP_MEMBERSHIP),
    NUMBER(IP_MULTICAST_TTL, IP_MULTICAST_TTL),
    NUMBER(IPV6_JOIN_GROUP, IPV6_JOIN_GROUP),
    NUMBER(IPV6_LEAVE_GROUP, IPV6_LEAVE_GROUP),
    NUMBER(TCP_NODELAY, TCP_NODELAY),
    NUMBER(TCP_KEEPIDLE, TCP_KEEPIDLE),
    NUMBER(TCP_KEEPINTVL, TCP_KEEPINTVL),
    NUMBER(TCP_KEEPCNT, TCP_KEEPCNT),
    NUMBER(SHUT_RD, SHUT_RD),
    NUMBER(SHUT_WR, SHUT_WR),
    NUMBER(SHUT_RDWR, SHUT_RDWR),
};
static MP_DEFINE_CONST_DICT(socket_globals, socket_globals_table);

const mp_obj_module_t mp_module_socket = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&socket_globals,
};

MP_REGISTER_MODULE(MP_QSTR_lwip, mp_module_socket);
MP_REGISTER_EXTENSIBLE_MODULE(MP_QSTR_socket, mp_module_socket);
