// What the files of module crypto share: modcrypto.c (hashes, the module), crypto_cipher.c, crypto_ec.c, crypto_rsa.c.
#ifndef KEELBACK_PORT_CRYPTO_H
#define KEELBACK_PORT_CRYPTO_H

#include "py/obj.h"
#include "mbedtls/md.h"

typedef struct { const unsigned char *p; size_t len; } bytes_t;

bytes_t crypto_bytes(mp_obj_t arg);                 // the bytes of an object with a buffer; TypeError
bytes_t crypto_sized(mp_obj_t arg, size_t len);     // the same; ValueError unless of that length
mbedtls_md_type_t crypto_hash(mp_obj_t bits);       // 256, 384, 512 -> SHA-2 of that size; ValueError
NORETURN void crypto_fail(int status);           // raise for an error of mbedTLS: MemoryError, OSError(ENODEV), ValueError
int crypto_random(void *context, unsigned char *out, size_t len);   // mbedTLS' f_rng

extern const mp_obj_type_t crypto_gcm_type, crypto_ctr_type;
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(crypto_chacha20_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR(crypto_poly1305_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(crypto_x25519_obj);
MP_DECLARE_CONST_FUN_OBJ_3(crypto_ed25519_verify_obj);
MP_DECLARE_CONST_FUN_OBJ_1(crypto_ec_keypair_obj);
MP_DECLARE_CONST_FUN_OBJ_2(crypto_ec_public_obj);
MP_DECLARE_CONST_FUN_OBJ_3(crypto_ecdh_obj);
MP_DECLARE_CONST_FUN_OBJ_3(crypto_ecdsa_sign_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(crypto_ecdsa_verify_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(crypto_rsa_verify_obj);

#endif
