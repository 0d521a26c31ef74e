// Sockets, shared by the files that implement module socket: modsocket.c (what Python sees), socket_io.c (sending and
// receiving), socket_tcp.c, socket_received.c, socket_dgram.c, socket_addr.c (addresses, names), socket_options.c.
//
// A socket is two things. lwIP holds a sock_t, which lies outside of Python's heap, and Python holds a socket_obj_t that
// points to it. So lwIP can never call into an object that was collected: the finaliser only cuts the two apart, and
// net_poll() closes what is left (socket_reap), since closing sends, and a collection is no place to call a driver.
// Functions named tcp_sock_*, dgram_* and sock_* raise nothing.
#ifndef KEELBACK_PORT_SOCKET_H
#define KEELBACK_PORT_SOCKET_H

#include "lwip/ip_addr.h"
#include "py/obj.h"

#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define MP_EMSGSIZE 90                  // what py/mperrno.h lacks
#define MP_EADDRNOTAVAIL 99

typedef struct datagram {
    struct datagram *next;
    struct pbuf *p;
    ip_addr_t from;
    uint16_t port;
} datagram_t;

typedef enum { SOCK_NEW, SOCK_LISTENING, SOCK_CONNECTING, SOCK_CONNECTED, SOCK_DEAD } sock_state_t;

typedef struct sock {
    struct sock *next;                  // of a listener's connections, or of those to be reaped
    struct socket_obj *obj;             // NULL: nobody in Python has it
    union { struct tcp_pcb *tcp; struct udp_pcb *udp; struct raw_pcb *raw; void *any; } pcb;    // NULL: lwIP has forgotten it
    uint8_t family, type;
    uint8_t state;                      // sock_state_t; of datagram sockets SOCK_NEW
    bool eof;                           // no more will come in
    bool shut_rd, shut_wr;
    bool wants_room;                    // somebody waits until it can be written to
    int error;                          // errno that ended the connection and that nobody was told yet
    ip_addr_t peer;
    uint16_t peer_port;
    uint32_t queued;                    // bytes received and not read, with what a datagram costs
    struct pbuf *first, *last;          // TCP: a chain by ->next alone, whose tot_len means nothing
    uint32_t offset;                    // bytes of *first that were read
    uint32_t room;                      // bytes that still fit into *last
    uint32_t owed;                      // bytes read of which lwIP was not told
    datagram_t *datagrams, **datagrams_end;
    struct sock *listener;              // whose queue it is in
    struct sock *waiting, **waiting_end;        // a listener's connections, oldest first
} sock_t;

typedef struct socket_obj {
    mp_obj_base_t base;
    sock_t *sock;                       // NULL: closed
    mp_obj_t callback;                  // setsockopt(SOL_SOCKET, 20, callback), or MP_OBJ_NULL
    uint32_t timeout_ms;                // NO_TIMEOUT: none
} socket_obj_t;

#define NO_TIMEOUT UINT32_MAX
extern const mp_obj_type_t socket_type;

// ---- socket.c: life of a sock_t --------------------------------------------------------------------------------------
int sock_errno(int err);                            // of lwIP's err_t
sock_t *sock_new(int family, int type);             // NULL: no memory
void sock_free(sock_t *s);                          // its pcb must be gone
void sock_event(sock_t *s);                         // something changed: wake who waits, call the user's callback
void sock_close(sock_t *s);                         // and free
void sock_abandon(sock_t *s);                       // close it when there is time
void socket_reap(void);
bool socket_reap_pending(void);

// ---- socket_tcp.c -----------------------------------------------------------------------------------------------------
int tcp_sock_open(sock_t *s);                       // -> errno, as all that give an int
int tcp_sock_bind(sock_t *s, const ip_addr_t *addr, uint16_t port);
int tcp_sock_listen(sock_t *s, int backlog);
sock_t *tcp_sock_accept(sock_t *s);                 // NULL: none is there
int tcp_sock_connect(sock_t *s, const ip_addr_t *addr, uint16_t port);
int tcp_sock_shutdown(sock_t *s, bool rd, bool wr);
void tcp_sock_close(sock_t *s);                     // lwIP forgets s
bool tcp_sock_readable(sock_t *s);                  // a read will not wait
bool tcp_sock_writable(sock_t *s);
int tcp_sock_take_error(sock_t *s);                 // the error that ended it, told once
size_t tcp_sock_read(sock_t *s, void *buf, size_t len);
size_t tcp_sock_write(sock_t *s, const void *buf, size_t len, int *error);     // -> bytes taken; 0 and no error: no room
bool tcp_sock_has_room(sock_t *s, size_t len);      // a write takes all of it, or fails for another reason

// ---- socket_received.c -------------------------------------------------------------------------------------------------
void received_append(sock_t *s, struct pbuf *p);
size_t received_take(sock_t *s, void *buf, size_t len);             // -> bytes taken
size_t received_find(sock_t *s, int c, size_t limit);               // bytes up to and with the first c, or all; at most limit
void received_drop(sock_t *s);

// ---- socket_dgram.c -------------------------------------------------------------------------------------------------------
int dgram_open(sock_t *s, int proto);
int dgram_bind(sock_t *s, const ip_addr_t *addr, uint16_t port);
int dgram_connect(sock_t *s, const ip_addr_t *addr, uint16_t port);
int dgram_send(sock_t *s, const void *buf, size_t len, const ip_addr_t *addr, uint16_t port);      // addr NULL: the peer's
size_t dgram_read(sock_t *s, void *buf, size_t len, ip_addr_t *from, uint16_t *port);
void dgram_close(sock_t *s);

// ---- socket_io.c ------------------------------------------------------------------------------------------------------------
sock_t *socket_of(mp_obj_t self);                   // OSError(EBADF): it is closed
int socket_wait(socket_obj_t *self, bool (*ready)(sock_t *));       // -> 0, EAGAIN, ETIMEDOUT, EBADF
mp_uint_t socket_read(mp_obj_t self, void *buf, mp_uint_t size, int *error);
mp_uint_t socket_write(mp_obj_t self, const void *buf, mp_uint_t size, int *error);
mp_uint_t socket_poll(sock_t *s, mp_uint_t flags);
MP_DECLARE_CONST_FUN_OBJ_2(socket_send_obj);
MP_DECLARE_CONST_FUN_OBJ_2(socket_sendall_obj);
MP_DECLARE_CONST_FUN_OBJ_3(socket_sendto_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(socket_recv_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(socket_recvfrom_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(socket_recv_into_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(socket_readline_obj);

// ---- socket_addr.c ---------------------------------------------------------------------------------------------------------
mp_obj_t socket_address(const ip_addr_t *addr, mp_uint_t port);     // -> (text, port)
mp_uint_t socket_parse_address(mp_obj_t pair, int family, ip_addr_t *addr);    // -> port; ValueError
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(socket_getaddrinfo_obj);

// ---- socket_options.c --------------------------------------------------------------------------------------------------
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(socket_setsockopt_obj);
MP_DECLARE_CONST_FUN_OBJ_3(socket_getsockopt_obj);

#endif
