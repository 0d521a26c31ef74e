// What module crypto and module virtq want of boot/ on the unix port: random bytes, time for mbedTLS' headers, and that this is no
// SEV-SNP guest.

#include <stdlib.h>
#include <sys/random.h>
#include "boot/boot.h"

bool ghcb_live;

void host_write(uint64_t addr, unsigned bytes, uint64_t value) {
    abort();
}

int map_attr(uint64_t addr) {
    abort();
}

bool entropy_get(void *buf, size_t len) {
    return getrandom(buf, len, 0) == (ssize_t)len;
}
