// The secure processor's cryptography: mbedTLS, with an arena instead of a heap.
//
// Signatures are deterministic (RFC 6979), so that the same report has the same one. The generator hides the private key
// from who measures, no more: HMAC-DRBG, seeded at the start.

#include <string.h>

#include <mbedtls/ecdsa.h>
#include <mbedtls/gcm.h>
#include <mbedtls/hmac_drbg.h>
#include <mbedtls/md.h>
#include <mbedtls/memory_buffer_alloc.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha512.h>

#include "psp_guest.h"

#define ARENA_LEN (16 << 10)                // bytes; measured: a signature takes 4 KiB in 20 blocks

static uint8_t arena[ARENA_LEN] __attribute__((aligned(16)));
static mbedtls_hmac_drbg_context blinding;

static const mbedtls_md_info_t *sha384(void) {
    return mbedtls_md_info_from_type(MBEDTLS_MD_SHA384);
}

bool crypto_start(void (*random)(void *, size_t)) {
    uint8_t seed[48];
    random(seed, sizeof(seed));
    mbedtls_memory_buffer_alloc_init(arena, sizeof(arena));     // also takes back what there was
    mbedtls_hmac_drbg_init(&blinding);
    bool ok = mbedtls_hmac_drbg_seed_buf(&blinding, sha384(), seed, sizeof(seed)) == 0;
    memset(seed, 0, sizeof(seed));
    return ok;
}

typedef uint8_t nonce_t[12];

// Header bytes 30h to 5Fh are authenticated; the nonce is the sequence number.
#define AAD_LEN 48

static bool gcm_begin(mbedtls_gcm_context *gcm, const uint8_t *key, uint64_t number, nonce_t nonce) {
    memset(nonce, 0, sizeof(nonce_t));
    put(nonce, number, 8);
    mbedtls_gcm_init(gcm);
    return mbedtls_gcm_setkey(gcm, MBEDTLS_CIPHER_ID_AES, key, 8 * KEY_LEN) == 0;
}

bool crypto_open(const uint8_t key[KEY_LEN], uint64_t number, const uint8_t *aad, uint8_t *text, size_t len, const uint8_t tag[16]) {
    mbedtls_gcm_context gcm;
    nonce_t nonce;
    bool ok = gcm_begin(&gcm, key, number, nonce) &&
        mbedtls_gcm_auth_decrypt(&gcm, len, nonce, sizeof(nonce), aad, AAD_LEN, tag, 16, text, text) == 0;
    mbedtls_gcm_free(&gcm);
    return ok;
}

bool crypto_seal(const uint8_t key[KEY_LEN], uint64_t number, const uint8_t *aad, uint8_t *text, size_t len, uint8_t tag[16]) {
    mbedtls_gcm_context gcm;
    nonce_t nonce;
    bool ok = gcm_begin(&gcm, key, number, nonce) &&
        mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, len, nonce, sizeof(nonce), aad, AAD_LEN, text, text, 16, tag) == 0;
    mbedtls_gcm_free(&gcm);
    return ok;
}

void crypto_sha384(const uint8_t *data, size_t len, uint8_t out[48]) {
    mbedtls_sha512(data, len, out, 1);      // fails only for another kind than SHA-384 and SHA-512
}

bool crypto_hmac384(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len, uint8_t out[48]) {
    return mbedtls_md_hmac(sha384(), key, key_len, data, len, out) == 0;
}

bool crypto_sign(const uint8_t key[48], const uint8_t *data, size_t len, uint8_t r[48], uint8_t s[48]) {
    uint8_t hash[48];
    crypto_sha384(data, len, hash);
    mbedtls_ecp_group group;
    mbedtls_mpi d, mr, ms;
    mbedtls_ecp_group_init(&group);
    mbedtls_mpi_init(&d);
    mbedtls_mpi_init(&mr);
    mbedtls_mpi_init(&ms);
    bool ok = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP384R1) == 0 && mbedtls_mpi_read_binary(&d, key, 48) == 0 &&
        mbedtls_ecdsa_sign_det_ext(&group, &mr, &ms, &d, hash, sizeof(hash), MBEDTLS_MD_SHA384, mbedtls_hmac_drbg_random, &blinding) == 0 &&
        mbedtls_mpi_write_binary_le(&mr, r, 48) == 0 && mbedtls_mpi_write_binary_le(&ms, s, 48) == 0;
    mbedtls_mpi_free(&ms);
    mbedtls_mpi_free(&mr);
    mbedtls_mpi_free(&d);
    mbedtls_ecp_group_free(&group);
    return ok;
}

// ---- what mbedTLS calls ------------------------------------------------------------------------------------------------
_Noreturn void psp_arena_damaged(int status) {
    (void)status;
    __builtin_trap();
}

void mbedtls_platform_zeroize(void *data, size_t len) {
    memset(data, 0, len);
    __asm__ volatile ("" : : "r" (data) : "memory");    // it is looked at: no optimiser leaves it out
}
