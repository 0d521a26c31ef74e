// The Internet checksum: net_checksum.c. Read by every lwIP file.
#ifndef KEELBACK_PORT_NET_CHECKSUM_H
#define KEELBACK_PORT_NET_CHECKSUM_H

#include <stdint.h>

uint16_t net_checksum(const void *data, int len);

#endif
