// Random bytes for module crypto on the unix port, in place of boot/entropy.c; time for mbedTLS' headers.

#include <sys/random.h>
#include "boot/boot.h"

bool entropy_get(void *buf, size_t len) {
    return getrandom(buf, len, 0) == (ssize_t)len;
}
