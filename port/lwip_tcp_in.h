// Stands in front of lwIP's tcp_in.c: what is wrong there, put right by a macro, and when it sends (net_output.c).
//
// A bare acknowledgement that comes while our window is shut is taken to lie outside of it, and answered. Where both
// windows are shut, that answer is answered in turn, without end. RFC 9293, 3.10.7.4: with no window, a segment without
// data is acceptable at the next number. (Of the macro's uses, those that ask for seqno.)
#ifndef KEELBACK_PORT_LWIP_TCP_IN_H
#define KEELBACK_PORT_LWIP_TCP_IN_H

#include "lwip/priv/tcp_priv.h"

#undef TCP_SEQ_BETWEEN
#define TCP_SEQ_BETWEEN(a, b, c) (TCP_SEQ_GEQ(a, b) && (TCP_SEQ_LEQ(a, c) || (__builtin_strcmp(#a, "seqno") == 0 && (a) == (b) && tcplen == 0)))

err_t net_tcp_output(struct tcp_pcb *pcb);
#define tcp_output net_tcp_output

#endif
