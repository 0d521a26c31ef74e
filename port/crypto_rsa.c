// Module crypto: checking RSA signatures, PKCS #1 v1.5 and PSS.
//
// Source: RFC 8017, 8.1.2 (PSS; any length of salt, MGF1 with the same hash) and 8.2.2 (v1.5).

#include "py/runtime.h"
#include "mbedtls/rsa.h"
#include "crypto.h"

#define BITS_MIN 2048
#define BITS_MAX 8192           // what MBEDTLS_MPI_MAX_SIZE is good for

static int load_key(mbedtls_rsa_context *rsa, bytes_t n, bytes_t e) {
    int status = mbedtls_rsa_import_raw(rsa, n.p, n.len, NULL, 0, NULL, 0, NULL, 0, e.p, e.len);
    if (status == 0) {
        status = mbedtls_rsa_complete(rsa);
    }
    if (status == 0) {
        status = mbedtls_rsa_check_pubkey(rsa);
    }
    size_t bits = mbedtls_rsa_get_bitlen(rsa);
    return status == 0 && (bits < BITS_MIN || bits > BITS_MAX) ? MBEDTLS_ERR_RSA_KEY_CHECK_FAILED : status;
}

static int check_signature(mbedtls_rsa_context *rsa, bool pss, mbedtls_md_type_t hash, bytes_t digest, bytes_t signature) {
    int status = mbedtls_rsa_set_padding(rsa, pss ? MBEDTLS_RSA_PKCS_V21 : MBEDTLS_RSA_PKCS_V15, hash);
    if (status == 0 && signature.len != mbedtls_rsa_get_len(rsa)) {
        status = MBEDTLS_ERR_RSA_VERIFY_FAILED;
    }
    return status == 0 ? mbedtls_rsa_pkcs1_verify(rsa, hash, digest.len, digest.p, signature.p) : status;
}

// rsa_verify(n, e, bits, digest, signature, pss=False) -> bool. n, e: big-endian; bits: of the hash. ValueError: the key is
// none, has under 2048 or over 8192 bits, or the digest has another length
static mp_obj_t crypto_rsa_verify(size_t n_args, const mp_obj_t *args) {
    bytes_t n = crypto_bytes(args[0]), e = crypto_bytes(args[1]), signature = crypto_bytes(args[4]);
    mbedtls_md_type_t hash = crypto_hash(args[2]);
    bytes_t digest = crypto_sized(args[3], mp_obj_get_int(args[2]) / 8);
    bool pss = n_args > 5 && mp_obj_is_true(args[5]);
    mbedtls_rsa_context rsa;
    mbedtls_rsa_init(&rsa);
    int key_status = load_key(&rsa, n, e), status = key_status;
    if (status == 0) {
        status = check_signature(&rsa, pss, hash, digest, signature);
    }
    mbedtls_rsa_free(&rsa);
    if (key_status != 0 || status == MBEDTLS_ERR_MPI_ALLOC_FAILED) {
        crypto_fail(status);
    }
    return mp_obj_new_bool(status == 0);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(crypto_rsa_verify_obj, 5, 6, crypto_rsa_verify);
