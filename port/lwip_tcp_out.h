// Stands in front of lwIP's tcp_out.c: what is wrong there, put right by a macro, and what goes around it.
//
// Segments are made no longer than half of the largest window that the peer has shown, but as long as can be while it
// has shown none; once it shows a small one, the last segment is longer than a segment may be, and the room left in it
// wraps around to 64 KiB. With a least length they only ever grow. (Of the macro's uses, the one for snd_wnd_max.) Found by tests/fuzz/frames.
#ifndef KEELBACK_PORT_LWIP_TCP_OUT_H
#define KEELBACK_PORT_LWIP_TCP_OUT_H

#include "lwip/priv/tcp_priv.h"

#define SEGMENT_LEAST 64u                   // bytes, as net_input.c's MSS_LEAST
#undef TCPWND_MIN16
#define TCPWND_MIN16(x) ((u16_t)LWIP_MIN(__builtin_strcmp(#x, "pcb->snd_wnd_max / 2") == 0 ? LWIP_MAX((x), SEGMENT_LEAST) : (x), 0xffff))

// tcp_output() is net_output.c's, around this one.
err_t tcp_output_each(struct tcp_pcb *pcb);
#define tcp_output tcp_output_each

#endif
