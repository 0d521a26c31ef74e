// In front of mbedTLS's ssl_tls12_client.c: RSA-PSS is a signature of TLS 1.2 too (RFC 8446, 1.3 and 4.2.3).
//
// A client that knows both versions offers it, servers of TLS 1.2 choose it, and mbedTLS 3.6.6 then refuses
// what it offered: the check that it added for CVE-2026-25834 knows the older numbers only. Whether an algorithm
// was offered is checked by itself. Not needed from the version on in which that is repaired.
#ifndef KEELBACK_TLS12_PSS_H
#define KEELBACK_TLS12_PSS_H

#include "library/common.h"
#include "library/ssl_misc.h"

static inline int tls12_sig_alg_is_supported(const mbedtls_ssl_context *ssl, uint16_t alg) {
    return (alg >= MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256 && alg <= MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512)
        || mbedtls_ssl_sig_alg_is_supported(ssl, alg);
}
#define mbedtls_ssl_sig_alg_is_supported tls12_sig_alg_is_supported

#endif
