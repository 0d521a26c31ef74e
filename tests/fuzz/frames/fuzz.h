// Fuzzer of the network stack: what its files share. fuzz.c: rounds; station.c: the stack under test with programs on
// it; craft.c: frames that come in; seen.c: what the stack sent, checked and remembered.
#ifndef KEELBACK_FUZZ_H
#define KEELBACK_FUZZ_H

#include "tests/fuzz/choices.h"

#define FRAME_MAX 65535
#define ETH_LEN 14
#define MTU 1500
#define PORT 80

// ---- station.c ----------------------------------------------------------------------------------------------
extern const uint8_t station_mac[6], peer_mac[6];
extern uint32_t memory_fails;               // one allocation in so many; 0: none
void station_start(void);                   // an interface, a TCP and a UDP server
void station_stop(void);                    // take everything down and let the time pass that lwIP keeps things
void station_input(const uint8_t *frame, size_t len);
void station_disturb(void);                 // something that a program or a cable does
void station_settle(void);                  // a fixed address, no shortage
void pass(uint32_t ms);                     // let time pass

// ---- craft.c ------------------------------------------------------------------------------------------------
size_t craft(uint8_t *frame);               // any frame; -> its length
size_t craft_arp(uint8_t *frame);
size_t craft_ping(uint8_t *frame, uint16_t id);
// A TCP segment over IPv4 from the peer's port, with a good checksum.
size_t craft_tcp(uint8_t *frame, uint16_t from, uint32_t seq, uint32_t ack, uint8_t flags, const void *data, size_t len);
uint16_t sum16(const uint8_t *data, size_t len, uint32_t start);      // Internet checksum, not inverted

// ---- seen.c -------------------------------------------------------------------------------------------------
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
typedef struct {
    bool used, v6;
    uint16_t ours, theirs;                  // the station's port, the peer's
    uint32_t next, acked;                   // the station's next sequence number, what it has of the peer's
    uint8_t flags;                          // of its last segment
} flow_t;
#define FLOWS 32
extern flow_t flows[FLOWS];
typedef struct {
    uint32_t arp_replies, echo_replies, frames;
    uint16_t echo_id;
    uint32_t xid;                           // of the last DHCP message
    uint8_t ip6[16];                        // the station's last source address
    uint16_t dns_id, dns_port;
} seen_t;
extern seen_t seen;
void seen_frame(const uint8_t *frame, size_t len);
flow_t *seen_flow(uint16_t theirs);         // the flow to a port of the peer's over IPv4, or NULL

#endif
