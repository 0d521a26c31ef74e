# The secure processor of the emulator, and the identity that it signs with. Included by the emulator's makefile, which links
# PSP_OBJ and sets EMU_CFLAGS; or by itself, from the repository's root, for what runs on this machine:
#
#   make -f sev/emulator/psp.mk BUILD=build psp-host       build/snpemu/host/libpsp.so, for tests/sev/emulator
#   make -f sev/emulator/psp.mk BUILD=build psp-fuzz       build/snpemu/fuzz/psp, with sanitizers, for tests/fuzz
#   make -f sev/emulator/psp.mk BUILD=build psp-guided     build/snpemu/guided/psp and psp_request, the same for libFuzzer

BUILD ?= build
MBEDTLS_DIR ?= $(BUILD)/src/mbedtls
PYTHON ?= python3
PSP_OUT := $(BUILD)/snpemu
PSP_CC ?= gcc

PSP_C := psp psp_certs psp_crypto psp_fault psp_key psp_measure psp_message psp_report psp_select psp_text
PSP_MBEDTLS := aes asn1parse asn1write bignum bignum_core bignum_mod bignum_mod_raw block_cipher constant_time ecdsa ecp ecp_curves gcm hmac_drbg \
	md memory_buffer_alloc platform platform_util sha512

# psp_objects FOLDER: the objects of one way to compile.
psp_objects = $(PSP_C:%=$(PSP_OUT)/$(1)/%.o) $(PSP_MBEDTLS:%=$(PSP_OUT)/$(1)/mbedtls/%.o) $(PSP_OUT)/$(1)/identity.o
PSP_OBJ := $(call psp_objects,psp)

# AES and the curve are the most of the work, and no code here needs SSE.
PSP_CFLAGS = -std=gnu11 -O2 -g -Wall -Wextra -I. -I$(MBEDTLS_DIR)/include -DMBEDTLS_CONFIG_FILE='"sev/emulator/psp_mbedtls_config.h"' \
	-ffile-prefix-map=$(abspath .)=. -ffile-prefix-map=$(abspath $(MBEDTLS_DIR))=mbedtls -MMD -MP

# psp_rules FOLDER, FLAGS
define psp_rules
$(PSP_OUT)/$(1)/%.o: sev/emulator/%.c sev/emulator/psp.mk
	@echo "CC $$@"
	@mkdir -p $$(dir $$@)
	@$$(PSP_CC) $$(PSP_CFLAGS) $(2) -c -o $$@ $$<
$(PSP_OUT)/$(1)/mbedtls/%.o: $(MBEDTLS_DIR)/library/%.c sev/emulator/psp.mk sev/emulator/psp_mbedtls_config.h
	@echo "CC $$@"
	@mkdir -p $$(dir $$@)
	@$$(PSP_CC) $$(PSP_CFLAGS) -w $(2) -c -o $$@ $$<
$(PSP_OUT)/$(1)/identity.o: $(PSP_OUT)/identity/identity.c sev/emulator/psp_identity.h sev/emulator/psp.mk
	@echo "CC $$@"
	@mkdir -p $$(dir $$@)
	@$$(PSP_CC) $$(PSP_CFLAGS) $(2) -c -o $$@ $$<
-include $$(wildcard $(PSP_OUT)/$(1)/*.d $(PSP_OUT)/$(1)/mbedtls/*.d)
endef

PSP_SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
$(eval $(call psp_rules,psp,$$(EMU_CFLAGS)))
$(eval $(call psp_rules,host,-fPIC -fvisibility=default))
$(eval $(call psp_rules,fuzz,-O1 $(PSP_SANITIZERS)))
$(eval $(call psp_rules,guided,-O1 -fsanitize=fuzzer-no-link $(PSP_SANITIZERS)))
$(PSP_OUT)/guided/%: PSP_CC = clang

# ---- the identity -----------------------------------------------------------------------------------------------------
# Keys are made once in a build folder; the certificates again when the tool has changed.
$(PSP_OUT)/identity/identity.c: tools/snpidentity.py tools/dermake.py
	@echo "IDENTITY $@"
	@mkdir -p $(dir $@)
	@$(PYTHON) tools/snpidentity.py $(dir $@)

# ---- on this machine ------------------------------------------------------------------------------------------------------
.PHONY: psp-host psp-fuzz psp-guided
psp-host: $(PSP_OUT)/host/libpsp.so
psp-fuzz: $(PSP_OUT)/fuzz/psp
psp-guided: $(PSP_OUT)/guided/psp $(PSP_OUT)/guided/psp_request

$(PSP_OUT)/host/libpsp.so: $(call psp_objects,host)
	@echo "LINK $@"
	@$(PSP_CC) -shared -o $@ $^

$(PSP_OUT)/fuzz/psp: tests/fuzz/psp.c tests/fuzz/choices.c tests/fuzz/choices.h $(call psp_objects,fuzz)
	@echo "LINK $@"
	@$(PSP_CC) $(PSP_CFLAGS) -O1 $(PSP_SANITIZERS) -o $@ $(filter-out %.h,$^)

$(PSP_OUT)/guided/psp: tests/fuzz/psp.c tests/fuzz/choices.c tests/fuzz/choices.h $(call psp_objects,guided)
$(PSP_OUT)/guided/psp_request: tests/fuzz/flat/psp_request.c tests/fuzz/flat/flat.h $(call psp_objects,guided)
$(PSP_OUT)/guided/psp $(PSP_OUT)/guided/psp_request:
	@echo "LINK $@"
	@$(PSP_CC) $(PSP_CFLAGS) -O1 -DGUIDED -fsanitize=fuzzer $(PSP_SANITIZERS) -o $@ $(filter-out %.h,$^)
