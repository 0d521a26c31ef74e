// The stack under test: lwIP as the machine has it, one interface, servers and clients on it, and the programs' side.

#include <stdlib.h>
#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/igmp.h"
#include "lwip/init.h"
#include "lwip/mld6.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"

#include "boot/boot.h"
#include "fuzz.h"
#include "kmem.h"
#include "net.h"
#include "net_hooks.h"

const uint8_t station_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 2 };
err_t net_input(struct pbuf *p, struct netif *netif);
static struct netif netif;
static struct udp_pcb *echo, *client;
static uint32_t now_ms = 1000;
static bool calm;                           // nobody cuts connections for no reason

// ---- memory, time and chance: what port/ gives lwIP ---------------------------------------------------------
uint32_t memory_fails;

void *kmem_alloc(size_t len) {
    return memory_fails != 0 && one_in(memory_fails) ? NULL : malloc(len);
}

void kmem_free(void *p, size_t len) {
    free(p);
}

page_stats_t page_stats(void) {
    return (page_stats_t) { .free = 16 << 20 };     // 2 MiB of it for the network: the limit is met
}

u32_t sys_now(void) {
    return now_ms;
}

uint32_t net_random(void) {
    return rnd();
}

void net_segments_gather(bool on) {
                                            // this card cuts no segments
}

const ip6_addr_t *net_gateway6(struct netif *made) {
    return NULL;                            // none was set: routers announce it
}

void pass(uint32_t ms) {
    net_output_flush();
    while (ms > 0) {
        uint32_t step = ms < 100 ? ms : 100;
        now_ms += step;
        ms -= step;
        sys_check_timeouts();
        netif_poll_all();
        net_output_flush();
    }
}

// ---- programs -------------------------------------------------------------------------------------------------
// As port/socket_tcp.c, which refuses nothing: lwIP loses what is refused together with the end of a connection.
static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
    if (p == NULL) {
        tcp_arg(pcb, NULL);
        return tcp_close(pcb) == ERR_OK ? ERR_OK : (tcp_abort(pcb), ERR_ABRT);
    }
    if (!calm && one_in(200)) {
        pbuf_free(p);
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    for (struct pbuf *q = p; q != NULL; q = q->next) {
        if (tcp_sndbuf(pcb) > q->len) {
            tcp_write(pcb, q->payload, q->len, TCP_WRITE_FLAG_COPY);
        }
    }
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    tcp_output(pcb);
    return ERR_OK;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err) {
    if (pcb == NULL) {
        return ERR_VAL;
    }
    tcp_recv(pcb, on_received);
    tcp_backlog_accepted(pcb);
    return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err) {
    static const char data[3000];
    return tcp_write(pcb, data, below(sizeof(data)), TCP_WRITE_FLAG_COPY) == ERR_MEM ? ERR_OK : tcp_output(pcb);
}

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port) {
    udp_sendto(pcb, p, from, port);
    pbuf_free(p);
}

static void peer_address(ip_addr_t *addr) {
    if (one_in(3)) {
        ip6_addr_t six;
        IP6_ADDR(&six, PP_HTONL(0xfd000000), 0, 0, PP_HTONL(2));
        ip_addr_copy_from_ip6(*addr, six);
    } else {
        IP_ADDR4(addr, 10, 0, 0, one_in(10) ? below(256) : 2);
    }
}

static void connect_somewhere(void) {
    ip_addr_t peer;
    peer_address(&peer);
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    if (pcb != NULL) {
        tcp_recv(pcb, on_received);
        if (tcp_connect(pcb, &peer, 1 + below(100), on_connected) != ERR_OK) {
            tcp_abort(pcb);
        }
    }
}

static void send_datagram(void) {
    ip_addr_t peer;
    peer_address(&peer);
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, below(4000), PBUF_RAM);
    if (p != NULL) {
        memset(p->payload, 0x55, p->len);
        udp_sendto(client, p, &peer, one_in(2) ? 53 : below(65536));
        pbuf_free(p);
    }
}

// Some connection is closed, cut, or given more to send.
static void meddle(void) {
    struct tcp_pcb *pcb = tcp_active_pcbs;
    for (uint32_t i = below(8); i > 0 && pcb != NULL && pcb->next != NULL; i--) {
        pcb = pcb->next;
    }
    if (pcb == NULL || pcb->state < ESTABLISHED) {
        return;                             // a socket lets nobody write before
    }
    static const uint8_t data[5000];
    switch (below(4)) {
        case 0:
            tcp_recv(pcb, NULL);
            if (tcp_close(pcb) != ERR_OK) {
                tcp_abort(pcb);
            }
            break;
        case 1:
            tcp_abort(pcb);
            break;
        case 2:
            tcp_shutdown(pcb, 0, 1);
            break;
        default:
            if (tcp_write(pcb, data, below(sizeof(data)), TCP_WRITE_FLAG_COPY) == ERR_OK) {
                tcp_output(pcb);
            }
    }
}

