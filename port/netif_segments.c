// TCP segments that leave as one frame, for devices that cut it into segments themselves (TSO).
//
// While one connection sends (net_output.c), a segment that has others behind it is held: it lies in the driver's buffers
// as the first part of a frame, and those that continue it add their data only. The frame goes when a segment does not
// fit behind it, when it is full, and when the connection has sent what it may: nothing is held for longer than that.
// Its header is lwIP's of the first segment, with the length of all (virtio 1.2, 5.1.6.2; RFC 9293).

#include <string.h>

#include "lwip/inet_chksum.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/tcp.h"

#include "py/runtime.h"
#include "net.h"
#include "net_hooks.h"
#include "netif_obj.h"

#define PARTS_MAX 64
#define KIND_TCP4 1ull
#define KIND_TCP6 4ull

#define IP4_AT SIZEOF_ETH_HDR
#define TCP4_AT (IP4_AT + IP_HLEN)
#define TCP6_AT (IP4_AT + IP6_HLEN)

static bool gathering;

// The frame that is held.
static struct {
    netif_obj_t *by;                            // NULL: none is
    uint8_t *frame, *tcp;                       // in the driver's buffer
    uint8_t head[TCP6_AT + TCP_HLEN];           // a copy of its headers, which the device does not see
    size_t tcp_at, headers, len;                // bytes
    uint16_t segment;                           // bytes of data in each part but the last
    unsigned parts;
    uint32_t next_seq;
    bool push;
} held;

static uint32_t read32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return lwip_ntohl(value);
}

static void write16(uint8_t *at, unsigned value) {
    at[0] = value >> 8;
    at[1] = value;
}

// -> where TCP's header begins in a frame of data whose headers have no options and no flags but ACK and PSH, or 0
static size_t data_segment(const netif_obj_t *self, const struct pbuf *p) {
    const uint8_t *head = p->payload, *ip = head + IP4_AT;
    size_t tcp_at = 0;
    if (p->len >= TCP4_AT + TCP_HLEN && ip[0] == 0x45 && ip[9] == IP_PROTO_TCP && self->cuts_ip4) {
        tcp_at = TCP4_AT;
    } else if (p->len >= TCP6_AT + TCP_HLEN && ip[0] >> 4 == 6 && ip[6] == IP6_NEXTH_TCP && self->cuts_ip6) {
        tcp_at = TCP6_AT;
    }
    const uint8_t *tcp = head + tcp_at;
    bool plain = tcp_at != 0 && tcp[12] >> 4 == TCP_HLEN / 4 && (tcp[13] & ~TCP_PSH) == TCP_ACK;
    return plain && p->tot_len > tcp_at + TCP_HLEN ? tcp_at : 0;
}

static void send_held(void) {
    netif_obj_t *self = held.by;
    held.by = NULL;
    if (self == NULL) {
        return;
    }
    bool ip6 = held.tcp_at == TCP6_AT;
    uint8_t *ip = held.head + IP4_AT;
    if (ip6) {
        write16(ip + 4, held.len - IP4_AT - IP6_HLEN);
    } else {
        write16(ip + 2, held.len - IP4_AT);
        write16(ip + 10, 0);
        uint16_t sum = inet_chksum(ip, IP_HLEN);
        memcpy(ip + 10, &sum, sizeof(sum));
    }
    held.head[held.tcp_at + 13] = TCP_ACK | (held.push ? TCP_PSH : 0);
    memcpy(held.frame, held.head, held.headers);
    uint32_t csum = netif_frames_checksum(held.head, held.headers, held.frame, held.len);
    uint64_t gso = held.parts == 1 ? 0 : (ip6 ? KIND_TCP6 : KIND_TCP4) << 32 | held.headers << 16 | held.segment;
    mp_obj_t args[] = { MP_OBJ_NEW_SMALL_INT(csum | netif_frames_more(self)), MP_OBJ_NEW_SMALL_INT(gso) };
    netif_frames_call(self, self->send_held, 2, args);
    net_linger();
}

// The same connection, the same acknowledgement and window: what lies between is sequence number, flags and checksums.
static bool continues(const netif_obj_t *self, const uint8_t *head, size_t tcp_at, size_t data) {
    const uint8_t *tcp = head + tcp_at, *first = held.head + tcp_at;
    size_t addresses = tcp_at == TCP6_AT ? 32 : 8;
    return held.by == self && held.tcp_at == tcp_at && held.parts < PARTS_MAX && data <= held.segment
        && held.len + data <= IP4_AT + UINT16_MAX && read32(tcp + 4) == held.next_seq && *self->tx != 0
        && memcmp(head, held.head, IP4_AT + 2) == 0 && memcmp(tcp - addresses, first - addresses, addresses + 4) == 0
        && memcmp(tcp + 8, first + 8, 4) == 0 && memcmp(tcp + 14, first + 14, 2) == 0;
}

static bool add(netif_obj_t *self, struct pbuf *p, size_t skip) {
    uint8_t *at = netif_frames_copy(self, p, skip);
    mp_obj_t len = MP_OBJ_NEW_SMALL_INT(p->tot_len - skip);
    if (at == NULL || !netif_frames_call(self, self->hold, 1, &len)) {
        return false;
    }
    held.frame = skip == 0 ? at : held.frame;
    held.len += p->tot_len - skip;
    held.parts++;
    return true;
}

bool netif_segments_take(netif_obj_t *self, struct pbuf *p) {
    size_t tcp_at = gathering && (self->cuts_ip4 || self->cuts_ip6) ? data_segment(self, p) : 0;
    if (tcp_at == 0) {
        send_held();
        return false;
    }
    const uint8_t *head = p->payload;
    size_t headers = tcp_at + TCP_HLEN, data = p->tot_len - headers;
    bool push = head[tcp_at + 13] & TCP_PSH, behind = continues(self, head, tcp_at, data);
    if (!behind) {
        send_held();
        if (push || *self->tx == 0) {
            return false;                       // nothing follows it
        }
        memcpy(held.head, head, headers);
        held.tcp_at = tcp_at;
        held.headers = headers;
        held.segment = data;
        held.len = held.parts = 0;
        held.by = self;
    }
    if (!add(self, p, behind ? headers : 0)) {
        held.by = behind ? self : NULL;
        send_held();
        return false;
    }
    held.push = push;
    held.next_seq = read32(head + tcp_at + 4) + data;
    if (push || data < held.segment) {
        send_held();
    }
    return true;
}

void net_segments_gather(bool on) {
    gathering = on;
    if (!on) {
        send_held();
    }
}
