// What libsodium's curve arithmetic asks of the rest of libsodium (its utils.c is for operating systems).

#include "mbedtls/constant_time.h"
#include "mbedtls/platform_util.h"
#include "sodium/utils.h"

void sodium_memzero(void *const p, const size_t len) {
    mbedtls_platform_zeroize(p, len);
}

int sodium_memcmp(const void *const a, const void *const b, size_t len) {
    return mbedtls_ct_memcmp(a, b, len) == 0 ? 0 : -1;
}

int sodium_is_zero(const unsigned char *n, const size_t len) {
    volatile unsigned char d = 0;
    for (size_t i = 0; i < len; i++) {
        d |= n[i];
    }
    return 1 & ((d - 1) >> 8);
}
