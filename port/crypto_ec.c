// Module crypto: elliptic curves. P-256, P-384 and P-521 by mbedTLS; X25519 and the check of Ed25519 signatures by libsodium,
// whose field arithmetic needs a tenth of the time.
//
// curve: 256, 384 or 521. Private keys, coordinates, r and s are big-endian, as long as the curve's order or field; points
// are uncompressed (04 x y), as in SEC 1, 2.3.3.
// Source: SEC 1 (ECDH, ECDSA), RFC 6979 (deterministic signatures), RFC 7748 (X25519), RFC 8032 (Ed25519).

#include "py/runtime.h"
#include "sodium/crypto_scalarmult_curve25519.h"
#include "sodium/crypto_sign_ed25519.h"
#include "mbedtls/asn1.h"
#include "mbedtls/ecdh.h"
#include "mbedtls/ecdsa.h"
#include "mbedtls/platform_util.h"
#include "crypto.h"

#define COORDINATE_MAX 66       // bytes, of P-521
#define POINT_MAX (1 + 2 * COORDINATE_MAX)

// ---- Curve25519 -----------------------------------------------------------------------------------------------
// x25519(private, peer=base point) -> bytes: the secret in common, or the public key, for which libsodium has tables (a third
// of the time). ValueError: the peer's point is of low order.
static mp_obj_t crypto_x25519(size_t n_args, const mp_obj_t *args) {
    unsigned char out[32];
    bytes_t private = crypto_sized(args[0], 32);
    if (n_args == 1) {
        crypto_scalarmult_curve25519_base(out, private.p);
    } else if (crypto_scalarmult_curve25519(out, private.p, crypto_sized(args[1], 32).p) != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("point of low order"));
    }
    mp_obj_t result = mp_obj_new_bytes(out, sizeof(out));
    mbedtls_platform_zeroize(out, sizeof(out));
    return result;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(crypto_x25519_obj, 1, 2, crypto_x25519);

// ed25519_verify(public, message, signature) -> bool
static mp_obj_t crypto_ed25519_verify(mp_obj_t public_in, mp_obj_t message_in, mp_obj_t signature_in) {
    bytes_t public = crypto_sized(public_in, 32), message = crypto_bytes(message_in), signature = crypto_bytes(signature_in);
    return mp_obj_new_bool(signature.len == 64
        && crypto_sign_ed25519_verify_detached(signature.p, message.p, message.len, public.p) == 0);
}
MP_DEFINE_CONST_FUN_OBJ_3(crypto_ed25519_verify_obj, crypto_ed25519_verify);

// ---- the NIST curves: what a call works with, and its end ---------------------------------------------------------
// mbedTLS allocates: between begin() and end() nothing may raise.
typedef struct {
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi d, r, s;
    size_t len;                 // bytes of a coordinate
    int status;                 // of the first step that failed; later ones are left out
} work_t;

#define STEP(w, call) ((w)->status = (w)->status == 0 ? (call) : (w)->status)

static mbedtls_ecp_group_id curve_id(mp_obj_t curve) {
    switch (mp_obj_get_int(curve)) {
        case 256:
            return MBEDTLS_ECP_DP_SECP256R1;
        case 384:
            return MBEDTLS_ECP_DP_SECP384R1;
        case 521:
            return MBEDTLS_ECP_DP_SECP521R1;
    }
    mp_raise_ValueError(MP_ERROR_TEXT("the curves are 256, 384 and 521"));
}

static void begin(work_t *w, mbedtls_ecp_group_id id) {
    mbedtls_ecp_group_init(&w->group);
    mbedtls_ecp_point_init(&w->point);
    mbedtls_mpi_init(&w->d);
    mbedtls_mpi_init(&w->r);
    mbedtls_mpi_init(&w->s);
    w->status = mbedtls_ecp_group_load(&w->group, id);
    w->len = (w->group.pbits + 7) / 8;
}