static void pull_cable(void) {
    netif_set_link_down(&netif);
    pass(below(3000));
    netif_set_link_up(&netif);
}

void station_disturb(void) {
    switch (below(9)) {
        case 0:
            connect_somewhere();
            break;
        case 1:
        case 2:
            send_datagram();
            break;
        case 3:
        case 4:
            meddle();
            break;
        case 5:
            if (one_in(10)) {
                pull_cable();
            }
            break;
        case 6:
            if (one_in(10)) {
                dhcp_start(&netif);
            }
            break;
        case 7:
            memory_fails = one_in(4) ? 1 + below(20) : 0;
            break;
        default:
            pass(below(one_in(10) ? 70000 : 600));
    }
}

// ---- its life ---------------------------------------------------------------------------------------------------
static err_t send(struct netif *to, struct pbuf *p) {
    static uint8_t frame[FRAME_MAX];
    seen_frame(frame, pbuf_copy_partial(p, frame, sizeof(frame), 0));
    return one_in(50) ? ERR_MEM : ERR_OK;   // the card has no room
}

// Frames that leave together are told to a card once: here it is told of each.
static int batches;

void net_batch_begin(void) {
    batches++;
}

void net_batch_end(net_tell_t tell) {
    if (--batches < 0) {
        fuzz_fail("a batch of frames ends that has not begun");
    }
}

void net_batch_presses(bool on) {
}

static err_t setup(struct netif *made) {
    memcpy(made->hwaddr, station_mac, 6);
    made->hwaddr_len = 6;
    made->mtu = MTU;
    made->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    made->output = etharp_output;
    made->output_ip6 = ethip6_output;
    made->linkoutput = send;
    return ERR_OK;
}

static void fixed_address(void) {
    ip4_addr_t addr, mask, gateway;
    IP4_ADDR(&addr, 10, 0, 0, 1);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 10, 0, 0, 2);
    netif_set_addr(&netif, &addr, &mask, &gateway);
}

void station_start(void) {
    static bool once;
    if (!once) {
        once = true;
        net_memory_init();
        lwip_init();
    }
    calm = false;
    memset(&netif, 0, sizeof(netif));
    netif_add(&netif, NULL, NULL, NULL, NULL, setup, net_input);
    netif_create_ip6_linklocal_address(&netif, 1);
    netif_set_ip6_autoconfig_enabled(&netif, 1);
    netif_set_default(&netif);
    netif_set_link_up(&netif);
    netif_set_up(&netif);
    fixed_address();
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    tcp_bind(pcb, IP_ANY_TYPE, PORT);
    tcp_accept(tcp_listen_with_backlog(pcb, 20), on_accept);
    echo = udp_new_ip_type(IPADDR_TYPE_ANY);
    udp_bind(echo, IP_ANY_TYPE, 7);
    udp_recv(echo, on_datagram, NULL);
    client = udp_new_ip_type(IPADDR_TYPE_ANY);
    pass(3000);                             // duplicate address detection
}

void station_settle(void) {
    calm = true;
    memory_fails = 0;
    dhcp_release_and_stop(&netif);
    fixed_address();
    for (struct tcp_pcb *pcb = tcp_active_pcbs, *next; pcb != NULL; pcb = next) {
        next = pcb->next;                   // who half-opened connections fills the listener's backlog
        if (pcb->state == SYN_RCVD) {
            tcp_abort(pcb);
            next = tcp_active_pcbs;
        }
    }
}

void station_stop(void) {
    memory_fails = 0;
    while (tcp_active_pcbs != NULL) {
        tcp_abort(tcp_active_pcbs);
    }
    while (tcp_tw_pcbs != NULL) {
        tcp_abort(tcp_tw_pcbs);
    }
    tcp_close((struct tcp_pcb *)tcp_listen_pcbs.listen_pcbs);
    udp_remove(echo);
    udp_remove(client);
    dhcp_release_and_stop(&netif);
    dhcp_cleanup(&netif);
    netif_remove(&netif);
    pass(120000);
    if (batches != 0) {
        fuzz_fail("a batch of frames has not ended");
    }
    memset(flows, 0, sizeof(flows));
}

void station_input(const uint8_t *frame, size_t len) {
    struct pbuf *p = pbuf_alloc(PBUF_RAW, len, PBUF_RAM);
    if (p != NULL) {
        pbuf_take(p, frame, len);
        if (net_input(p, &netif) != ERR_OK) {
            pbuf_free(p);
        }
    }
}
