// Addresses of sockets as Python writes them, and getaddrinfo().
//
// (text, port) for both families; an IPv6 address may name its interface, "fe80::1%en1". Tuples of four, as CPython has
// them for IPv6, are read, not made. A mapped address (::ffff:1.2.3.4) is the IPv4 address in it.
// Names are asked for by lwIP's resolver: one address of each, of the family that network.ipconfig(prefer=) says if
// there are both.

#include <string.h>

#include "lwip/dns.h"

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "extmod/modnetwork.h"
#include "boot/boot.h"
#include "args.h"
#include "net.h"
#include "net_text.h"
#include "socket.h"

#define EAI_NONAME (-2)                 // as CPython's gaierror
#define EAI_MEMORY (-10)

mp_obj_t socket_address(const ip_addr_t *addr, mp_uint_t port) {
    mp_obj_t pair[] = { net_text(addr), MP_OBJ_NEW_SMALL_INT(port) };
    return mp_obj_new_tuple(2, pair);
}

// "" is any address. -> false: no address
static bool parse(const char *text, int family, ip_addr_t *addr) {
    if (*text == '\0') {
        *addr = family == AF_INET ? *IP4_ADDR_ANY : *IP6_ADDR_ANY;
        return true;
    }
    if (!ipaddr_aton(text, addr)) {
        return false;
    }
    if (IP_IS_V6(addr) && ip6_addr_isipv4mappedipv6(ip_2_ip6(addr))) {
        uint32_t v4 = ip_2_ip6(addr)->addr[3];
        ip_addr_set_ip4_u32_val(*addr, v4);
    }
    return true;
}

mp_uint_t socket_parse_address(mp_obj_t tuple, int family, ip_addr_t *addr) {
    size_t len;
    mp_obj_t *items;
    mp_obj_get_array(tuple, &len, &items);
    if (len != 2 && len != 4) {
        mp_raise_ValueError(MP_ERROR_TEXT("address is no (host, port)"));
    }
    if (!parse(arg_str(items[0]), family, addr)) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid address"));
    }
    mp_int_t port = mp_obj_get_int(items[1]);
    if (port < 0 || port > 0xffff) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid port"));
    }
    return port;
}

// ---- names ---------------------------------------------------------------------------------------------------------------------
// Outlives the call that waits for it: lwIP's answer finds it here, not on a stack that is gone.
typedef struct {
    bool done, found, left;
    ip_addr_t addr;
} query_t;

static void on_found(const char *name, const ip_addr_t *addr, void *arg) {
    query_t *query = arg;
    if (query->left) {
        net_free(query);
        return;
    }
    query->done = true;
    query->found = addr != NULL;
    if (addr != NULL) {
        query->addr = *addr;
    }
    idle_wake();
}

static u8_t address_type(int family) {
    if (family == 0) {
        return mp_mod_network_prefer_dns_use_ip_version == 4 ? LWIP_DNS_ADDRTYPE_IPV4_IPV6 : LWIP_DNS_ADDRTYPE_IPV6_IPV4;
    }
    return family == AF_INET6 ? LWIP_DNS_ADDRTYPE_IPV6 : LWIP_DNS_ADDRTYPE_IPV4;
}

static void wait_for(query_t *query) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        while (!query->done) {          // lwIP gives up by itself
            mp_event_wait_indefinite();
        }
        nlr_pop();
    } else {
        query->left = true;
        if (query->done) {
            net_free(query);
        }
        nlr_jump(nlr.ret_val);
    }
}

static bool resolve(const char *name, int family, ip_addr_t *addr) {
    query_t *query = net_calloc(1, sizeof(query_t));
    if (query == NULL) {
        mp_raise_OSError(EAI_MEMORY);
    }
    err_t err = dns_gethostbyname_addrtype(name, &query->addr, on_found, query, address_type(family));
    if (err == ERR_INPROGRESS) {
        wait_for(query);
    } else {
        query->found = err == ERR_OK;
    }
    bool found = query->found;
    *addr = query->addr;
    net_free(query);
    return found;
}

static bool lookup(const char *host, int family, ip_addr_t *addr) {
    if (strcmp(host, "localhost") == 0) {
        return parse(family == AF_INET6 ? "::1" : "127.0.0.1", family, addr);
    }
    if (parse(host, family == 0 ? AF_INET : family, addr)) {
        return family == 0 || (family == AF_INET6) == IP_IS_V6(addr);
    }
    return resolve(host, family, addr);
}

// getaddrinfo(host, port, af=0, type=0, proto=0, flags=0) -> [(af, type, proto, "", (text, port))]. OSError(-2): no such name.
static mp_obj_t socket_getaddrinfo(size_t n_args, const mp_obj_t *args) {
    mp_int_t given[4] = { 0 };          // family, type, protocol, flags
    for (size_t i = 2; i < n_args; i++) {
        given[i - 2] = mp_obj_get_int(args[i]);
    }
    ip_addr_t addr;
    mp_int_t port = mp_obj_get_int(args[1]);
    if (!net_ready()) {
        mp_raise_OSError(MP_ENODEV);
    }
    if (!lookup(args[0] == mp_const_none ? "" : arg_str(args[0]), given[0], &addr)) {
        mp_raise_OSError(EAI_NONAME);
    }
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(IP_IS_V6(&addr) ? AF_INET6 : AF_INET),
        MP_OBJ_NEW_SMALL_INT(given[1] != 0 ? given[1] : SOCK_STREAM),
        MP_OBJ_NEW_SMALL_INT(given[2]),
        MP_OBJ_NEW_QSTR(MP_QSTR_),
        socket_address(&addr, port),
    };
    mp_obj_t tuple = mp_obj_new_tuple(5, items);
    return mp_obj_new_list(1, &tuple);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_getaddrinfo_obj, 2, 6, socket_getaddrinfo);
