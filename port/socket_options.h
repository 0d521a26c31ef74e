// Numbers of levels and options of sockets: socket_options.c.
#ifndef KEELBACK_PORT_SOCKET_OPTIONS_H
#define KEELBACK_PORT_SOCKET_OPTIONS_H

#include "lwip/ip.h"
#include "lwip/tcp.h"

// MicroPython's lwIP sockets
#define SOL_SOCKET 1
#define SO_CALLBACK 20
#define IPPROTO_IP 0
#define IP_ADD_MEMBERSHIP 0x400
#define IP_DROP_MEMBERSHIP 0x401
#define IPPROTO_TCP 6
#define TCP_NODELAY TF_NODELAY

// Linux
#define SO_TYPE 3
#define SO_ERROR 0x1004                 // 4 is SO_REUSEADDR
#define IP_MULTICAST_TTL 33
#define TCP_KEEPIDLE 4
#define TCP_KEEPINTVL 5
#define TCP_KEEPCNT 6
#define IPPROTO_ICMP 1
#define IPPROTO_UDP 17
#define IPPROTO_IPV6 41
#define IPPROTO_ICMPV6 58
#define IPV6_JOIN_GROUP 20
#define IPV6_LEAVE_GROUP 21

#endif
