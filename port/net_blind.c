// Keep those out of a TCP connection who do not see its packets: what lwIP leaves to its port.
// RFC 6528 (first sequence numbers that nobody can guess), RFC 5961, 5.2 (acknowledgements that fit). The checks of RST
// and SYN in RFC 5961, 3 and 4, are lwIP's own. And let those in again who were here a moment ago.

#include <string.h>

#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"

#include "py/mpconfig.h"
#include "net.h"
#include "net_hooks.h"

#define TICKS_PER_MS 250  // RFC 6528, 3: the clock in a sequence number ticks every 4 us

// ---- SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash for short inputs -----------------------------------------

static uint64_t rotate(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int count) {
    while (count-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

// Hash whole words; count is also in the last block, as the specification has the length there.
static uint64_t siphash(const uint64_t key[2], const uint64_t *words, size_t count) {
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    for (size_t i = 0; i <= count; i++) {
        uint64_t word = i < count ? words[i] : (uint64_t)count * 8 << 56;
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

// ---- hooks ------------------------------------------------------------------------------------------------------

static void put_address(uint64_t to[2], const ip_addr_t *ip) {
    memcpy(to, ip_2_ip6(ip)->addr, IP_IS_V4(ip) ? 4 : 16);
}

static bool again;              // the request at hand is for ports whose connection lately ended,
static uint32_t beyond;         // up to this sequence number of ours

// The first sequence number of a connection: a clock, so that the same ports can be used again, and a secret offset.
uint32_t net_isn(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote, uint16_t remote_port) {
    static uint32_t key[4];
    uint64_t words[5] = {0, 0, 0, 0, (uint64_t)local_port << 16 | remote_port}, secret[2];
    while (key[0] == 0) {
        for (int i = 3; i >= 0; i--) {
            key[i] = net_random();
        }
    }
    memcpy(secret, key, sizeof(secret));
    put_address(words, local);
    put_address(words + 2, remote);
    uint32_t isn = siphash(secret, words, 5) + sys_now() * TICKS_PER_MS;
    return again && !TCP_SEQ_GT(isn, beyond) ? beyond + 65536 : isn;
}

static bool is_of(const struct tcp_pcb *pcb, const struct tcp_hdr *tcp) {
    return pcb->remote_port == lwip_ntohs(tcp->src) && pcb->local_port == lwip_ntohs(tcp->dest)
        && ip_addr_eq(&pcb->remote_ip, ip_current_src_addr()) && ip_addr_eq(&pcb->local_ip, ip_current_dest_addr());
}

// A segment comes in, for tcp_input(). A request for a connection from ports whose last one is in TIME-WAIT begins a new one where
// its number lies beyond that one's: RFC 9293, 3.10.7.4 (MUST-13, MAY-2). lwIP would refuse it until the state is over, and a client
// whose system gives it the same port within that minute would hang.
void net_tcp_input(struct pbuf *p, struct netif *netif) {
    const struct tcp_hdr *tcp = p->payload;
    again = false;
    if (p->len >= TCP_HLEN && (TCPH_FLAGS(tcp) & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN) {
        struct tcp_pcb *pcb = tcp_tw_pcbs;
        while (pcb != NULL && !is_of(pcb, tcp)) {
            pcb = pcb->next;
        }
        if (pcb != NULL && TCP_SEQ_GT(lwip_ntohl(tcp->seqno), pcb->rcv_nxt)) {
            again = true;
            beyond = pcb->snd_nxt;
            tcp_pcb_remove(&tcp_tw_pcbs, pcb);
            tcp_free(pcb);
        }
    }
    tcp_input(p, netif);
    again = false;
}

// Does a segment of a connection acknowledge what was sent and not long ago? If not, its sender is told where we are.
bool net_check_ack(struct tcp_pcb *pcb, struct tcp_hdr *tcp) {
    if (pcb->state < ESTABLISHED || pcb->state == TIME_WAIT || !(TCPH_FLAGS(tcp) & TCP_ACK)) {
        return true;
    }
    if (TCP_SEQ_BETWEEN(tcp->ackno, pcb->lastack - pcb->snd_wnd_max, pcb->snd_nxt)) {
        return true;
    }
    tcp_send_empty_ack(pcb);
    return false;
}
