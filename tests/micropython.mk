# Modules crypto and virtq for MicroPython's unix port, so that tests/host run the protocols and drivers above them as they are.
# Read by py.mk, with USER_C_MODULES set to the repository's root and KEELBACK_BUILD to the build folder.

CRYPTO_MBEDTLS := $(KEELBACK_BUILD)/src/mbedtls
CRYPTO_SODIUM := $(KEELBACK_BUILD)/src/libsodium/src/libsodium

SRC_USERMOD_C += $(addprefix $(USER_C_MODULES)/port/,modcrypto.c crypto_cipher.c crypto_ec.c crypto_rsa.c modvirtq.c virtq.c virtq_in.c virtq_out.c)
SRC_USERMOD_LIB_C += $(USER_C_MODULES)/port/sodium.c $(USER_C_MODULES)/port/ec_inverse.c $(USER_C_MODULES)/tests/entropy.c
SRC_USERMOD_LIB_C += $(addprefix mbedtls/,\
	aes.c aesni.c asn1parse.c asn1write.c bignum.c bignum_core.c bignum_mod.c bignum_mod_raw.c chacha20.c chachapoly.c cipher.c \
	cipher_wrap.c constant_time.c ecdh.c ecdsa.c ecp.c ecp_curves.c gcm.c hkdf.c hmac_drbg.c md.c md5.c oid.c platform.c \
	platform_util.c poly1305.c rsa.c rsa_alt_helpers.c sha1.c sha256.c sha512.c)
SRC_USERMOD_LIB_C += $(addprefix sodium/,\
	crypto_core/ed25519/ref10/ed25519_ref10.c crypto_sign/ed25519/ref10/open.c crypto_sign/ed25519/ref10/sign.c \
	crypto_hash/sha512/cp/hash_sha512_cp.c crypto_verify/sodium/verify.c \
	crypto_scalarmult/curve25519/ref10/x25519_ref10.c crypto_scalarmult/curve25519/scalarmult_curve25519.c)
CFLAGS_USERMOD += -I$(USER_C_MODULES) -I$(CRYPTO_MBEDTLS)/include -I$(CRYPTO_SODIUM)/include \
	-DMBEDTLS_CONFIG_FILE='"port/mbedtls_config.h"' -DMICROPY_TRACKED_ALLOC=1

$(BUILD)/mbedtls/%.o $(BUILD)/sodium/%.o: CFLAGS += -w
$(BUILD)/mbedtls/ecp.o $(BUILD)/mbedtls/ecdsa.o: CFLAGS += -Dmbedtls_mpi_gcd_modinv_odd=ec_inverse
CFLAGS_USERMOD += -I$(CRYPTO_MBEDTLS)
$(BUILD)/sodium/%.o: CFLAGS += -I$(CRYPTO_SODIUM)/include/sodium -I$(CRYPTO_SODIUM)/include/sodium/private \
	-DCONFIGURED=1 -DHAVE_TI_MODE -DNATIVE_LITTLE_ENDIAN -DSODIUM_STATIC
$(BUILD)/mbedtls/%.o: $(CRYPTO_MBEDTLS)/library/%.c
	$(call compile_c)
$(BUILD)/sodium/%.o: $(CRYPTO_SODIUM)/%.c
	$(call compile_c)
