// Writing a frame: wire.c, for craft.c.
#ifndef KEELBACK_FUZZ_WIRE_H
#define KEELBACK_FUZZ_WIRE_H

#include "fuzz.h"

extern uint8_t *out;                        // where the next byte goes
extern const uint8_t broadcast[6], multicast[6];
void put8(uint8_t v);
void put16(uint16_t v);
void put32(uint32_t v);
void put(const void *data, size_t len);
void put_random(size_t len);
void seal(uint8_t *at, const uint8_t *data, size_t len, uint32_t pseudo);
uint32_t edgy(void);
void ethernet(uint16_t type);
void address4(bool ours);
void address6(bool ours);
uint8_t *begin_ip4(uint8_t protocol);
void end_ip4(uint8_t *ip);
uint8_t *begin_ip6(uint8_t next);
void end_ip6(uint8_t *ip);
void seal_payload(const uint8_t *ip, uint8_t *p, size_t at, uint8_t protocol);
void fragment(uint8_t *ip);

#endif
