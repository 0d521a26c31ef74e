// Frames that come in: made by the rules of each protocol, to what the stack just said, then bent.

#include <string.h>

#include "fuzz.h"
#include "wire.h"

// ---- ARP ------------------------------------------------------------------------------------------------------
size_t craft_arp(uint8_t *frame) {
    out = frame;
    put(broadcast, 6);
    put(peer_mac, 6);
    put16(0x0806);
    put("\0\1\10\0\6\4\0\1", 8);
    put(peer_mac, 6);
    put32(0x0a000002);
    put("\0\0\0\0\0\0", 6);
    put32(0x0a000001);
    return out - frame;
}

static void arp(void) {
    ethernet(0x0806);
    put("\0\1\10\0\6\4\0", 7);
    put8(one_in(2) ? 1 : 2);
    put(peer_mac, 6);
    address4(false);
    put(station_mac, 6);
    address4(true);
}

// ---- ICMP, UDP ------------------------------------------------------------------------------------------------
size_t craft_ping(uint8_t *frame, uint16_t id) {
    out = frame;
    put(station_mac, 6);
    put(peer_mac, 6);
    put16(0x0800);
    uint8_t *ip = out;
    put("\x45\0\0\0\0\1\0\0\x40\1\0\0\12\0\0\2\12\0\0\1", 20);
    uint8_t *icmp = out;
    put32(0x08000000);
    put16(id);
    put("\0\1abcdefgh", 10);
    seal(icmp + 2, icmp, out - icmp, 0);
    end_ip4(ip);
    return out - frame;
}

static void icmp4(void) {
    ethernet(0x0800);
    uint8_t *ip = begin_ip4(1), *icmp = out;
    put8(one_in(2) ? 8 : below(20));
    put8(below(6));
    put16(0);
    put32(edgy());
    put_random(below(one_in(10) ? 4000 : 100));
    seal(icmp + 2, icmp, out - icmp, 0);
    end_ip4(ip);
    if (one_in(4)) {
        fragment(ip);
        end_ip4(ip);
    }
}

static void dhcp_options(void) {
    static const uint8_t codes[] = { 1, 3, 6, 26, 42, 51, 52, 53, 54, 58, 59, 255, 0 };
    put32(0x63825363);
    put("\65\1", 2);
    put8(one_in(4) ? rnd() : one_in(2) ? 2 : 5);
    for (uint32_t i = below(12); i > 0; i--) {
        uint8_t len = one_in(4) ? rnd() : one_in(2) ? 4 : below(20);
        put8(one_in(8) ? rnd() : codes[below(sizeof(codes))]);
        put8(len);
        put_random(one_in(8) ? below(len + 1) : len);
    }
    put8(one_in(8) ? 0 : 255);
}

static void dhcp(void) {
    put32(0x02010600);
    put32(one_in(8) ? rnd() : seen.xid);
    put32(0);
    put32(0);
    put32(0x0a000001 + below(4));
    put32(0x0a000002);
    put32(0);
    put(station_mac, 6);
    memset(out, 0, 10 + 64 + 128);
    out += 10 + 64 + 128;
    dhcp_options();
}

static void dns(void) {
    put16(one_in(4) ? rnd() : seen.dns_id);
    put16(0x8180);
    for (int i = 0; i < 4; i++) {
        put16(below(4));
    }
    put("\3www\7example\3com\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4", 17 + 4 + 16);
    put_random(below(60));
}

static void udp_payload(uint8_t *udp) {
    switch (below(4)) {
        case 0:
            udp[0] = 0, udp[1] = 67, udp[2] = 0, udp[3] = 68;
            dhcp();
            break;
        case 1:
            udp[0] = 0, udp[1] = 53, udp[2] = seen.dns_port >> 8, udp[3] = seen.dns_port;
            dns();
            break;
        default:
            put_random(below(one_in(10) ? 4000 : 200));
    }
}

static void udp(bool v6) {
    ethernet(v6 ? 0x86dd : 0x0800);
    uint8_t *ip = v6 ? begin_ip6(17) : begin_ip4(17), *head = out;
    put16(1 + below(65535));
    put16(one_in(4) ? edgy() : 7);
    put32(0);
    udp_payload(head);
    size_t len = out - head;
    head[4] = len >> 8;
    head[5] = len;
    if (!one_in(8)) {
        seal_payload(ip, head, 6, 17);
    }
    (v6 ? end_ip6 : end_ip4)(ip);
    if (!v6 && one_in(4)) {
        fragment(ip);
        end_ip4(ip);
    }
}

// ---- TCP --------------------------------------------------------------------------------------------------------
static void tcp_options(void) {
    uint8_t *from = out;
    for (uint32_t i = below(5); i > 0 && out - from < 30; i--) {
        switch (below(6)) {
            case 0:
                put("\2\4", 2);
                put16(edgy());
                break;
            case 1:
                put("\3\3", 2);
                put8(below(20));
                break;
            case 2:
                put("\4\2", 2);
                break;
            case 3:
                put("\10\12", 2);
                put_random(8);
                break;
            case 4:
                put8(1);
                break;
            default:
                put8(rnd());
                put8(one_in(2) ? rnd() : below(10));
        }
    }
    while ((out - from) % 4 != 0) {
        put8(0);
    }
}

static uint32_t nudge(uint32_t value) {
    return one_in(3) ? value + (one_in(2) ? edgy() : -edgy()) : value;
}