static void end(work_t *w) {
    mbedtls_mpi_free(&w->s);
    mbedtls_mpi_free(&w->r);
    mbedtls_mpi_free(&w->d);
    mbedtls_ecp_point_free(&w->point);
    mbedtls_ecp_group_free(&w->group);
}

static void read_private(work_t *w, bytes_t private) {
    STEP(w, private.len == w->len ? 0 : MBEDTLS_ERR_ECP_BAD_INPUT_DATA);
    STEP(w, mbedtls_mpi_read_binary(&w->d, private.p, private.len));
    STEP(w, mbedtls_ecp_check_privkey(&w->group, &w->d));
}

static void read_point(work_t *w, bytes_t point) {
    STEP(w, point.len == 1 + 2 * w->len && point.p[0] == 4 ? 0 : MBEDTLS_ERR_ECP_INVALID_KEY);
    STEP(w, mbedtls_ecp_point_read_binary(&w->group, &w->point, point.p, point.len));
    STEP(w, mbedtls_ecp_check_pubkey(&w->group, &w->point));
}

// End a call whose results are up to two numbers or texts, which are wiped here.
static mp_obj_t results(work_t *w, unsigned char *a, size_t a_len, unsigned char *b, size_t b_len) {
    int status = w->status;
    end(w);
    if (status != 0) {
        crypto_fail(status);
    }
    mp_obj_t items[] = { mp_obj_new_bytes(a, a_len), b == NULL ? MP_OBJ_NULL : mp_obj_new_bytes(b, b_len) };
    mbedtls_platform_zeroize(a, a_len);
    return b == NULL ? items[0] : mp_obj_new_tuple(2, items);
}

// ---- keys and secrets in common -----------------------------------------------------------------------------------
static void write_point(work_t *w, unsigned char *out) {
    size_t len;
    STEP(w, mbedtls_ecp_point_write_binary(&w->group, &w->point, MBEDTLS_ECP_PF_UNCOMPRESSED, &len, out, POINT_MAX));
}

// ec_keypair(curve) -> (private, public). OSError(ENODEV): no random numbers
static mp_obj_t crypto_ec_keypair(mp_obj_t curve) {
    unsigned char private[COORDINATE_MAX], public[POINT_MAX];
    work_t w;
    begin(&w, curve_id(curve));
    STEP(&w, mbedtls_ecp_gen_keypair(&w.group, &w.d, &w.point, crypto_random, NULL));
    STEP(&w, mbedtls_mpi_write_binary(&w.d, private, w.len));
    write_point(&w, public);
    return results(&w, private, w.len, public, 1 + 2 * w.len);
}
MP_DEFINE_CONST_FUN_OBJ_1(crypto_ec_keypair_obj, crypto_ec_keypair);

// ec_public(curve, private) -> public. ValueError: no private key of that curve
static mp_obj_t crypto_ec_public(mp_obj_t curve, mp_obj_t private_in) {
    unsigned char public[POINT_MAX];
    bytes_t private = crypto_bytes(private_in);
    work_t w;
    begin(&w, curve_id(curve));
    read_private(&w, private);
    STEP(&w, mbedtls_ecp_mul(&w.group, &w.point, &w.d, &w.group.G, crypto_random, NULL));
    write_point(&w, public);
    return results(&w, public, 1 + 2 * w.len, NULL, 0);
}
MP_DEFINE_CONST_FUN_OBJ_2(crypto_ec_public_obj, crypto_ec_public);

// ecdh(curve, private, peer) -> the x coordinate in common. ValueError: the peer's point is none of the curve's
static mp_obj_t crypto_ecdh(mp_obj_t curve, mp_obj_t private_in, mp_obj_t peer_in) {
    unsigned char secret[COORDINATE_MAX];
    bytes_t private = crypto_bytes(private_in), peer = crypto_bytes(peer_in);
    work_t w;
    begin(&w, curve_id(curve));
    read_private(&w, private);
    read_point(&w, peer);
    STEP(&w, mbedtls_ecdh_compute_shared(&w.group, &w.r, &w.point, &w.d, crypto_random, NULL));
    STEP(&w, mbedtls_mpi_write_binary(&w.r, secret, w.len));
    return results(&w, secret, w.len, NULL, 0);
}
MP_DEFINE_CONST_FUN_OBJ_3(crypto_ecdh_obj, crypto_ecdh);

