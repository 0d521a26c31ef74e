// lwIP between its clock and the interpreter's waiting.
//
// Whoever waits handles events first, which calls net_poll(), and sleeps no longer than
// net_deadline(). For a program that computes, an alarm calls net_poll() softly at that time.
// lwIP's timers of 100 ms to 1 s run only while something is under way, so that an
// idle machine does not tick; what only ages is made up for when the machine wakes (catch_up).
// Interfaces: modnetif.c; memory: net_memory.c.

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/timeouts.h"

#include "py/mpconfig.h"
#include "py/misc.h"
#include "boot/boot.h"
#include "irq.h"
#include "net.h"
#include "net_hooks.h"
#include "socket.h"

#define SLOW_TICK_NS (DHCP_COARSE_TIMER_SECS * UINT64_C(1000000000))   // what only ages: leases, addresses
#define LINGER_NS 10000000000u          // answers to what was sent come within that time, or timers ask again
#define ALARM_SLACK_NS 100000000u       // the shortest period of lwIP's timers
#define ACKNOWLEDGE_NS 10000000u        // so late a peer hears of what came in while a program computes; Linux takes 40 ms and more
#define MISSED_MAX 900                  // seconds; whatever ages is too old by then
#define LOOPS_MAX 64                    // packets may bring forth packets for as many turns

static bool ready;
static int inside;                      // a driver called by lwIP is at work
static uint64_t lingers_until;

// ---- random numbers and time ------------------------------------------------------------------------------------
// Ports, sequence numbers and query identifiers must not be guessed.
uint32_t net_random(void) {
    uint32_t value;
    if (!entropy_get(&value, sizeof(value))) {
        panic("the source of entropy is gone");
    }
    return value;
}

u32_t sys_now(void) {
    return clock_ns() / 1000000;
}

// An interface is up that has leases, neighbours and addresses, all of which age.
static bool ages(void) {
    struct netif *netif;
    NETIF_FOREACH(netif) {
        if (netif->hwaddr_len != 0 && netif_is_up(netif)) {
            return true;
        }
    }
    return false;
}

static bool busy(void) {
    return tcp_active_pcbs != NULL || tcp_tw_pcbs != NULL || (clock_ns() < lingers_until && ages());
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

// For a program that computes: rings at the deadline, or soon after if that came nearer since.
static void poll_softly(mp_sched_node_t *node) {
    net_poll();
}

static soft_alarm_t computing = { .alarm = { .fn = soft_alarm_ring, .at_ns = ALARM_OFF }, .fn = poll_softly };

static void watch_over_computing(uint64_t by_ns) {
    if (by_ns < ALARM_OFF - ALARM_SLACK_NS && by_ns + ALARM_SLACK_NS < computing.alarm.at_ns) {
        alarm_set(&computing.alarm, by_ns);
    }
}

void net_linger(void) {
    uint64_t now = clock_ns();
    lingers_until = now + LINGER_NS;
    watch_over_computing(now + ALARM_SLACK_NS);
}

void net_start(void) {
    if (!ready && entropy_source() != NULL) {
        net_memory_init();
        ready = true;
        lwip_init();
    }
}

bool net_ready(void) {
    return ready;
}

void net_enter(void) {
    inside++;
}

void net_leave(void) {
    inside--;
}

// The seconds since the last look, during which lwIP's timers stood still.
static void catch_up(void) {
    static uint64_t looked;
    uint64_t now = clock_ns(), missed = (now - looked) / 1000000000;
    looked = now;
    if (missed >= 2 && ages()) {
        for (uint64_t i = 1; i < MIN(missed, MISSED_MAX); i++) {
            etharp_tmr();
            nd6_tmr();
        }
        for (uint64_t i = DHCP_COARSE_TIMER_SECS; i < missed; i += DHCP_COARSE_TIMER_SECS) {
            dhcp_coarse_tmr();
        }
    }
}

// When something will be due that time alone brings.
static uint64_t timers_due(void) {
    if (looped_packets() || socket_reap_pending()) {
        return 0;
    }
    if (busy()) {
        return clock_ns() + (uint64_t)sys_timeouts_sleeptime() * 1000000;
    }
    return ages() ? clock_ns() + SLOW_TICK_NS : UINT64_MAX;
}

static void work(net_tell_t tell) {
    net_batch_begin();
    socket_reap();
    net_output_flush();
    for (int i = 0; i < LOOPS_MAX && looped_packets(); i++) {
        netif_poll_all();
        net_output_flush();
    }
    catch_up();
    if (busy() || ages()) {
        sys_check_timeouts();
    }
    net_batch_end(tell);
    watch_over_computing(timers_due());
}

void net_poll(void) {
    if (ready && inside == 0) {
        work(NET_TELL_NOW);
    }
}

// Who reads what came in tells the peer of the room that this makes, a moment later: to tell the device of acknowledgements
// before costs a second doorbell for each interrupt, and an exit in a guest of SEV-SNP. They lie in its ring until the program
// has read much, sends or waits, for ACKNOWLEDGE_NS at the most.
void net_settle(void) {
    if (ready && inside == 0) {
        work(NET_TELL_IF_PRESSING);
        uint64_t by = clock_ns() + ACKNOWLEDGE_NS;
        if (net_batch_untold() && by < computing.alarm.at_ns) {
            alarm_set(&computing.alarm, by);
        }
    }
}

uint64_t net_deadline(void) {
    return net_batch_untold() ? 0 : timers_due();
}
