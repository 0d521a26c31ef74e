// lwIP as a library without threads: raw API, IPv4 and IPv6, memory from kmem.c. Read by every lwIP file.
#ifndef KEELBACK_LWIPOPTS_H
#define KEELBACK_LWIPOPTS_H

#include <stddef.h>
#include <stdint.h>

// ---- the system ---------------------------------------------------------------------------------------
#define NO_SYS                          1
#define LWIP_TIMERS                     1
#define SYS_LIGHTWEIGHT_PROT            0       // no interrupt calls lwIP
#define LWIP_SOCKET                     0
#define LWIP_NETCONN                    0
#define LWIP_STATS                      1       // netif.stats() shows them
#define MIB2_STATS                      1
#define MEM_STATS                       0
#define MEMP_STATS                      0
#define SYS_STATS                       0
#define LWIP_HOOK_FILENAME              "net_hooks.h"
#define LWIP_NOASSERT                   1
uint32_t net_random(void);
#define LWIP_RAND()                     net_random()

#include "net_checksum.h"
#define LWIP_CHKSUM                     net_checksum

// ---- memory: net_memory.c ----------------------------------------------------------------------------------------
#define MEM_ALIGNMENT                   8
#define MEM_CUSTOM_ALLOCATOR            1
#define MEMP_MEM_MALLOC                 1
void *net_malloc(size_t len);
void *net_calloc(size_t count, size_t len);
void net_free(void *p);
#define MEM_CUSTOM_MALLOC               net_malloc
#define MEM_CUSTOM_CALLOC               net_calloc
#define MEM_CUSTOM_FREE                 net_free

// ---- protocols ----------------------------------------------------------------------------------------------
#define LWIP_IPV4                       1
#define LWIP_IPV6                       1
#define LWIP_ARP                        1
#define LWIP_ETHERNET                   1
#define LWIP_RAW                        1
#define LWIP_DHCP                       1
#define LWIP_DHCP_DOES_ACD_CHECK        0
// Leases are counted in ticks of 10 s: in lwIP's minutes one of less than two is lost before it is renewed. No tick count is cut
// short, and none is later than what the server said.
#define DHCP_COARSE_TIMER_SECS          10
#define DHCP_TIMEOUT_SIZE_T             u32_t
#define DHCP_DEFINE_CUSTOM_TIMEOUTS
#define DHCP_TICKS(seconds)             ((seconds) > DHCP_COARSE_TIMER_SECS ? (seconds) / DHCP_COARSE_TIMER_SECS : 1)
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T0_LEASE(res, dhcp)   ((res) = DHCP_TICKS((dhcp)->offered_t0_lease))
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T1_RENEW(res, dhcp)   ((res) = DHCP_TICKS((dhcp)->offered_t1_renew))
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T2_REBIND(res, dhcp)  ((res) = DHCP_TICKS((dhcp)->offered_t2_rebind))
#define DHCP_NEXT_TIMEOUT_THRESHOLD     DHCP_TICKS(60)
#define DHCP_REQUEST_BACKOFF_SEQUENCE(tries) (u16_t)(((tries) < 6 ? 1 << (tries) : 60) * 1000)
#define LWIP_DNS                        1
#define LWIP_IGMP                       1
#define LWIP_NETIF_HOSTNAME             1
#define LWIP_NETIF_EXT_STATUS_CALLBACK  1
#define LWIP_CHECKSUM_CTRL_PER_NETIF    1
#define DNS_MAX_SERVERS                 4       // who they are: dns_servers.c
#define LWIP_DHCP_MAX_DNS_SERVERS       3
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS  2
#define LWIP_IPV6_NUM_ADDRESSES         4
#define ARP_TABLE_SIZE                  64
#define LWIP_ND6_NUM_NEIGHBORS          64
#define LWIP_ND6_NUM_DESTINATIONS       64
#define IP_REASS_MAX_PBUFS              64      // 1.5 KB each: who sends fragments only cannot take more
#define IPV6_FRAG_COPYHEADER            1       // a fragment header has no room for our 64-bit pointers
#define LWIP_HAVE_LOOPIF                1
#define LWIP_NETIF_LOOPBACK             1
#define LWIP_LOOPBACK_MAX_PBUFS         4096    // several windows' worth
#define SO_REUSE                        1

// ---- TCP ---------------------------------------------------------------------------------------------------
#define LWIP_TCP_RTO_TIME               1000    // ms before the first answer: RFC 6298, 2.1
#define TCP_MSL                         30000UL // ms; TIME-WAIT is twice that, as in Linux
#define TCP_LISTEN_BACKLOG              1
#define TCP_MSS                         1460
#define LWIP_WND_SCALE                  1
#define TCP_RCV_SCALE                   3
#define TCP_WND                         (320 * TCP_MSS) // bytes that a peer may send ahead
#define TCP_SND_BUF                     (320 * TCP_MSS)
#define TCP_OOSEQ_MAX_BYTES             TCP_WND         // of each connection
#define TCP_SND_QUEUELEN                (4 * TCP_SND_BUF / TCP_MSS)
// So much more room is told of at once; of a peer without window scaling less than it may send.
#define TCP_WND_UPDATE_THRESHOLD        LWIP_MAX(16u * TCP_MSS, TCP_WND_MAX(pcb) / 4u)
#define TCP_OOSEQ_MAX_PBUFS             (2 * TCP_WND / TCP_MSS)
#define TCP_SNDLOWAT                    (32 * TCP_MSS)  // that much room makes a socket writable
#define LWIP_TCP_KEEPALIVE              1
#define LWIP_TCP_SACK_OUT               1
#define TCP_QUEUE_OOSEQ                 1

#endif