static void tcp(void) {
    flow_t *flow = flows + below(FLOWS);
    for (int i = 0; i < FLOWS && !flow->used; i++) {
        flow = flows + below(FLOWS);
    }
    flow_t fresh = { .ours = PORT, .theirs = 1024 + below(64), .v6 = one_in(3) };
    bool known = flow->used && !one_in(6);
    flow = known ? flow : &fresh;
    ethernet(flow->v6 ? 0x86dd : 0x0800);
    uint8_t *ip = flow->v6 ? begin_ip6(6) : begin_ip4(6), *head = out;
    put16(flow->theirs);
    put16(flow->ours);
    put32(known ? nudge(flow->acked) : rnd());
    put32(known ? nudge(flow->next) : rnd());
    static const uint8_t usual[] = { ACK, ACK, ACK | PSH, ACK | PSH, ACK | FIN, SYN, SYN | ACK, RST, RST | ACK };
    put8(0);
    put8(known ? one_in(10) ? rnd() : flow->flags & SYN && !(flow->flags & ACK) ? SYN | ACK : usual[below(sizeof(usual))] : SYN);
    put16(one_in(3) ? edgy() : 65535);
    put32(0);
    tcp_options();
    head[12] = (out - head) / 4 << 4;
    put_random(one_in(3) ? 0 : below(one_in(20) ? 9000 : 1461));
    seal_payload(ip, head, 16, 6);
    (flow->v6 ? end_ip6 : end_ip4)(ip);
}

size_t craft_tcp(uint8_t *frame, uint16_t from, uint32_t seq, uint32_t ack, uint8_t flags, const void *data, size_t len) {
    out = frame;
    put(station_mac, 6);
    put(peer_mac, 6);
    put16(0x0800);
    uint8_t *ip = out;
    put("\x45\0\0\0\0\1\0\0\x40\6\0\0\12\0\0\2\12\0\0\1", 20);
    uint8_t *head = out;
    put16(from);
    put16(PORT);
    put32(seq);
    put32(ack);
    put16(0x5000 | flags);
    put16(65535);
    put32(0);
    put(data, len);
    seal_payload(ip, head, 16, 6);
    end_ip4(ip);
    return out - frame;
}

// ---- ICMPv6: neighbours, routers, groups; extension headers ---------------------------------------------------------
static void nd_options(void) {
    for (uint32_t i = below(4); i > 0; i--) {
        static const uint8_t kinds[] = { 1, 2, 3, 5, 25, 31 };
        uint8_t kind = one_in(8) ? rnd() : kinds[below(6)], units = one_in(8) ? below(8) : kind == 3 ? 4 : kind == 25 ? 3 : 1;
        put8(kind);
        put8(units);
        uint8_t *body = out;
        put_random(one_in(8) ? below(40) : units * 8 > 2 ? units * 8 - 2 : 0);
        if (kind == 3 && units == 4 && out - body == 30) {
            body[0] = 64;
            body[1] = 0xc0;
            memcpy(body + 14, "\xfd\0\0\0\0\0\0\0", 8);
        }
    }
}

static void icmp6_body(uint8_t kind) {
    if (kind == 134) {
        put8(64);
        put8(0);
        put16(edgy());
        put32(edgy());
        put32(edgy());
        nd_options();
    } else if (kind == 135 || kind == 136) {
        put32(rnd());
        one_in(3) ? address6(false) : address6(true);
        nd_options();
    } else {
        put32(edgy());
        put_random(below(one_in(10) ? 3000 : 100));
    }
}

// -> the header that says what follows: an extension of IPv6, or nothing.
static void extension(uint8_t *ip, uint8_t next) {
    static const uint8_t kinds[] = { 0, 43, 44, 60, 51, 59 };
    uint8_t *link = ip + 6;
    for (uint32_t i = below(4); i > 0; i--) {
        uint8_t kind = kinds[below(6)];
        *link = kind;
        link = out;
        put8(next);
        put8(one_in(6) ? rnd() : 0);
        if (kind == 44) {
            put16(one_in(2) ? 1 : edgy());
            put32(below(4));
        } else {
            put_random(6);
        }
    }
    *link = next;
}

static void icmp6(void) {
    static const uint8_t kinds[] = { 1, 2, 3, 4, 128, 129, 130, 131, 133, 134, 135, 136, 137, 143 };
    ethernet(0x86dd);
    uint8_t *ip = begin_ip6(58);
    if (one_in(4)) {
        extension(ip, 58);
    }
    uint8_t *icmp = out, kind = one_in(10) ? rnd() : kinds[below(sizeof(kinds))];
    put8(kind);
    put8(one_in(8) ? rnd() : 0);
    put16(0);
    icmp6_body(kind);
    seal_payload(ip, icmp, 2, 58);
    end_ip6(ip);
}

static void igmp(void) {
    ethernet(0x0800);
    uint8_t *ip = begin_ip4(2), *at = out;
    put8(one_in(2) ? 0x11 : 0x16);
    put8(rnd());
    put16(0);
    address4(true);
    seal(at + 2, at, out - at, 0);
    end_ip4(ip);
}

// ---- any ------------------------------------------------------------------------------------------------------------
static size_t bend(uint8_t *frame, size_t len) {
    for (uint32_t i = 1 + below(4); i > 0 && len > 0; i--) {
        frame[one_in(2) ? below(len) : below(len < 80 ? len : 80)] = one_in(2) ? rnd() : 1u << below(8);
    }
    return one_in(3) ? below(len + 1) : one_in(6) && len + 100 < FRAME_MAX ? len + below(100) : len;
}

size_t craft(uint8_t *frame) {
    static void (*const kinds[])(void) = { arp, icmp4, icmp6, icmp6, igmp, tcp, tcp, tcp, tcp, tcp };
    out = frame;
    uint32_t which = below(13);
    if (which < 10) {
        kinds[which]();
    } else if (which < 12) {
        udp(which == 10);
    } else {
        put_random(below(200));
    }
    size_t len = out - frame;
    return one_in(5) ? bend(frame, len) : len;
}
