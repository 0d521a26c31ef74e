// The MTU that a DHCP server tells (RFC 2132, 5.1), which lwIP neither asks for nor reads. Larger than the card's it
// counts for nothing; smaller, it holds until the interface is started anew.

#include <string.h>

#include "lwip/pbuf.h"

#include "dhcp_mtu.h"

#define OPTION_MTU 26
#define MTU_MIN 576             // RFC 791: what every host takes
#define TRAILER 4               // what lwIP still puts behind the options

// One more number in the list of what we want to know.
void dhcp_ask_mtu(struct dhcp_msg *message, u16_t *options_len) {
    u8_t *options = message->options;
    for (u16_t i = 0; i + 1 < *options_len; i += 2 + options[i + 1]) {
        if (options[i] == DHCP_OPTION_PARAMETER_REQUEST_LIST && *options_len + 1 + TRAILER <= DHCP_OPTIONS_LEN) {
            memmove(options + i + 3, options + i + 2, *options_len - i - 2);
            options[i + 1]++;
            options[i + 2] = OPTION_MTU;
            ++*options_len;
            return;
        }
    }
}

void dhcp_take_mtu(struct netif *netif, u8_t message_type, u8_t option, u8_t option_len, struct pbuf *p, u16_t at) {
    u8_t value[2];
    if (netif != NULL && message_type == DHCP_ACK && option == OPTION_MTU && option_len == sizeof(value)
        && pbuf_copy_partial(p, value, sizeof(value), at) == sizeof(value)) {
        u16_t mtu = value[0] << 8 | value[1];
        if (mtu >= MTU_MIN && mtu < netif->mtu) {
            netif->mtu = mtu;
        }
    }
}
