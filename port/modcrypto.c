// Module crypto: what protocols need of cryptography, over mbedTLS and libsodium. Here: SHA-2, HMAC, HKDF, comparing, wiping.
//
// bits: 256, 384 or 512, the member of SHA-2. Data is any object with a buffer. ValueError: bytes of a wrong length or
// form, a check that fails. Left out: generating RSA keys, encryption with RSA, Ed25519 signatures of our own.
// Source: FIPS 180-4, RFC 2104 (HMAC), RFC 5869 (HKDF).

#include "py/gc.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "boot/boot.h"
#include "mbedtls/constant_time.h"
#include "mbedtls/ecp.h"
#include "mbedtls/entropy.h"
#include "mbedtls/hkdf.h"
#include "mbedtls/platform_util.h"
#include "crypto.h"

// ---- what the other files use ----------------------------------------------------------------------------
bytes_t crypto_bytes(mp_obj_t arg) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(arg, &info, MP_BUFFER_READ);
    return (bytes_t) { info.buf, info.len };
}

bytes_t crypto_sized(mp_obj_t arg, size_t len) {
    bytes_t b = crypto_bytes(arg);
    if (b.len != len) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("%d bytes expected, got %d"), (int)len, (int)b.len);
    }
    return b;
}

mbedtls_md_type_t crypto_hash(mp_obj_t bits) {
    switch (mp_obj_get_int(bits)) {
        case 256:
            return MBEDTLS_MD_SHA256;
        case 384:
            return MBEDTLS_MD_SHA384;
        case 512:
            return MBEDTLS_MD_SHA512;
    }
    mp_raise_ValueError(MP_ERROR_TEXT("SHA-2 has 256, 384 or 512 bits"));
}

NORETURN void crypto_fail(int status) {
    switch (status) {
        case MBEDTLS_ERR_MD_ALLOC_FAILED:
        case MBEDTLS_ERR_ECP_ALLOC_FAILED:
        case MBEDTLS_ERR_MPI_ALLOC_FAILED:
            m_malloc_fail(0);
        case MBEDTLS_ERR_ENTROPY_SOURCE_FAILED:
            mp_raise_OSError(MP_ENODEV);
    }
    mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("invalid (mbedTLS -0x%04x)"), -status);
}

int crypto_random(void *context, unsigned char *out, size_t len) {
    return entropy_get(out, len) ? 0 : MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}

// ---- one-shot -----------------------------------------------------------------------------------------------
typedef struct {
    mp_obj_base_t base;
    mbedtls_md_context_t md;
} sha2_t;

extern const mp_obj_type_t crypto_sha2_type;

// Everything that may raise is looked at before mbedTLS allocates.
static void check_parts(size_t n, const mp_obj_t *parts) {
    for (size_t i = 0; i < n; i++) {
        crypto_bytes(parts[i]);
    }
}

static mp_obj_t finish(int status, const unsigned char *digest, size_t len) {
    if (status != 0) {
        crypto_fail(status);
    }
    return mp_obj_new_bytes(digest, len);
}

// The hash, or with a key the HMAC, of parts one behind the other.
static mp_obj_t digest_of(mbedtls_md_type_t type, const bytes_t *key, size_t n, const mp_obj_t *parts) {
    unsigned char out[MBEDTLS_MD_MAX_SIZE];
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(type);
    mbedtls_md_context_t md;
    check_parts(n, parts);
    mbedtls_md_init(&md);
    int status = mbedtls_md_setup(&md, info, key != NULL);
    if (status == 0) {
        status = key ? mbedtls_md_hmac_starts(&md, key->p, key->len) : mbedtls_md_starts(&md);
    }
    for (size_t i = 0; i < n && status == 0; i++) {
        bytes_t b = crypto_bytes(parts[i]);
        status = key ? mbedtls_md_hmac_update(&md, b.p, b.len) : mbedtls_md_update(&md, b.p, b.len);
    }
    if (status == 0) {
        status = key ? mbedtls_md_hmac_finish(&md, out) : mbedtls_md_finish(&md, out);
    }
    mbedtls_md_free(&md);
    mp_obj_t digest = finish(status, out, mbedtls_md_get_size(info));
    mbedtls_platform_zeroize(out, sizeof(out));
    return digest;
}

