// An interface of module netif: modnetif.c has its life and state, netif_frames.c moves frames.
#ifndef KEELBACK_PORT_NETIF_OBJ_H
#define KEELBACK_PORT_NETIF_OBJ_H

#include "lwip/netif.h"
#include "py/obj.h"

typedef struct netif_obj {
    mp_obj_base_t base;
    struct netif_obj *next;                 // of all that lwIP knows
    mp_obj_t nic, transmit;
    mp_obj_t hold, send_held;               // of a device that cuts segments of TCP itself, else MP_OBJ_NULL
    mp_obj_t notify;                        // of a device that is told of several frames at once, else MP_OBJ_NULL
    bool cuts_ip4, cuts_ip6;
    volatile uint64_t *tx;                  // where the next frame goes; 0: nowhere
    bool untold, pressing;                  // of frames that were transmitted; of some that are more than acknowledgements
    bool waiting;                           // a frame found no place since settle()
    bool added;
    struct pbuf *partial;                   // a frame of several pieces: what came so far, or NULL: it is dropped
    size_t partial_len, behind;             // bytes of it, and bytes that are still to come
    struct {
        uint32_t rx_frames, tx_frames, rx_dropped, tx_dropped, errors;
        uint64_t rx_bytes, tx_bytes;
    } count;
    ip6_addr_t gateway6;                    // static; any: what routers announce
    struct netif netif;
} netif_obj_t;

bool netif_segments_take(netif_obj_t *self, struct pbuf *p);        // netif_segments.c: it goes with others. -> false: it does not
uint8_t *netif_frames_copy(netif_obj_t *self, struct pbuf *p, size_t skip);     // to where the next frame goes
bool netif_frames_call(netif_obj_t *self, mp_obj_t function, size_t n_args, const mp_obj_t *args);  // of the driver. -> false: it failed
uint32_t netif_frames_checksum(const uint8_t *head, size_t have, uint8_t *frame, size_t len);
err_t netif_frames_send(struct netif *netif, struct pbuf *p);       // lwIP's linkoutput
uint64_t netif_frames_more(netif_obj_t *self);                      // what transmit() gets beside the checksum: others follow, or not
void netif_frames_drop(netif_obj_t *self);                          // forget the frame of which pieces are missing
err_t net_input(struct pbuf *p, struct netif *netif);               // net_input.c: a frame into lwIP
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(netif_input_obj);

#endif
