# Modules crypto and virtq for MicroPython's unix port, so that tests/host run the protocols and drivers above them as they are.
# Read by py.mk, with USER_C_MODULES set to the repository's root and KEELBACK_BUILD to the build folder.

MBEDTLS_DIR := $(KEELBACK_BUILD)/src/mbedtls
SODIUM_DIR := $(KEELBACK_BUILD)/src/libsodium/src/libsodium
include $(USER_C_MODULES)/port/crypto.mk

SRC_USERMOD_C += $(addprefix $(USER_C_MODULES)/port/,$(CRYPTO_MODULE) modvirtq.c virtq.c virtq_in.c virtq_out.c)
SRC_USERMOD_LIB_C += $(addprefix $(USER_C_MODULES)/port/,$(CRYPTO_HELPERS)) $(USER_C_MODULES)/tests/entropy.c
SRC_USERMOD_LIB_C += $(addprefix mbedtls/,$(MBEDTLS_CRYPTO)) $(addprefix sodium/,$(SODIUM_CRYPTO))
CFLAGS_USERMOD += -I$(USER_C_MODULES) -I$(MBEDTLS_DIR)/include -I$(MBEDTLS_DIR) -I$(SODIUM_DIR)/include \
	-DMBEDTLS_CONFIG_FILE='"port/mbedtls_config.h"' -DMICROPY_TRACKED_ALLOC=1

$(BUILD)/mbedtls/%.o $(BUILD)/sodium/%.o: CFLAGS += -w
