// The bytes of a frame, written one after the other: numbers, checksums, headers of Ethernet and IP.

#include <string.h>

#include "fuzz.h"
#include "wire.h"

uint8_t *out;

void put8(uint8_t v) {
    *out++ = v;
}

void put16(uint16_t v) {
    put8(v >> 8);
    put8(v);
}

void put32(uint32_t v) {
    put16(v >> 16);
    put16(v);
}

void put(const void *data, size_t len) {
    memcpy(out, data, len);
    out += len;
}

void put_random(size_t len) {
    while (len-- > 0) {
        put8(rnd());
    }
}

uint16_t sum16(const uint8_t *data, size_t len, uint32_t start) {
    uint32_t sum = start;
    for (size_t i = 0; i + 1 < len; i += 2) {
        sum += data[i] << 8 | data[i + 1];
    }
    if (len & 1) {
        sum += data[len - 1] << 8;
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

void seal(uint8_t *at, const uint8_t *data, size_t len, uint32_t pseudo) {
    at[0] = at[1] = 0;
    uint16_t sum = ~sum16(data, len, pseudo);
    at[0] = sum >> 8;
    at[1] = sum;
}

// A value that is often at an edge.
uint32_t edgy(void) {
    static const uint32_t edges[] = { 0, 1, 2, 4, 7, 8, 0x7f, 0x80, 0xff, 0x100, 536, 1220, 1459, 1460, 1461, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff };
    return one_in(3) ? rnd() : edges[below(sizeof(edges) / sizeof(*edges))];
}

// ---- Ethernet, ARP, IP --------------------------------------------------------------------------------------
const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 }, multicast[6] = { 0x33, 0x33, 0xff, 0, 0, 1 };

void ethernet(uint16_t type) {
    put(one_in(8) ? broadcast : one_in(8) ? multicast : station_mac, 6);
    put(peer_mac, 6);
    put16(type);
}

void address4(bool ours) {
    static const uint8_t odd[][4] = { { 255, 255, 255, 255 }, { 0, 0, 0, 0 }, { 10, 0, 0, 255 }, { 224, 0, 0, 1 }, { 127, 0, 0, 1 }, { 10, 0, 0, 1 } };
    if (one_in(30)) {
        put(odd[below(6)], 4);
    } else {
        put32(ours ? 0x0a000001 : 0x0a000002 + (one_in(20) ? below(200) : 0));
    }
}

void address6(bool ours) {
    static const uint8_t ours6[16] = { 0xfe, 0x80, [11] = 0xff, [12] = 0xfe, [15] = 1 };
    if (ours && one_in(3)) {
        static const uint8_t all[16] = { 0xff, 2, [15] = 1 };
        put(all, 16);
    } else if (ours) {
        put(seen.ip6[0] != 0 ? seen.ip6 : ours6, 16);
    } else {
        put(one_in(8) ? (const uint8_t [16]) { 0 } : one_in(2) ? (const uint8_t [16]) { 0xfe, 0x80, [15] = 2 } : (const uint8_t [16]) { 0xfd, [15] = 2 }, 16);
    }
}

uint8_t *begin_ip4(uint8_t protocol) {
    uint8_t *ip = out;
    static uint16_t id;
    size_t options = one_in(20) ? below(11) * 4 : 0;
    put8(0x45 + options / 4);
    put8(0);
    put16(0);
    put16(one_in(2) ? ++id : id);
    put16(0);
    put8(one_in(30) ? below(2) : 64);
    put8(protocol);
    put16(0);
    address4(false);
    address4(true);
    put_random(options);
    return ip;
}

// Lengths and the header's checksum of the packet that begins at ip and ends here.
void end_ip4(uint8_t *ip) {
    size_t len = out - ip;
    ip[2] = len >> 8;
    ip[3] = len;
    seal(ip + 10, ip, (ip[0] & 15) * 4, 0);
}

uint8_t *begin_ip6(uint8_t next) {
    uint8_t *ip = out;
    put32(0x60000000);
    put16(0);
    put8(next);
    put8(one_in(4) ? 64 : 255);
    address6(false);
    address6(true);
    return ip;
}

void end_ip6(uint8_t *ip) {
    size_t len = out - ip - 40;
    ip[4] = len >> 8;
    ip[5] = len;
}

// The checksum of what lies at p up to here, at an offset in it, over IPv4 or IPv6.
void seal_payload(const uint8_t *ip, uint8_t *p, size_t at, uint8_t protocol) {
    uint32_t pseudo = ip[0] >> 4 == 4 ? sum16(ip + 12, 8, 0) : sum16(ip + 8, 32, 0);
    seal(p + at, p, out - p, pseudo + protocol + (out - p));
}

// Cut the packet from ip on into a fragment: any part of it, with or without more to follow.
void fragment(uint8_t *ip) {
    size_t head = (ip[0] & 15) * 4, len = out - ip - head;
    size_t from = one_in(2) ? 0 : below(len + 1) & ~7u, count = one_in(2) ? len - from : below(len - from + 1);
    memmove(ip + head, ip + head + from, count);
    out = ip + head + count;
    uint16_t field = (one_in(10) ? rnd() & 0x1fff : from / 8) | (from + count < len || one_in(10) ? 0x2000 : 0);
    ip[6] = field >> 8;
    ip[7] = field;
}