// ---- signatures ----------------------------------------------------------------------------------------------------
static mbedtls_md_type_t hash_of_length(size_t len) {
    return len == 32 ? MBEDTLS_MD_SHA256 : len == 48 ? MBEDTLS_MD_SHA384 : MBEDTLS_MD_SHA512;
}

// ecdsa_sign(curve, private, digest) -> (r, s). The digest's length tells which SHA-2 is used inside: the signature depends on
// key and digest alone.
static mp_obj_t crypto_ecdsa_sign(mp_obj_t curve, mp_obj_t private_in, mp_obj_t digest_in) {
    unsigned char r[COORDINATE_MAX], s[COORDINATE_MAX];
    bytes_t private = crypto_bytes(private_in), digest = crypto_bytes(digest_in);
    work_t w;
    begin(&w, curve_id(curve));
    read_private(&w, private);
    STEP(&w, mbedtls_ecdsa_sign_det_ext(&w.group, &w.r, &w.s, &w.d, digest.p, digest.len, hash_of_length(digest.len),
        crypto_random, NULL));
    STEP(&w, mbedtls_mpi_write_binary(&w.r, r, w.len));
    STEP(&w, mbedtls_mpi_write_binary(&w.s, s, w.len));
    return results(&w, r, w.len, s, w.len);
}
MP_DEFINE_CONST_FUN_OBJ_3(crypto_ecdsa_sign_obj, crypto_ecdsa_sign);

// SEQUENCE { INTEGER r, INTEGER s }, and nothing behind it
static int read_der(work_t *w, bytes_t der) {
    unsigned char *p = (unsigned char *)der.p, *der_end = p + der.len;
    size_t len;
    int status = mbedtls_asn1_get_tag(&p, der_end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    if (status == 0 && p + len != der_end) {
        status = MBEDTLS_ERR_ASN1_LENGTH_MISMATCH;
    }
    if (status == 0) {
        status = mbedtls_asn1_get_mpi(&p, der_end, &w->r);
    }
    if (status == 0) {
        status = mbedtls_asn1_get_mpi(&p, der_end, &w->s);
    }
    return status != 0 ? status : p == der_end ? 0 : MBEDTLS_ERR_ASN1_LENGTH_MISMATCH;
}

// ecdsa_verify(curve, public, digest, r, s) or (curve, public, digest, der) -> bool. ValueError: public is no point of the curve
static mp_obj_t crypto_ecdsa_verify(size_t n_args, const mp_obj_t *args) {
    bytes_t public = crypto_bytes(args[1]), digest = crypto_bytes(args[2]), r = crypto_bytes(args[3]);
    bytes_t s = n_args > 4 ? crypto_bytes(args[4]) : r;
    work_t w;
    begin(&w, curve_id(args[0]));
    read_point(&w, public);
    bool is_key = w.status == 0;
    if (n_args > 4) {
        STEP(&w, r.len <= w.len && s.len <= w.len ? 0 : MBEDTLS_ERR_ECP_VERIFY_FAILED);
        STEP(&w, mbedtls_mpi_read_binary(&w.r, r.p, r.len));
        STEP(&w, mbedtls_mpi_read_binary(&w.s, s.p, s.len));
    } else {
        STEP(&w, read_der(&w, r));
    }
    STEP(&w, mbedtls_ecdsa_verify(&w.group, digest.p, digest.len, &w.point, &w.r, &w.s));
    end(&w);
    if (!is_key || w.status == MBEDTLS_ERR_MPI_ALLOC_FAILED) {
        crypto_fail(w.status);
    }
    return mp_obj_new_bool(w.status == 0);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(crypto_ecdsa_verify_obj, 4, 5, crypto_ecdsa_verify);
