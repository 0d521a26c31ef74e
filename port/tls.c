// What mbedTLS asks of its platform: random bytes and time.

#include "py/runtime.h"
#include "shared/timeutils/timeutils.h"
#include "boot/boot.h"
#include "mbedtls/entropy.h"
#include "mbedtls/platform_time.h"
#include "mbedtls/platform_util.h"
#include "psa/crypto.h"

int mbedtls_hardware_poll(void *data, unsigned char *out, size_t len, size_t *out_len) {
    if (!entropy_get(out, len)) {
        return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
    }
    *out_len = len;
    return 0;
}

// What PSA, and with it TLS 1.3, draws its keys from.
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context, uint8_t *out, size_t size, size_t *len) {
    if (!entropy_get(out, size)) {
        return PSA_ERROR_INSUFFICIENT_ENTROPY;
    }
    *len = size;
    return PSA_SUCCESS;
}

time_t mbedtls_port_time(time_t *out) {
    time_t now = clock_wall_ns() / 1000000000;
    if (out != NULL) {
        *out = now;
    }
    return now;
}

mbedtls_ms_time_t mbedtls_ms_time(void) {
    return clock_ns() / 1000000;
}

struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *seconds, struct tm *out) {
    timeutils_struct_time_t tm;
    timeutils_seconds_since_epoch_to_struct_time(*seconds, &tm);
    *out = (struct tm) {
        .tm_year = tm.tm_year - 1900, .tm_mon = tm.tm_mon - 1, .tm_mday = tm.tm_mday,
        .tm_hour = tm.tm_hour, .tm_min = tm.tm_min, .tm_sec = tm.tm_sec,
    };
    return out;
}
