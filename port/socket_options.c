// setsockopt() and getsockopt(). Numbers of options are MicroPython's where it has them, else Linux's.

#include <string.h>

#include "lwip/igmp.h"
#include "lwip/mld6.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"

#include "py/mperrno.h"
#include "py/runtime.h"
#include "socket.h"
#include "socket_options.h"

static mp_buffer_info_t bytes_of(mp_obj_t value, size_t len) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(value, &buf, MP_BUFFER_READ);
    if (buf.len != len) {
        mp_raise_ValueError(MP_ERROR_TEXT("wrong length"));
    }
    return buf;
}

// The group's address, then the interface's, as struct ip_mreq.
static err_t ip4_group(bool join, mp_obj_t value) {
    ip4_addr_t addr[2];
    memcpy(addr, bytes_of(value, sizeof(addr)).buf, sizeof(addr));
    return join ? igmp_joingroup(&addr[1], &addr[0]) : igmp_leavegroup(&addr[1], &addr[0]);
}

// The group's address and the number of an interface, 0 for any, as struct ipv6_mreq.
static err_t ip6_group(bool join, mp_obj_t value) {
    struct { uint32_t group[4], index; } given;
    memcpy(&given, bytes_of(value, sizeof(given)).buf, sizeof(given));
    ip6_addr_t group = { 0 };
    memcpy(group.addr, given.group, sizeof(given.group));
    err_t err = ERR_VAL;
    struct netif *netif;
    NETIF_FOREACH(netif) {
        if (given.index == 0 ? netif->hwaddr_len != 0 : given.index == netif_get_index(netif)) {
            ip6_addr_assign_zone(&group, IP6_MULTICAST, netif);
            err = join ? mld6_joingroup_netif(netif, &group) : mld6_leavegroup_netif(netif, &group);
        }
    }
    return err;
}

static int ip_option(sock_t *s, int level, int option, mp_obj_t value) {
    switch (option) {
        case IP_ADD_MEMBERSHIP:
        case IP_DROP_MEMBERSHIP:
            return level == IPPROTO_IP ? sock_errno(ip4_group(option == IP_ADD_MEMBERSHIP, value)) : MP_EINVAL;
        case IPV6_JOIN_GROUP:
        case IPV6_LEAVE_GROUP:
            return level == IPPROTO_IPV6 ? sock_errno(ip6_group(option == IPV6_JOIN_GROUP, value)) : MP_EINVAL;
        case IP_MULTICAST_TTL:
            if (s->type == SOCK_DGRAM) {
                udp_set_multicast_ttl(s->pcb.udp, mp_obj_get_int(value));
                return 0;
            }
    }
    return MP_EINVAL;
}

static int tcp_option(sock_t *s, int option, uint32_t value) {
    struct tcp_pcb *pcb = s->pcb.tcp;
    if (s->type != SOCK_STREAM || s->state == SOCK_LISTENING) {
        return MP_EINVAL;
    }
    switch (option) {
        case TCP_NODELAY:
            if (value) {
                tcp_nagle_disable(pcb);
            } else {
                tcp_nagle_enable(pcb);
            }
            return 0;
        case TCP_KEEPIDLE:
            pcb->keep_idle = value * 1000;
            return 0;
        case TCP_KEEPINTVL:
            pcb->keep_intvl = value * 1000;
            return 0;
        case TCP_KEEPCNT:
            pcb->keep_cnt = value;
            return 0;
    }
    return MP_EINVAL;
}

// Options at one place of every kind of pcb.
static int common_option(sock_t *s, int option, bool on) {
    if (option != SOF_REUSEADDR && option != SOF_BROADCAST && option != SOF_KEEPALIVE) {
        return MP_EINVAL;
    }
    struct ip_pcb *pcb = s->pcb.any;
    if (on) {
        ip_set_option(pcb, option);
    } else {
        ip_reset_option(pcb, option);
    }
    return 0;
}

// setsockopt(level, option, value): value an int, or bytes for a multicast group. OSError(EINVAL): no such option.
static mp_obj_t socket_setsockopt(size_t n_args, const mp_obj_t *args) {
    socket_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    sock_t *s = socket_of(args[0]);
    int level = mp_obj_get_int(args[1]), option = mp_obj_get_int(args[2]), error;
    if (level == SOL_SOCKET && option == SO_CALLBACK) {
        self->callback = args[3] == mp_const_none ? MP_OBJ_NULL : args[3];
        return mp_const_none;
    }
    if (s->pcb.any == NULL) {
        error = MP_EINVAL;
    } else if (level == SOL_SOCKET) {
        error = common_option(s, option, mp_obj_get_int(args[3]) != 0);
    } else if (level == IPPROTO_TCP) {
        error = tcp_option(s, option, mp_obj_get_int(args[3]));
    } else {
        error = level == IPPROTO_IP || level == IPPROTO_IPV6 ? ip_option(s, level, option, args[3]) : MP_EINVAL;
    }
    if (error != 0) {
        mp_raise_OSError(error);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_setsockopt_obj, 4, 4, socket_setsockopt);

// getsockopt(level, option) -> int. SO_ERROR: the errno that ended the connection, told once.
static mp_obj_t socket_getsockopt(mp_obj_t self, mp_obj_t level_in, mp_obj_t option_in) {
    sock_t *s = socket_of(self);
    int level = mp_obj_get_int(level_in), option = mp_obj_get_int(option_in);
    mp_int_t value = -1;
    if (level == SOL_SOCKET && option == SO_ERROR) {
        value = tcp_sock_take_error(s);
    } else if (level == SOL_SOCKET && option == SO_TYPE) {
        value = s->type;
    } else if (s->pcb.any != NULL && level == SOL_SOCKET && (option == SOF_REUSEADDR || option == SOF_BROADCAST || option == SOF_KEEPALIVE)) {
        value = ip_get_option((struct ip_pcb *)s->pcb.any, option) != 0;
    } else if (s->pcb.any != NULL && level == IPPROTO_TCP && option == TCP_NODELAY && s->state != SOCK_LISTENING) {
        value = tcp_nagle_disabled(s->pcb.tcp) != 0;
    }
    if (value < 0) {
        mp_raise_OSError(MP_EINVAL);
    }
    return MP_OBJ_NEW_SMALL_INT(value);
}
MP_DEFINE_CONST_FUN_OBJ_3(socket_getsockopt_obj, socket_getsockopt);
