# What module crypto is made of, here (port.mk) and in MicroPython's unix port, which runs the tests (tests/micropython.mk).
# Wants BUILD, MBEDTLS_DIR and SODIUM_DIR (src/libsodium of libsodium's tree).

CRYPTO_MODULE := modcrypto.c crypto_cipher.c crypto_ec.c crypto_rsa.c
CRYPTO_HELPERS := sodium.c ec_inverse.c
MBEDTLS_CRYPTO := aes.c aesni.c asn1parse.c asn1write.c bignum.c bignum_core.c bignum_mod.c bignum_mod_raw.c chacha20.c chachapoly.c \
	cipher.c cipher_wrap.c constant_time.c ecdh.c ecdsa.c ecp.c ecp_curves.c gcm.c hkdf.c hmac_drbg.c md.c md5.c oid.c platform.c \
	platform_util.c poly1305.c rsa.c rsa_alt_helpers.c sha1.c sha256.c sha512.c
# Curve25519 only; sodium.c is what it asks for.
SODIUM_CRYPTO := crypto_core/ed25519/ref10/ed25519_ref10.c crypto_sign/ed25519/ref10/open.c crypto_sign/ed25519/ref10/sign.c \
	crypto_hash/sha512/cp/hash_sha512_cp.c crypto_verify/sodium/verify.c \
	crypto_scalarmult/curve25519/ref10/x25519_ref10.c crypto_scalarmult/curve25519/scalarmult_curve25519.c

# ec_inverse.c stands in front of bignum.c.
$(BUILD)/mbedtls/ecp.o $(BUILD)/mbedtls/ecdsa.o: CFLAGS += -Dmbedtls_mpi_gcd_modinv_odd=ec_inverse
# Its headers define static functions of which each file uses some.
$(BUILD)/sodium/%.o: CFLAGS += -I$(SODIUM_DIR)/include/sodium -I$(SODIUM_DIR)/include/sodium/private \
	-DCONFIGURED=1 -DHAVE_TI_MODE -DNATIVE_LITTLE_ENDIAN -DSODIUM_STATIC -Wno-unused-function

$(BUILD)/mbedtls/%.o: $(MBEDTLS_DIR)/library/%.c
	$(call compile_c)
$(BUILD)/sodium/%.o: $(SODIUM_DIR)/%.c
	$(call compile_c)
