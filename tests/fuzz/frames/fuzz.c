// Fuzzer of the network stack: frames of every kind, good and bad, into lwIP as the machine has it.
//
// In each round (tests/fuzz/choices.h) a fresh interface meets some thousand frames, programs and shortages. No sanitizer and no assertion of
// lwIP may speak, all that is sent must be well-formed; then the stack must answer ARP, a ping and a TCP connection as if
// nothing had been, and after the interface is gone no memory may be missing.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "net.h"

#define STEPS 1500

static size_t baseline;

// An assertion of lwIP does not hold. These do no harm, and only to who made them fail:
static const char *const harmless[] = {
    "tcp_slowtimr: persist ticking with empty send buffer",     // a peer that acknowledges behind a shut window is given up
};

void fuzz_assert(const char *what) {
    for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++) {
        if (strcmp(what, harmless[i]) == 0) {
            return;
        }
    }
    fuzz_fail(what);
}

static void input(size_t len, const uint8_t *frame) {
    station_input(frame, len);
}

static void abuse(void) {
    static uint8_t frame[2 * FRAME_MAX];
    for (unsigned i = 0; go_on(i, STEPS); i++) {
        input(craft(frame), frame);
        if (one_in(6)) {
            station_disturb();
        }
        if (one_in(3)) {
            pass(below(50));
        }
    }
}

// The three ways of a connection, tried as often as a patient peer would: the card loses frames.
static flow_t *exchange(uint16_t port, uint32_t seq, uint32_t ack, uint8_t flags, const char *data, uint8_t wanted, uint32_t reached) {
    uint8_t frame[200];
    for (int i = 0; i < 20; i++) {
        input(craft_tcp(frame, port, seq, ack, flags, data, strlen(data)), frame);
        pass(300);
        flow_t *flow = seen_flow(port);
        if (flow != NULL && (flow->flags & wanted) == wanted && flow->acked == reached) {
            return flow;
        }
    }
    fuzz_fail(data[0] != 0 ? "TCP does not take data" : "TCP does not answer");
}

static void prove_alive(void) {
    uint8_t frame[100];
    station_settle();
    pass(5000);
    seen.arp_replies = seen.echo_replies = 0;
    for (int i = 0; i < 20 && (seen.arp_replies == 0 || seen.echo_replies == 0 || seen.echo_id != 4711); i++) {
        input(craft_arp(frame), frame);
        input(craft_ping(frame, 4711), frame);
        pass(300);
    }
    if (seen.arp_replies == 0 || seen.echo_id != 4711) {
        fuzz_fail("no answer to ARP or a ping");
    }
    uint32_t seq = rnd();
    uint16_t port = 30000 + below(10000);
    flow_t *flow = exchange(port, seq, 0, SYN, "", SYN | ACK, seq + 1);
    uint32_t ack = flow->next;
    input(craft_tcp(frame, port, seq + 1, ack, ACK, "", 0), frame);
    flow = exchange(port, seq + 1, ack, ACK | PSH, "are you there?", ACK, seq + 15);
    exchange(port, seq + 15, flow->next, ACK | FIN, "", ACK, seq + 16);
}

void harness_start(void) {
    station_start();
    station_stop();
    baseline = net_memory_used();
}

void harness_round(void) {
    memset(&seen, 0, sizeof(seen));
    memset(flows, 0, sizeof(flows));
    station_start();
    abuse();
    prove_alive();
    station_stop();
    if (net_memory_used() > baseline) {
        fprintf(stderr, "%zu bytes are missing\n", net_memory_used() - baseline);
        fuzz_fail("memory was not given back");
    }
}

bool harness_end(unsigned rounds) {
    printf("%u rounds of %d frames, %u frames sent in the last\n", rounds, STEPS, seen.frames);
    return seen.frames > 0;
}
