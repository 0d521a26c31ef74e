// What the stack under test sends: every frame must be well-formed, and what a peer would learn from it is remembered.

#include <string.h>

#include "fuzz.h"

flow_t flows[FLOWS];
seen_t seen;

static uint16_t get16(const uint8_t *p) {
    return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p) {
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void check(bool good, const char *what) {
    if (!good) {
        fuzz_fail(what);
    }
}

flow_t *seen_flow(uint16_t theirs) {
    for (flow_t *flow = flows; flow < flows + FLOWS; flow++) {
        if (flow->used && !flow->v6 && flow->theirs == theirs) {
            return flow;
        }
    }
    return NULL;
}

static void saw_tcp(const uint8_t *tcp, size_t len, bool v6) {
    check(len >= 20 && (tcp[12] >> 4) * 4u >= 20 && (tcp[12] >> 4) * 4u <= len, "sent: TCP header");
    uint16_t ours = get16(tcp), theirs = get16(tcp + 2);
    flow_t *flow = flows + (ours * 31u + theirs) % FLOWS;
    if (!flow->used || flow->ours != ours || flow->theirs != theirs || flow->v6 != v6) {
        *flow = (flow_t) { .used = true, .v6 = v6, .ours = ours, .theirs = theirs };
    }
    flow->flags = tcp[13];
    flow->next = get32(tcp + 4) + len - (tcp[12] >> 4) * 4 + !!(tcp[13] & SYN) + !!(tcp[13] & FIN);
    flow->acked = get32(tcp + 8);
    flow->used = !(tcp[13] & RST);
}

static void saw_udp(const uint8_t *udp, size_t len) {
    check(len >= 8 && get16(udp + 4) == len, "sent: UDP length");
    if (get16(udp + 2) == 67 && len >= 8 + 8) {
        seen.xid = get32(udp + 12);
    }
    if (get16(udp + 2) == 53 && len >= 10) {
        seen.dns_id = get16(udp + 8);
        seen.dns_port = get16(udp);
    }
}

static void saw_payload(uint8_t protocol, const uint8_t *p, size_t len, uint32_t pseudo, bool v6) {
    bool no_sum = protocol == 17 && !v6 && get16(p + 6) == 0;
    if ((protocol == 6 || protocol == 17 || protocol == 58) && !no_sum) {
        check(sum16(p, len, pseudo + protocol + len) == 0xffff, "sent: checksum of TCP, UDP or ICMPv6");
    }
    if (protocol == 6) {
        saw_tcp(p, len, v6);
    } else if (protocol == 17) {
        saw_udp(p, len);
    } else if (protocol == 1) {
        check(len >= 8 && sum16(p, len, 0) == 0xffff, "sent: checksum of ICMP");
        if (p[0] == 0) {
            seen.echo_replies++;
            seen.echo_id = get16(p + 4);
        }
    }
}

static void saw_ip4(const uint8_t *ip, size_t len) {
    size_t head = (ip[0] & 15) * 4, total = get16(ip + 2);
    check(len >= 20 && ip[0] >> 4 == 4 && head >= 20 && head <= total && total <= len, "sent: IPv4 lengths");
    check(sum16(ip, head, 0) == 0xffff, "sent: checksum of IPv4");
    if ((get16(ip + 6) & 0x3fff) == 0) {
        saw_payload(ip[9], ip + head, total - head, sum16(ip + 12, 8, 0), false);
    }
}

static void saw_ip6(const uint8_t *ip, size_t len) {
    check(len >= 40 && ip[0] >> 4 == 6 && 40u + get16(ip + 4) <= len, "sent: IPv6 lengths");
    memcpy(seen.ip6, ip + 8, 16);
    if (ip[6] != 0 && ip[6] != 44) {        // neither options nor a fragment
        saw_payload(ip[6], ip + 40, get16(ip + 4), sum16(ip + 8, 32, 0), true);
    }
}

void seen_frame(const uint8_t *frame, size_t len) {
    check(len >= ETH_LEN && len <= ETH_LEN + MTU, "sent: length of a frame");
    check(memcmp(frame + 6, station_mac, 6) == 0, "sent: from another MAC");
    seen.frames++;
    switch (get16(frame + 12)) {
        case 0x0806:
            check(len >= 42, "sent: length of ARP");
            seen.arp_replies += get16(frame + 20) == 2;
            break;
        case 0x0800:
            saw_ip4(frame + ETH_LEN, len - ETH_LEN);
            break;
        case 0x86dd:
            saw_ip6(frame + ETH_LEN, len - ETH_LEN);
            break;
        default:
            fuzz_fail("sent: unknown type of frame");
    }
}
