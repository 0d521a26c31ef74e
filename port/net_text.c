// IP addresses as text: lwIP's, with small letters (RFC 5952, 4.3) and the interface of an address that has one.

#include <string.h>

#include "lwip/netif.h"
#include "py/obj.h"
#include "net_text.h"

mp_obj_t net_text(const ip_addr_t *addr) {
    char text[IPADDR_STRLEN_MAX + 1 + NETIF_NAMESIZE];
    ipaddr_ntoa_r(addr, text, IPADDR_STRLEN_MAX);
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        text[i] |= text[i] >= 'A' && text[i] <= 'F' ? 'a' - 'A' : 0;
    }
    if (IP_IS_V6(addr) && ip6_addr_has_zone(ip_2_ip6(addr)) && netif_index_to_name(ip6_addr_zone(ip_2_ip6(addr)), text + len + 1) != NULL) {
        text[len] = '%';
    }
    return mp_obj_new_str_from_cstr(text);
}
