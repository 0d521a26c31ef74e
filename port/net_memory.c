// lwIP's memory: from kmem.c, bounded as a whole, and the number of TCP connections bounded as well.
//
// lwIP's own pools are not used, so its limits are not either; what it does when one is reached it still does: a new
// connection takes the place of the oldest that only waits for its time to be over. From three quarters of the limit
// on, frames with data are turned away (modnetif.c): acknowledgements, which free memory, still get in.

#include "lwip/memp.h"
#include "lwip/timeouts.h"

#include "py/mpconfig.h"
#include "py/misc.h"
#include "boot/boot.h"
#include "kmem.h"
#include "net.h"

#define SHARE 8                         // packets and connections together may take this part of the free memory
#define LIMIT_MAX (256u << 20)          // bytes, and no more
#define BYTES_PER_CONNECTION 32768
#define CONNECTIONS_MIN 128
#define CONNECTIONS_MAX 1024            // lwIP looks through them one by one

typedef struct { size_t len, unused; } block_head_t;

net_count_t net_count;
static size_t used, limit, connections;

void net_memory_init(void) {
    limit = MIN(page_stats().free / SHARE, LIMIT_MAX);
}

bool net_memory_short(void) {
    return used > limit / 4 * 3;
}

size_t net_memory_used(void) {
    return used;
}

size_t net_memory_limit(void) {
    return limit;
}

void *net_malloc(size_t len) {
    size_t whole = len + sizeof(block_head_t);
    block_head_t *head = used + whole <= limit ? kmem_alloc(whole) : NULL;
    if (head == NULL) {
        net_count.memory_refused++;
        return NULL;
    }
    head->len = whole;
    used += whole;
    return head + 1;
}

void *net_calloc(size_t count, size_t len) {
    void *p = net_malloc(count * len);      // lwIP's own sizes: no overflow
    return p == NULL ? NULL : __builtin_memset(p, 0, count * len);
}

void net_free(void *p) {
    if (p != NULL) {
        block_head_t *head = (block_head_t *)p - 1;
        used -= head->len;
        kmem_free(head, head->len);
    }
}

// In place of memp_malloc() and memp_free() in lwIP's tcp.c: port.mk.
void *tcp_memp_malloc(memp_t type) {
    if (type != MEMP_TCP_PCB) {
        return memp_malloc(type);
    }
    size_t most = MAX(CONNECTIONS_MIN, MIN(limit / BYTES_PER_CONNECTION, CONNECTIONS_MAX));
    void *p = connections < most ? memp_malloc(type) : NULL;
    connections += p != NULL;
    return p;
}

void tcp_memp_free(memp_t type, void *p) {
    connections -= type == MEMP_TCP_PCB;
    memp_free(type, p);
}

// lwIP's timers are set again and again: one that found no memory would never be again, and with it all of TCP.
#define TIMERS_MAX 32                   // lwIP has a dozen

static struct sys_timeo timers[TIMERS_MAX];
static bool timer_used[TIMERS_MAX];

// In place of memp_malloc() and memp_free() in lwIP's timeouts.c: port.mk.
void *timeouts_memp_malloc(memp_t type) {
    for (size_t i = 0; i < TIMERS_MAX; i++) {
        if (!timer_used[i]) {
            timer_used[i] = true;
            return &timers[i];
        }
    }
    return NULL;
}

void timeouts_memp_free(memp_t type, void *p) {
    timer_used[(struct sys_timeo *)p - timers] = false;
}