// sha2(bits, *data) -> digest of the data, one behind the other
static mp_obj_t crypto_sha2(size_t n_args, const mp_obj_t *args) {
    return digest_of(crypto_hash(args[0]), NULL, n_args - 1, args + 1);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(crypto_sha2_obj, 1, crypto_sha2);

// hmac(bits, key, *data) -> tag
static mp_obj_t crypto_hmac(size_t n_args, const mp_obj_t *args) {
    bytes_t key = crypto_bytes(args[1]);
    return digest_of(crypto_hash(args[0]), &key, n_args - 2, args + 2);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(crypto_hmac_obj, 2, crypto_hmac);

// hkdf(bits, key, salt, info, length) -> bytes; ValueError: more than 255 digests
static mp_obj_t crypto_hkdf(size_t n_args, const mp_obj_t *args) {
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(crypto_hash(args[0]));
    bytes_t key = crypto_bytes(args[1]), salt = crypto_bytes(args[2]), info = crypto_bytes(args[3]);
    mp_int_t len = mp_obj_get_int(args[4]);
    if (len < 0 || len > 255 * mbedtls_md_get_size(md)) {
        mp_raise_ValueError(MP_ERROR_TEXT("HKDF gives at most 255 digests"));
    }
    vstr_t out;
    vstr_init_len(&out, len);
    int status = mbedtls_hkdf(md, salt.p, salt.len, key.p, key.len, info.p, info.len, (unsigned char *)out.buf, len);
    if (status != 0) {
        crypto_fail(status);
    }
    return mp_obj_new_bytes_from_vstr(&out);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(crypto_hkdf_obj, 5, 5, crypto_hkdf);

// ---- incremental -----------------------------------------------------------------------------------------------
// Sha2(bits, data=b"") with update(data), digest() (more may follow), copy()
static sha2_t *sha2_new(const mbedtls_md_info_t *info) {
    sha2_t *self = mp_obj_malloc_with_finaliser(sha2_t, &crypto_sha2_type);
    mbedtls_md_init(&self->md);
    int status = mbedtls_md_setup(&self->md, info, 0);
    if (status != 0) {
        crypto_fail(status);
    }
    return self;
}

static mp_obj_t sha2_update(mp_obj_t self_in, mp_obj_t data) {
    sha2_t *self = MP_OBJ_TO_PTR(self_in);
    bytes_t b = crypto_bytes(data);
    int status = mbedtls_md_update(&self->md, b.p, b.len);
    if (status != 0) {
        crypto_fail(status);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(sha2_update_obj, sha2_update);

static mp_obj_t sha2_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 2, false);
    sha2_t *self = sha2_new(mbedtls_md_info_from_type(crypto_hash(args[0])));
    int status = mbedtls_md_starts(&self->md);
    if (status != 0) {
        crypto_fail(status);
    }
    if (n_args > 1) {
        sha2_update(MP_OBJ_FROM_PTR(self), args[1]);
    }
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t sha2_copy(mp_obj_t self_in) {
    sha2_t *self = MP_OBJ_TO_PTR(self_in);
    sha2_t *copy = sha2_new(mbedtls_md_info_from_ctx(&self->md));
    int status = mbedtls_md_clone(&copy->md, &self->md);
    if (status != 0) {
        crypto_fail(status);
    }
    return MP_OBJ_FROM_PTR(copy);
}
static MP_DEFINE_CONST_FUN_OBJ_1(sha2_copy_obj, sha2_copy);

static mp_obj_t sha2_digest(mp_obj_t self_in) {
    unsigned char out[MBEDTLS_MD_MAX_SIZE];
    sha2_t *copy = MP_OBJ_TO_PTR(sha2_copy(self_in));
    return finish(mbedtls_md_finish(&copy->md, out), out, mbedtls_md_get_size(mbedtls_md_info_from_ctx(&copy->md)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(sha2_digest_obj, sha2_digest);

static mp_obj_t sha2_del(mp_obj_t self_in) {
    mbedtls_md_free(&((sha2_t *)MP_OBJ_TO_PTR(self_in))->md);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(sha2_del_obj, sha2_del);

static const mp_rom_map_elem_t sha2_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_update), MP_ROM_PTR(&sha2_update_obj) },
    { MP_ROM_QSTR(MP_QSTR_digest), MP_ROM_PTR(&sha2_digest_obj) },
    { MP_ROM_QSTR(MP_QSTR_copy), MP_ROM_PTR(&sha2_copy_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&sha2_del_obj) },
};
static MP_DEFINE_CONST_DICT(sha2_locals, sha2_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(crypto_sha2_type, MP_QSTR_Sha2, MP_TYPE_FLAG_NONE, make_new, sha2_make_new, locals_dict, &sha2_locals);

// ---- secrets -----------------------------------------------------------------------------------------------
// equal(a, b) -> bool, in a time that depends on the lengths alone
static mp_obj_t crypto_equal(mp_obj_t a_in, mp_obj_t b_in) {
    bytes_t a = crypto_bytes(a_in), b = crypto_bytes(b_in);
    return mp_obj_new_bool(a.len == b.len && mbedtls_ct_memcmp(a.p, b.p, a.len) == 0);
}
static MP_DEFINE_CONST_FUN_OBJ_2(crypto_equal_obj, crypto_equal);

// Is it a bytes object whose data is a block of the heap? Data of others may lie in read-only memory, or be shared.
static bool is_own(mp_obj_t arg, bytes_t b) {
    return mp_obj_is_exact_type(arg, &mp_type_bytes) && gc_nbytes(b.p) != 0;
}

// wipe(*buffers): overwrite them with zeroes. Also bytes, of which the caller knows that nobody else has them: digests,
// say. TypeError: what cannot be written.
static mp_obj_t crypto_wipe(size_t n_args, const mp_obj_t *args) {
    for (size_t i = 0; i < n_args; i++) {
        mp_buffer_info_t info;
        bytes_t b = crypto_bytes(args[i]);
        if (b.len > 0 && !is_own(args[i], b)) {
            mp_get_buffer_raise(args[i], &info, MP_BUFFER_WRITE);
        }
        mbedtls_platform_zeroize((void *)b.p, b.len);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(crypto_wipe_obj, 0, crypto_wipe);

static const mp_rom_map_elem_t crypto_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_crypto) },
    { MP_ROM_QSTR(MP_QSTR_sha2), MP_ROM_PTR(&crypto_sha2_obj) },
    { MP_ROM_QSTR(MP_QSTR_Sha2), MP_ROM_PTR(&crypto_sha2_type) },
    { MP_ROM_QSTR(MP_QSTR_hmac), MP_ROM_PTR(&crypto_hmac_obj) },
    { MP_ROM_QSTR(MP_QSTR_hkdf), MP_ROM_PTR(&crypto_hkdf_obj) },
    { MP_ROM_QSTR(MP_QSTR_Gcm), MP_ROM_PTR(&crypto_gcm_type) },
    { MP_ROM_QSTR(MP_QSTR_Ctr), MP_ROM_PTR(&crypto_ctr_type) },
    { MP_ROM_QSTR(MP_QSTR_chacha20), MP_ROM_PTR(&crypto_chacha20_obj) },
    { MP_ROM_QSTR(MP_QSTR_poly1305), MP_ROM_PTR(&crypto_poly1305_obj) },
    { MP_ROM_QSTR(MP_QSTR_x25519), MP_ROM_PTR(&crypto_x25519_obj) },
    { MP_ROM_QSTR(MP_QSTR_ed25519_verify), MP_ROM_PTR(&crypto_ed25519_verify_obj) },
    { MP_ROM_QSTR(MP_QSTR_ec_keypair), MP_ROM_PTR(&crypto_ec_keypair_obj) },
    { MP_ROM_QSTR(MP_QSTR_ec_public), MP_ROM_PTR(&crypto_ec_public_obj) },
    { MP_ROM_QSTR(MP_QSTR_ecdh), MP_ROM_PTR(&crypto_ecdh_obj) },
    { MP_ROM_QSTR(MP_QSTR_ecdsa_sign), MP_ROM_PTR(&crypto_ecdsa_sign_obj) },
    { MP_ROM_QSTR(MP_QSTR_ecdsa_verify), MP_ROM_PTR(&crypto_ecdsa_verify_obj) },
    { MP_ROM_QSTR(MP_QSTR_rsa_verify), MP_ROM_PTR(&crypto_rsa_verify_obj) },
    { MP_ROM_QSTR(MP_QSTR_equal), MP_ROM_PTR(&crypto_equal_obj) },
    { MP_ROM_QSTR(MP_QSTR_wipe), MP_ROM_PTR(&crypto_wipe_obj) },
};
static MP_DEFINE_CONST_DICT(crypto_globals, crypto_globals_table);

const mp_obj_module_t crypto_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&crypto_globals,
};
MP_REGISTER_MODULE(MP_QSTR_crypto, crypto_module);
