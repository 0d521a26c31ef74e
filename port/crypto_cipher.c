// Module crypto: AES-GCM, AES-CTR, ChaCha20, Poly1305. Texts are encrypted and decrypted in place.
//
// Source: NIST SP 800-38D (GCM), SP 800-38A (CTR), RFC 8439 (ChaCha20, Poly1305).

#include <string.h>

#include "py/runtime.h"
#include "mbedtls/aes.h"
#include "mbedtls/chacha20.h"
#include "mbedtls/gcm.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/poly1305.h"
#include "crypto.h"

#define TAG_LEN 16
#define CHACHA_KEY_LEN 32
#define CHACHA_BLOCK_LEN 64

static mp_buffer_info_t writable(mp_obj_t arg) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(arg, &info, MP_BUFFER_RW);
    return info;
}

static void check(int status) {
    if (status != 0) {
        crypto_fail(status);
    }
}

// The bits of an AES key. ValueError: no such key.
static unsigned key_bits(bytes_t key) {
    if (key.len != 16 && key.len != 24 && key.len != 32) {
        mp_raise_ValueError(MP_ERROR_TEXT("an AES key has 16, 24 or 32 bytes"));
    }
    return key.len * 8;
}

// ---- Gcm(key): seal(nonce, aad, text) -> tag, open(nonce, aad, text, tag); a nonce must never come twice -----------
typedef struct {
    mp_obj_base_t base;
    mbedtls_gcm_context gcm;
} gcm_t;

static mp_obj_t gcm_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    bytes_t key = crypto_bytes(args[0]);
    unsigned bits = key_bits(key);
    gcm_t *self = mp_obj_malloc_with_finaliser(gcm_t, type);
    mbedtls_gcm_init(&self->gcm);
    check(mbedtls_gcm_setkey(&self->gcm, MBEDTLS_CIPHER_ID_AES, key.p, bits));
    return MP_OBJ_FROM_PTR(self);
}

static mbedtls_gcm_context *gcm_of(mp_obj_t self) {
    return &((gcm_t *)MP_OBJ_TO_PTR(self))->gcm;
}

// text is encrypted in place
static mp_obj_t gcm_seal(size_t n_args, const mp_obj_t *args) {
    unsigned char tag[TAG_LEN];
    bytes_t nonce = crypto_bytes(args[1]), aad = crypto_bytes(args[2]);
    mp_buffer_info_t text = writable(args[3]);
    check(mbedtls_gcm_crypt_and_tag(gcm_of(args[0]), MBEDTLS_GCM_ENCRYPT, text.len, nonce.p, nonce.len, aad.p, aad.len,
        text.buf, text.buf, TAG_LEN, tag));
    return mp_obj_new_bytes(tag, TAG_LEN);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(gcm_seal_obj, 4, 4, gcm_seal);

// text is decrypted in place. ValueError: the tag does not fit, and text is zeroes.
static mp_obj_t gcm_open(size_t n_args, const mp_obj_t *args) {
    bytes_t nonce = crypto_bytes(args[1]), aad = crypto_bytes(args[2]), tag = crypto_sized(args[4], TAG_LEN);
    mp_buffer_info_t text = writable(args[3]);
    check(mbedtls_gcm_auth_decrypt(gcm_of(args[0]), text.len, nonce.p, nonce.len, aad.p, aad.len, tag.p, TAG_LEN,
        text.buf, text.buf));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(gcm_open_obj, 5, 5, gcm_open);

// wipe(): forget the key; every later call fails
static mp_obj_t gcm_wipe(mp_obj_t self) {
    mbedtls_gcm_free(gcm_of(self));
    mbedtls_gcm_init(gcm_of(self));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(gcm_wipe_obj, gcm_wipe);

static const mp_rom_map_elem_t gcm_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_seal), MP_ROM_PTR(&gcm_seal_obj) },
    { MP_ROM_QSTR(MP_QSTR_open), MP_ROM_PTR(&gcm_open_obj) },
    { MP_ROM_QSTR(MP_QSTR_wipe), MP_ROM_PTR(&gcm_wipe_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&gcm_wipe_obj) },
};
static MP_DEFINE_CONST_DICT(gcm_locals, gcm_locals_table);
MP_DEFINE_CONST_OBJ_TYPE(crypto_gcm_type, MP_QSTR_Gcm, MP_TYPE_FLAG_NONE, make_new, gcm_make_new, locals_dict, &gcm_locals);

// ---- Ctr(key, counter): crypt(text), a stream that goes on from call to call ---------------------------------------
typedef struct {
    mp_obj_base_t base;
    mbedtls_aes_context aes;
    size_t used;
    unsigned char counter[16], stream[16];
} ctr_t;

