// Which name servers are asked: those that the user set, else what DHCP told, then what routers announce (RDNSS); where
// nobody named any, those that were set for that.
//
// lwIP has one list, and whoever learns last writes over it. So what its DHCP client, its neighbour
// discovery and MicroPython's network.ipconfig() would set goes here by a name of its own (port.mk).

#include <string.h>

#include "lwip/dns.h"

#include "py/runtime.h"
#include "args.h"
#include "dns_servers.h"
#include "net_text.h"

enum { USER, DHCP, ROUTER, LAST, SOURCES };

static ip_addr_t known[SOURCES][DNS_MAX_SERVERS];       // IP_ADDR_ANY: none

static void merge(void) {
    int count = 0;
    for (int source = 0; source < SOURCES && !((source == DHCP || source == LAST) && count > 0); source++) {
        for (int i = 0; i < DNS_MAX_SERVERS && count < DNS_MAX_SERVERS; i++) {
            if (!ip_addr_isany_val(known[source][i])) {
                dns_setserver(count++, &known[source][i]);
            }
        }
    }
    while (count < DNS_MAX_SERVERS) {
        dns_setserver(count++, NULL);
    }
}

static void set(int source, u8_t index, const ip_addr_t *addr) {
    if (index < DNS_MAX_SERVERS) {
        known[source][index] = addr != NULL ? *addr : *IP_ADDR_ANY;
        merge();
    }
}

// lwIP's clients name their servers from 0 on, whole lists at a time.
static void begin(int source, u8_t index) {
    for (int i = index; i < DNS_MAX_SERVERS; i++) {
        known[source][i] = *IP_ADDR_ANY;
    }
}

void dns_set_by_user(u8_t index, const ip_addr_t *addr) {
    set(USER, index, addr);
}

void dns_set_by_dhcp(u8_t index, const ip_addr_t *addr) {
    begin(DHCP, index);
    set(DHCP, index, addr);
}

void dns_set_by_router(u8_t index, const ip_addr_t *addr) {
    if (addr != NULL) {
        begin(ROUTER, index);
    }
    set(ROUTER, index, addr);
}

const ip_addr_t *dns_get_by_router(u8_t index) {
    return index < DNS_MAX_SERVERS ? &known[ROUTER][index] : IP_ADDR_ANY;
}

void dns_forget_learned(void) {
    begin(DHCP, 0);
    begin(ROUTER, 0);
    merge();
}

mp_obj_t dns_servers_list(void) {
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (int i = 0; i < DNS_MAX_SERVERS; i++) {
        const ip_addr_t *addr = dns_getserver(i);
        if (!ip_addr_isany(addr)) {
            mp_obj_list_append(list, net_text(addr));
        }
    }
    return list;
}

void dns_servers_set(mp_obj_t list, bool last) {
    int source = last ? LAST : USER;
    ip_addr_t addrs[DNS_MAX_SERVERS];
    size_t count;
    mp_obj_t *items;
    mp_obj_get_array(list, &count, &items);
    if (count > DNS_MAX_SERVERS) {
        mp_raise_ValueError(MP_ERROR_TEXT("too many name servers"));
    }
    for (size_t i = 0; i < count; i++) {
        if (!ipaddr_aton(arg_str(items[i]), &addrs[i])) {
            mp_raise_ValueError(MP_ERROR_TEXT("invalid address"));
        }
    }
    begin(source, 0);
    memcpy(known[source], addrs, count * sizeof(addrs[0]));
    merge();
}
