// Module netif: lwIP's side of a network interface, whose other side is a driver in Python: its life, its
// addresses and its counters. Frames: netif_frames.c.

#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/netif.h"
#include "lwip/stats.h"
#include "netif/ethernet.h"
#include "lwip/priv/tcp_priv.h"

#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/modnetwork.h"
#include "args.h"
#include "dns_servers.h"
#include "irq.h"
#include "net.h"
#include "net_hooks.h"
#include "netif_obj.h"
#include "net_text.h"

static const mp_obj_type_t netif_type;

static netif_obj_t *alive(mp_obj_t self_in) {
    netif_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (!self->added) {
        mp_raise_OSError(MP_ENODEV);
    }
    return self;
}

// ---- behind a poll ----------------------------------------------------------------------------------------
// settle(): after a poll. Frames that found no place go now; lwIP does what is due.
static mp_obj_t netif_settle(mp_obj_t self_in) {
    netif_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->waiting) {
        self->waiting = false;
        net_batch_begin();
        tcp_txnow();
        net_batch_end(NET_TELL_LATER);
    }
    net_settle();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(netif_settle_obj, netif_settle);

// ---- its life -------------------------------------------------------------------------------------------------
static err_t netif_setup(struct netif *netif) {
    netif_obj_t *self = netif->state;
    mp_buffer_info_t mac;
    mp_get_buffer_raise(mp_load_attr(self->nic, MP_QSTR_mac), &mac, MP_BUFFER_READ);
    if (mac.len != NETIF_MAX_HWADDR_LEN) {
        return ERR_ARG;
    }
    memcpy(netif->hwaddr, mac.buf, mac.len);
    netif->hwaddr_len = mac.len;
    netif->mtu = mp_obj_get_int(mp_load_attr(self->nic, MP_QSTR_mtu));
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = netif_frames_send;
    bool csum = mp_obj_is_true(mp_load_attr(self->nic, MP_QSTR_csum));
    netif->chksum_flags = csum ? NETIF_CHECKSUM_ENABLE_ALL & ~NETIF_CHECKSUM_GEN_TCP : NETIF_CHECKSUM_ENABLE_ALL;
    netif_set_hostname(netif, mod_network_hostname_data);
    return ERR_OK;
}

// lwIP counts on with each one that is added, but names ("en1") stand in addresses that people write.
static void number_from_one(struct netif *netif) {
    netif->num = 1;                         // 0 is the loopback
    for (struct netif *other = netif_list; other != NULL; ) {
        bool taken = other != netif && other->num == netif->num;
        netif->num += taken;
        other = taken ? netif_list : other->next;
    }
}

// Netif(nic): nic has mac, mtu, csum, tx, and transmit(length, csum) from active() on; it
// may have notify(), and cuts, hold(length) and send_held(csum, gso), as docs/drivers.md says. ValueError: they do not fit.
static mp_obj_t netif_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    netif_obj_t *self = mp_obj_malloc(netif_obj_t, type);
    memset((char *)self + sizeof(self->base), 0, sizeof(*self) - sizeof(self->base));
    mp_buffer_info_t tx;
    self->nic = args[0];
    mp_get_buffer_raise(mp_load_attr(self->nic, MP_QSTR_tx), &tx, MP_BUFFER_RW);
    if (tx.len != sizeof(uint64_t)) {
        mp_raise_ValueError(MP_ERROR_TEXT("tx is no array of one address"));
    }
    self->tx = tx.buf;
    if (!net_ready()) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("no source of random numbers, which a network needs"));
    }
    if (netif_add(&self->netif, NULL, NULL, NULL, self, netif_setup, net_input) == NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("mac is not 6 bytes"));
    }
    self->added = true;
    self->next = MP_STATE_PORT(netif_list_head);
    MP_STATE_PORT(netif_list_head) = self;
    number_from_one(&self->netif);
    netif_create_ip6_linklocal_address(&self->netif, 1);
    netif_set_ip6_autoconfig_enabled(&self->netif, 1);
    if (netif_default == NULL || netif_default->state == NULL) {
        netif_set_default(&self->netif);
    }
    return MP_OBJ_FROM_PTR(self);
}

static void take_out(netif_obj_t *self) {
    if (self->added) {
        self->added = false;
        netif_frames_drop(self);
        dhcp_release_and_stop(&self->netif);
        dhcp_cleanup(&self->netif);
        netif_remove(&self->netif);
        dns_forget_learned();
        for (netif_obj_t **link = &MP_STATE_PORT(netif_list_head); *link != NULL; link = &(*link)->next) {
            if (*link == self) {
                *link = self->next;
                break;
            }
        }
    }
}

