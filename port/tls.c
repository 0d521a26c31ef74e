// What mbedTLS asks of its platform, random bytes and time, and what stands between it and MicroPython's tls module.

#include "py/gc.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/timeutils/timeutils.h"
#include "boot/boot.h"
#include "mbedtls/entropy.h"
#include "mbedtls/platform_time.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/ssl.h"
#include "psa/crypto.h"
#include "socket_options.h"
#include "tls.h"

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

// Its keys lie in Python's heap, which a soft reset takes away.
void tls_deinit(void) {
    mbedtls_psa_crypto_free();
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

// ---- in front of what extmod/modtls_mbedtls.c calls (port.mk) ---------------------------------------------------
// It forgets its socket before it frees the connection, and so cannot say goodbye: the socket is kept here too,
// inside of an object that the collector scans.
//
// A handshake's messages are small: each would wait for the acknowledgement of the one before (Nagle), which the
// peer saves up. Measured over the loopback: 500 ms of a handshake in TLS 1.3, 750 ms in 1.2.
static void send_at_once(mp_obj_t socket) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t call[] = { MP_OBJ_NULL, MP_OBJ_NULL, MP_OBJ_NEW_SMALL_INT(IPPROTO_TCP), MP_OBJ_NEW_SMALL_INT(TCP_NODELAY), mp_const_true };
        mp_load_method_maybe(socket, MP_QSTR_setsockopt, call);
        if (call[0] != MP_OBJ_NULL) {
            mp_call_method_n_kw(3, 0, call);
        }
        nlr_pop();
    } else if (!mp_obj_is_subclass_fast(mp_obj_get_type(nlr.ret_val), &mp_type_OSError)) {
        nlr_raise(nlr.ret_val);
    }       // else it is no socket of TCP
}

void tls_set_bio(mbedtls_ssl_context *ssl, void *context, mbedtls_ssl_send_t *send, mbedtls_ssl_recv_t *recv, mbedtls_ssl_recv_timeout_t *timeout) {
    send_at_once(*(mp_obj_t *)context);
    mbedtls_ssl_set_user_data_p(ssl, *(void **)context);
    mbedtls_ssl_set_bio(ssl, context, send, recv, timeout);
}

// The peer's close_notify is an end that stays one. mbedTLS tells it once, and MicroPython's read(n), which goes on until it has n
// bytes, swallows that behind the last data: then nothing says that the end has come, if the peer leaves the socket open.
static int receive_nothing(void *context, unsigned char *data, size_t len) {
    return 0;
}

int tls_read(mbedtls_ssl_context *ssl, unsigned char *data, size_t len) {
    int result = mbedtls_ssl_read(ssl, data, len);
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        mbedtls_ssl_set_bio(ssl, ssl->private_p_bio, ssl->private_f_send, receive_nothing, NULL);
    }
    return result;
}

int tls_check_pending(const mbedtls_ssl_context *ssl) {
    return mbedtls_ssl_check_pending(ssl) || ssl->private_f_recv == receive_nothing;
}

static int send_last(void *socket, const unsigned char *data, size_t len) {
    int error;
    mp_uint_t sent = mp_get_stream(socket)->write(socket, data, len, &error);
    return sent == MP_STREAM_ERROR ? MBEDTLS_ERR_SSL_WANT_WRITE : (int)sent;
}

// Without close_notify the peer cannot tell the end from a cut (RFC 8446, 6.1). Only where that neither waits nor runs
// inside of a collection; a socket that is not writable has other troubles.
static void say_goodbye(mbedtls_ssl_context *ssl) {
    mp_obj_t socket = mbedtls_ssl_get_user_data_p(ssl);
    int error;
    if (socket != NULL && !gc_is_locked() && mbedtls_ssl_is_handshake_over(ssl)
        && mp_get_stream(socket)->ioctl(socket, MP_STREAM_POLL, MP_STREAM_POLL_WR, &error) == MP_STREAM_POLL_WR) {
        mbedtls_ssl_set_bio(ssl, socket, send_last, NULL, NULL);
        mbedtls_ssl_close_notify(ssl);      // best effort
    }
}

void tls_free(mbedtls_ssl_context *ssl) {
    say_goodbye(ssl);
    mbedtls_ssl_free(ssl);
}

// A list with suites of one version only asks for that version: the peer would choose the other, and find nothing.
void tls_conf_ciphersuites(mbedtls_ssl_config *conf, const int *suites) {
    bool tls13 = false, tls12 = false;
    for (const int *suite = suites; *suite != 0; suite++) {
        *(mbedtls_ssl_ciphersuite_from_id(*suite)->private_min_tls_version == MBEDTLS_SSL_VERSION_TLS1_3 ? &tls13 : &tls12) = true;
    }
    if (!tls13) {
        mbedtls_ssl_conf_max_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
    } else if (!tls12) {
        mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_3);
    }
    mbedtls_ssl_conf_ciphersuites(conf, suites);
}
