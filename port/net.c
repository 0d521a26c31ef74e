// lwIP between its memory, its clock and the interpreter's waiting.
//
// Whoever waits handles events first, which calls net_poll(), and sleeps no longer than
// net_deadline(). lwIP's cyclic timers run only while a connection lives, so that an idle machine
// does not tick. The loopback interface is the only one yet.

#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/timeouts.h"

#include "py/mpconfig.h"
#include "boot/boot.h"
#include "kmem.h"
#include "net.h"

#define MEMORY_LIMIT (8 * 1024 * 1024)  // bytes, for packets and connections together
#define LOOPS_MAX 64                    // packets may bring forth packets for as many turns

static bool ready;

// ---- memory and random numbers ----------------------------------------------------------------------------
typedef struct { size_t len, unused; } block_head_t;

static size_t memory_used;

void *net_malloc(size_t len) {
    size_t whole = len + sizeof(block_head_t);
    block_head_t *head = ready && memory_used + whole <= MEMORY_LIMIT ? kmem_alloc(whole) : NULL;
    if (head == NULL) {
        return NULL;
    }
    head->len = whole;
    memory_used += whole;
    return head + 1;
}

void *net_calloc(size_t count, size_t len) {
    void *p = net_malloc(count * len);      // lwIP's own sizes: no overflow
    return p == NULL ? NULL : __builtin_memset(p, 0, count * len);
}

void net_free(void *p) {
    block_head_t *head = (block_head_t *)p - 1;
    memory_used -= head->len;
    kmem_free(head, head->len);
}

// Ports, sequence numbers and query identifiers must not be guessed.
uint32_t net_random(void) {
    uint32_t value;
    if (!entropy_get(&value, sizeof(value))) {
        panic("the source of entropy is gone");
    }
    return value;
}

// ---- time ---------------------------------------------------------------------------------------------------
u32_t sys_now(void) {
    return clock_ns() / 1000000;
}

static bool busy(void) {
    return tcp_active_pcbs != NULL || tcp_tw_pcbs != NULL;
}

static bool looped_packets(void) {
    struct netif *netif;
    NETIF_FOREACH(netif) {
        if (netif->loop_first != NULL) {
            return true;
        }
    }
    return false;
}

void net_start(void) {
    if (!ready && entropy_source() != NULL) {
        ready = true;
        lwip_init();
    }
}

void net_poll(void) {
    for (int i = 0; i < LOOPS_MAX && looped_packets(); i++) {
        netif_poll_all();
    }
    if (busy()) {
        sys_check_timeouts();
    }
}

uint64_t net_deadline(void) {
    if (looped_packets()) {
        return 0;
    }
    return busy() ? clock_ns() + (uint64_t)sys_timeouts_sleeptime() * 1000000 : UINT64_MAX;
}