// remove(): lwIP forgets it
static mp_obj_t netif_remove_(mp_obj_t self_in) {
    take_out(MP_OBJ_TO_PTR(self_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(netif_remove_obj, netif_remove_);

// Devices write into memory that is about to be someone else's: every driver stops its own.
void netif_deinit(void) {
    while (MP_STATE_PORT(netif_list_head) != NULL) {
        netif_obj_t *self = MP_STATE_PORT(netif_list_head);
        take_out(self);
        mp_obj_t stop[2] = { MP_OBJ_NULL, MP_OBJ_NULL };
        mp_load_method_maybe(self->nic, MP_QSTR_stop, stop);
        nlr_buf_t nlr;
        if (stop[0] != MP_OBJ_NULL && nlr_push(&nlr) == 0) {
            mp_call_method_n_kw(0, 0, stop);
            nlr_pop();
        }
    }
}

// ---- state --------------------------------------------------------------------------------------------------
// A started driver's functions for frames.
static void load_driver(netif_obj_t *self) {
    self->transmit = mp_load_attr(self->nic, MP_QSTR_transmit);
    mp_obj_t cuts[2], notify[2];
    mp_load_method_maybe(self->nic, MP_QSTR_notify, notify);
    self->notify = notify[0] == MP_OBJ_NULL ? MP_OBJ_NULL : mp_load_attr(self->nic, MP_QSTR_notify);
    mp_load_method_maybe(self->nic, MP_QSTR_cuts, cuts);
    int kinds = cuts[0] == MP_OBJ_NULL || self->netif.chksum_flags & NETIF_CHECKSUM_GEN_TCP ? 0 : mp_obj_get_int(cuts[0]);
    self->cuts_ip4 = kinds & 1;
    self->cuts_ip6 = kinds & 2;
    if (kinds != 0) {
        self->hold = mp_load_attr(self->nic, MP_QSTR_hold);
        self->send_held = mp_load_attr(self->nic, MP_QSTR_send_held);
    }
}

// active(up, link): whether it is in use, and whether the device says that a cable is in it
static mp_obj_t netif_active(mp_obj_t self_in, mp_obj_t up, mp_obj_t link) {
    netif_obj_t *self = alive(self_in);
    struct netif *netif = &self->netif;
    load_driver(self);
    (mp_obj_is_true(link) ? netif_set_link_up : netif_set_link_down)(netif);
    (mp_obj_is_true(up) ? netif_set_up : netif_set_down)(netif);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(netif_active_obj, netif_active);

static ip4_addr_t ip4_of(mp_obj_t text) {
    ip4_addr_t addr;
    if (!ip4addr_aton(arg_str(text), &addr)) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid IPv4 address"));
    }
    return addr;
}

// ipv4(address, mask, gateway): static addresses, as text; DHCP ends
static mp_obj_t netif_ipv4(size_t n_args, const mp_obj_t *args) {
    struct netif *netif = &alive(args[0])->netif;
    ip4_addr_t addr = ip4_of(args[1]), mask = ip4_of(args[2]), gateway = ip4_of(args[3]);
    dhcp_release_and_stop(netif);
    netif_set_addr(netif, &addr, &mask, &gateway);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(netif_ipv4_obj, 4, 4, netif_ipv4);

static ip6_addr_t ip6_of(struct netif *netif, mp_obj_t text) {
    ip6_addr_t addr;
    if (!ip6addr_aton(arg_str(text), &addr)) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid IPv6 address"));
    }
    ip6_addr_assign_zone(&addr, IP6_UNICAST, netif);
    return addr;
}

// ipv6(address, gateway=None): one more address, of a /64, as text, and where to send what is not on the link; without,
// to routers that announce themselves. OSError(ENOSPC): there is no room for another address.
static mp_obj_t netif_ipv6(size_t n_args, const mp_obj_t *args) {
    netif_obj_t *self = alive(args[0]);
    ip6_addr_t addr = ip6_of(&self->netif, args[1]), gateway = { 0 };
    if (n_args > 2 && args[2] != mp_const_none) {
        gateway = ip6_of(&self->netif, args[2]);
    }
    s8_t index;
    if (netif_add_ip6_address(&self->netif, &addr, &index) != ERR_OK || index < 0) {
        mp_raise_OSError(MP_ENOSPC);
    }
    netif_ip6_addr_set_valid_life(&self->netif, index, IP6_ADDR_LIFE_STATIC);
    netif_ip6_addr_set_pref_life(&self->netif, index, IP6_ADDR_LIFE_STATIC);
    self->gateway6 = gateway;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(netif_ipv6_obj, 2, 3, netif_ipv6);

// ipconfig(...): as MicroPython's nic.ipconfig
static mp_obj_t netif_ipconfig(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    return mod_network_nic_ipconfig(&alive(args[0])->netif, n_args - 1, args + 1, kwargs);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(netif_ipconfig_obj, 1, netif_ipconfig);

// addresses() -> list of (text, prefix length), IPv4 first; of IPv6 those that may be used
static mp_obj_t netif_addresses(mp_obj_t self_in) {
    struct netif *netif = &alive(self_in)->netif;
    mp_obj_t list = mp_obj_new_list(0, NULL);
    if (!ip4_addr_isany(netif_ip4_addr(netif))) {
        int prefix = __builtin_popcount(ip4_addr_get_u32(netif_ip4_netmask(netif)));
        mp_obj_t pair[] = { net_text(netif_ip_addr4(netif)), MP_OBJ_NEW_SMALL_INT(prefix) };
        mp_obj_list_append(list, mp_obj_new_tuple(2, pair));
    }
    for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i))) {
            mp_obj_t pair[] = { net_text(netif_ip_addr6(netif, i)), MP_OBJ_NEW_SMALL_INT(64) };
            mp_obj_list_append(list, mp_obj_new_tuple(2, pair));
        }
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_1(netif_addresses_obj, netif_addresses);

// mtu() -> bytes of a packet: the card's, or what DHCP says if that is less
static mp_obj_t netif_mtu(mp_obj_t self_in) {
    return MP_OBJ_NEW_SMALL_INT(alive(self_in)->netif.mtu);
}
static MP_DEFINE_CONST_FUN_OBJ_1(netif_mtu_obj, netif_mtu);

// gateway() -> text of the IPv4 gateway, else of the one of IPv6 that was set, or None
static mp_obj_t netif_gateway(mp_obj_t self_in) {
    netif_obj_t *self = alive(self_in);
    if (!ip4_addr_isany(netif_ip4_gw(&self->netif))) {
        return net_text(netif_ip_gw4(&self->netif));
    }
    ip_addr_t addr;
    ip_addr_copy_from_ip6(addr, self->gateway6);
    return ip6_addr_isany(&self->gateway6) ? mp_const_none : net_text(&addr);
}
static MP_DEFINE_CONST_FUN_OBJ_1(netif_gateway_obj, netif_gateway);

// A hook of lwIP: the gateway of IPv6 that was set. -> NULL: those that routers announced
const ip6_addr_t *net_gateway6(struct netif *netif) {
    netif_obj_t *self = netif->state;
    return self != NULL && !ip6_addr_isany(&self->gateway6) ? &self->gateway6 : NULL;
}

// counters() -> (frames received, sent, bytes received, sent, frames dropped on the way in, out, errors of the driver)
static mp_obj_t netif_counters(mp_obj_t self_in) {
    netif_obj_t *self = MP_OBJ_TO_PTR(self_in);
    return tuple_of_ints(7, (uint64_t[]) { self->count.rx_frames, self->count.tx_frames, self->count.rx_bytes, self->count.tx_bytes,
        self->count.rx_dropped, self->count.tx_dropped, self->count.errors });
}
static MP_DEFINE_CONST_FUN_OBJ_1(netif_counters_obj, netif_counters);

static const mp_rom_map_elem_t netif_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_input), MP_ROM_PTR(&netif_input_obj) },
    { MP_ROM_QSTR(MP_QSTR_settle), MP_ROM_PTR(&netif_settle_obj) },
    { MP_ROM_QSTR(MP_QSTR_remove), MP_ROM_PTR(&netif_remove_obj) },
    { MP_ROM_QSTR(MP_QSTR_active), MP_ROM_PTR(&netif_active_obj) },
    { MP_ROM_QSTR(MP_QSTR_ipv4), MP_ROM_PTR(&netif_ipv4_obj) },
    { MP_ROM_QSTR(MP_QSTR_ipv6), MP_ROM_PTR(&netif_ipv6_obj) },
    { MP_ROM_QSTR(MP_QSTR_ipconfig), MP_ROM_PTR(&netif_ipconfig_obj) },
    { MP_ROM_QSTR(MP_QSTR_addresses), MP_ROM_PTR(&netif_addresses_obj) },
    { MP_ROM_QSTR(MP_QSTR_mtu), MP_ROM_PTR(&netif_mtu_obj) },
    { MP_ROM_QSTR(MP_QSTR_gateway), MP_ROM_PTR(&netif_gateway_obj) },
    { MP_ROM_QSTR(MP_QSTR_counters), MP_ROM_PTR(&netif_counters_obj) },
};
static MP_DEFINE_CONST_DICT(netif_locals, netif_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(netif_type, MP_QSTR_Netif, MP_TYPE_FLAG_NONE, make_new, netif_make_new, locals_dict, &netif_locals);

// shield(function): call it as an interrupt's function is called, to its end whatever Ctrl-C says
static mp_obj_t netif_shield(mp_obj_t function) {
    irq_shield(function);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(netif_shield_obj, netif_shield);

// memory() -> (bytes that packets, connections and sockets have, what they may have)
static mp_obj_t netif_memory(void) {
    return tuple_of_ints(2, (uint64_t[]) { net_memory_used(), net_memory_limit() });
}
static MP_DEFINE_CONST_FUN_OBJ_0(netif_memory_obj, netif_memory);

// stats() -> ((name, count), ...): what the stack as a whole counted since it started
static mp_obj_t netif_stats(void) {
    const struct { qstr name; uint64_t count; } rows[] = {
        { MP_QSTR_tcp_retransmitted, lwip_stats.mib2.tcpretranssegs },
        { MP_QSTR_tcp_dropped, lwip_stats.tcp.drop },
        { MP_QSTR_checksum_errors, lwip_stats.ip.chkerr + lwip_stats.tcp.chkerr + lwip_stats.udp.chkerr + lwip_stats.icmp.chkerr
            + lwip_stats.icmp6.chkerr },
        { MP_QSTR_ip_dropped, lwip_stats.ip.drop + lwip_stats.ip6.drop },
        { MP_QSTR_fragments_dropped, lwip_stats.ip_frag.drop + lwip_stats.ip6_frag.drop },
        { MP_QSTR_datagrams_dropped, net_count.datagrams_dropped },
        { MP_QSTR_requests_dropped, net_count.requests_dropped },
        { MP_QSTR_frames_refused, net_count.frames_refused },
        { MP_QSTR_memory_refused, net_count.memory_refused },
        { MP_QSTR_memory_used, net_memory_used() },
    };
    mp_obj_t items[MP_ARRAY_SIZE(rows)];
    for (size_t i = 0; i < MP_ARRAY_SIZE(rows); i++) {
        mp_obj_t pair[] = { MP_OBJ_NEW_QSTR(rows[i].name), mp_obj_new_int_from_ull(rows[i].count) };
        items[i] = mp_obj_new_tuple(2, pair);
    }
    return mp_obj_new_tuple(MP_ARRAY_SIZE(rows), items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(netif_stats_obj, netif_stats);

// dns_servers() -> list of texts, in the order in which they are asked; dns_servers(list): these, or [] for what
// DHCP and routers say; dns_servers(list, True): these where nobody names any. ValueError: too many, or one is no address.
static mp_obj_t netif_dns_servers(size_t n_args, const mp_obj_t *args) {
    if (n_args == 0) {
        return dns_servers_list();
    }
    dns_servers_set(args[0], n_args > 1 && mp_obj_is_true(args[1]));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(netif_dns_servers_obj, 0, 2, netif_dns_servers);

static const mp_rom_map_elem_t netif_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_netif) },
    { MP_ROM_QSTR(MP_QSTR_stats), MP_ROM_PTR(&netif_stats_obj) },
    { MP_ROM_QSTR(MP_QSTR_memory), MP_ROM_PTR(&netif_memory_obj) },
    { MP_ROM_QSTR(MP_QSTR_dns_servers), MP_ROM_PTR(&netif_dns_servers_obj) },
    { MP_ROM_QSTR(MP_QSTR_shield), MP_ROM_PTR(&netif_shield_obj) },
    { MP_ROM_QSTR(MP_QSTR_Netif), MP_ROM_PTR(&netif_type) },
};
static MP_DEFINE_CONST_DICT(netif_globals, netif_globals_table);

const mp_obj_module_t mp_module_netif = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&netif_globals,
};

MP_REGISTER_MODULE(MP_QSTR_netif, mp_module_netif);
MP_REGISTER_ROOT_POINTER(struct netif_obj *netif_list_head);