static mp_obj_t ctr_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    bytes_t key = crypto_bytes(args[0]), counter = crypto_sized(args[1], sizeof(((ctr_t *)0)->counter));
    unsigned bits = key_bits(key);
    ctr_t *self = mp_obj_malloc_with_finaliser(ctr_t, type);
    memcpy(self->counter, counter.p, counter.len);
    self->used = 0;
    mbedtls_aes_init(&self->aes);
    check(mbedtls_aes_setkey_enc(&self->aes, key.p, bits));
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t ctr_crypt(mp_obj_t self_in, mp_obj_t text_in) {
    ctr_t *self = MP_OBJ_TO_PTR(self_in);
    mp_buffer_info_t text = writable(text_in);
    if (self->used > sizeof(self->stream)) {
        mp_raise_ValueError(MP_ERROR_TEXT("the key was wiped"));
    }
    check(mbedtls_aes_crypt_ctr(&self->aes, text.len, &self->used, self->counter, self->stream, text.buf, text.buf));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(ctr_crypt_obj, ctr_crypt);

// wipe(): forget the key; every later call fails
static mp_obj_t ctr_wipe(mp_obj_t self_in) {
    ctr_t *self = MP_OBJ_TO_PTR(self_in);
    mbedtls_aes_free(&self->aes);
    mbedtls_platform_zeroize(self->stream, sizeof(self->stream));
    self->used = SIZE_MAX;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(ctr_wipe_obj, ctr_wipe);

static const mp_rom_map_elem_t ctr_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_crypt), MP_ROM_PTR(&ctr_crypt_obj) },
    { MP_ROM_QSTR(MP_QSTR_wipe), MP_ROM_PTR(&ctr_wipe_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&ctr_wipe_obj) },
};
static MP_DEFINE_CONST_DICT(ctr_locals, ctr_locals_table);
MP_DEFINE_CONST_OBJ_TYPE(crypto_ctr_type, MP_QSTR_Ctr, MP_TYPE_FLAG_NONE, make_new, ctr_make_new, locals_dict, &ctr_locals);

// ---- ChaCha20 and Poly1305 --------------------------------------------------------------------------------------------
// chacha20(key, nonce, counter, text): crypt text in place. A nonce of 12 bytes with a counter of blocks of 32 bits (RFC
// 8439), or of 8 bytes as in the original cipher, whose counter has 64 bits; of these the lower 32 can be given.
static mp_obj_t crypto_chacha20(size_t n_args, const mp_obj_t *args) {
    unsigned char nonce[12] = { 0 };
    bytes_t key = crypto_sized(args[0], CHACHA_KEY_LEN), given = crypto_bytes(args[1]);
    if (given.len != sizeof(nonce) && given.len != 8) {
        mp_raise_ValueError(MP_ERROR_TEXT("a nonce has 8 or 12 bytes"));
    }
    memcpy(nonce + sizeof(nonce) - given.len, given.p, given.len);
    uint64_t counter = mp_obj_get_int(args[2]);
    mp_buffer_info_t text = writable(args[3]);
    if (counter > UINT32_MAX || (text.len + CHACHA_BLOCK_LEN - 1) / CHACHA_BLOCK_LEN > (1ull << 32) - counter) {
        mp_raise_ValueError(MP_ERROR_TEXT("the counter would wrap"));
    }
    check(mbedtls_chacha20_crypt(key.p, nonce, counter, text.len, text.buf, text.buf));
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(crypto_chacha20_obj, 4, 4, crypto_chacha20);

// poly1305(key, *data) -> tag of the data, one behind the other; the key must never come twice
static mp_obj_t crypto_poly1305(size_t n_args, const mp_obj_t *args) {
    unsigned char tag[TAG_LEN];
    mbedtls_poly1305_context context;
    for (size_t i = 1; i < n_args; i++) {
        crypto_bytes(args[i]);              // raises here, not below
    }
    mbedtls_poly1305_init(&context);
    int status = mbedtls_poly1305_starts(&context, crypto_sized(args[0], CHACHA_KEY_LEN).p);
    for (size_t i = 1; i < n_args && status == 0; i++) {
        bytes_t b = crypto_bytes(args[i]);
        status = mbedtls_poly1305_update(&context, b.p, b.len);
    }
    if (status == 0) {
        status = mbedtls_poly1305_finish(&context, tag);
    }
    mbedtls_poly1305_free(&context);
    check(status);
    return mp_obj_new_bytes(tag, TAG_LEN);
}
MP_DEFINE_CONST_FUN_OBJ_VAR(crypto_poly1305_obj, 1, crypto_poly1305);
