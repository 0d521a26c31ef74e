# Keelback: what a user calls. What the executable is made of stands in port/port.mk.

# ---- settings (make NAME=value; those that QEMU takes, QEMU OVMF MACHINE ACCEL CPU MEM SMP NET NIC SERIAL, see tools/qemu.py,
# and POLICY, see tools/qemu_snp.py)
# Preferred load address, in hex without 0x; a loader that has it in use relocates.
IMAGE_BASE ?= 200000
# A folder whose files go onto the boot volume (boot.py, main.py, keelback.cfg, data).
FILES ?=
# Load options; given, make qemu starts the executable directly (-kernel) instead of from its boot volume.
APPEND ?=
# 1: a build for confidential machines, whose console and boot volume are the host's (docs/sev.md).
HARDENED ?=
# Arguments for pytest, such as -k 'shell and not slow'.
TESTS ?=
# Where everything that is made goes.
BUILD ?= build
PYTHON ?= python3
# Source trees of one's own in place of the fetched ones: MICROPYTHON_DIR, LWIP_DIR, MBEDTLS_DIR, LIBSODIUM_DIR.

SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
# V=1 shows every command.
BUILD_VERBOSE ?= 0
export BUILD SOURCE_DATE_EPOCH BUILD_VERBOSE HARDENED
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := efi

EFI  := $(BUILD)/keelback.efi
ELF  := $(BUILD)/keelback.elf
ESP  := $(BUILD)/esp
VENV := $(BUILD)/venv
UNIX := $(BUILD)/unix/micropython
HAVE := $(BUILD)/have
PIP_INSTALL = -qq --disable-pip-version-check install --no-deps --require-hashes --only-binary :all:
PYTEST = $(VENV)/bin/python -m pytest -n 2 $(TESTS)

# ---- build
.PHONY: efi
efi: $(EFI) ## build build/keelback.efi, and its symbols build/keelback.elf

$(EFI): $(ELF) $(BUILD)/image-base tools/elf2efi.py
	@echo "EFI $@"
	@$(PYTHON) tools/elf2efi.py --image-base $(IMAGE_BASE) $< $@

# port.mk knows all of its own prerequisites; it is asked each time, and changes nothing when nothing
# has changed. The lock keeps a second make from writing the same objects.
$(ELF): FORCE | $(HAVE)/build $(HAVE)/sources
	@+flock $(BUILD)/lock $(MAKE) -f port/port.mk BUILD=$(BUILD) $@

# A file for each setting that something made depends on, touched only when the setting has changed.
$(BUILD)/image-base: FORCE | $(BUILD)
	@echo '$(IMAGE_BASE)' | cmp -s - $@ || echo '$(IMAGE_BASE)' >$@
$(BUILD)/source-dirs: FORCE | $(BUILD)
	@echo '$(MICROPYTHON_DIR):$(LWIP_DIR):$(MBEDTLS_DIR):$(LIBSODIUM_DIR)' | cmp -s - $@ || \
		echo '$(MICROPYTHON_DIR):$(LWIP_DIR):$(MBEDTLS_DIR):$(LIBSODIUM_DIR)' >$@

include sev/emulator/emulator.mk

.PHONY: size
size: $(EFI) ## print the size of the executable and of its sections
	@size -A $(ELF) | grep -E '^(section|\.text|\.rodata|\.data|\.bss)'
	@stat -c '%n: %s bytes' $(EFI)

# ---- run
.PHONY: qemu
qemu: $(ESP) $(HAVE)/run ## boot in QEMU on this terminal; Ctrl-] then x ends it
	@$(PYTHON) tools/qemu.py --volume $(ESP) $(if $(APPEND),--kernel $(EFI) --append '$(APPEND)')

.PHONY: qemu-uefi
qemu-uefi: $(EFI) $(HAVE)/run ## boot from a disk image with boot services kept, for net-uefi; NIC=e1000 and the like
	@mkdir -p $(BUILD)/uefi
	@{ cat /dev/null $(wildcard $(FILES:%=%/keelback.cfg)); echo; echo boot_services=keep; } >$(BUILD)/uefi/keelback.cfg
	@$(PYTHON) tools/image.py $(BUILD)/uefi.img $(EFI) $(FILES) $(BUILD)/uefi
	@$(PYTHON) tools/qemu.py --volume $(BUILD)/uefi.img

# Whether the host can is known before anything is built.
.PHONY: qemu-snp qemu-snp-disk measure
qemu-snp: ## boot as an SEV-SNP guest; the measurement covers the executable and its load options (APPEND)
	@$(PYTHON) tools/qemu_snp.py --check
	@+$(MAKE) $(EFI) $(HAVE)/snp
	@$(PYTHON) tools/qemu_snp.py --kernel $(EFI) --append '$(APPEND)'

qemu-snp-disk: ## boot as an SEV-SNP guest from a disk image, of which only the firmware is measured
	@$(PYTHON) tools/qemu_snp.py --check
	@+$(MAKE) $(EFI) $(HAVE)/snp
	@$(PYTHON) tools/image.py $(BUILD)/snp.img $(EFI) $(FILES)
	@$(PYTHON) tools/qemu_snp.py --volume $(BUILD)/snp.img

measure: $(EFI) $(HAVE)/snp $(HAVE)/measure ## print the launch measurements to expect of both, for 1 to 8 vCPUs
	@$(BUILD)/measure/bin/python tools/launchdigest.py --kernel $(EFI) --append '$(APPEND)'

# EMULATOR: lines of snpemu.cfg, such as EMULATOR='notes=yes fault=busy:2'; LOG: a file for its log. docs/emulator.md has both.
.PHONY: qemu-snp-emu
qemu-snp-emu: $(EFI) $(BUILD)/snpemu.efi $(HAVE)/run ## boot as an SEV-SNP guest of our emulator, anywhere
	@$(PYTHON) tools/qemu_snpemu.py $(EMULATOR:%=--setting '%') $(EFI) $(FILES)

.PHONY: qemu-gdb
qemu-gdb: $(ESP) $(HAVE)/run ## the same, waiting for GDB: gdb -x tools/debug.py
	@$(PYTHON) tools/qemu.py --gdb --volume $(ESP) $(if $(APPEND),--kernel $(EFI) --append '$(APPEND)')

.PHONY: $(ESP)
$(ESP): $(EFI)
	@$(PYTHON) tools/image.py $@ $(EFI) $(FILES)

# ---- test
.PHONY: test test-host test-guest test-upstream fuzz bench lint soak
test: $(EFI) $(BUILD)/snpemu.efi $(UNIX) $(HAVE)/test ## run all tests: on the host, in a booted machine, and on fresh boots
	@$(PYTEST) tests

test-host: $(UNIX) $(HAVE)/test ## run the tests that need no machine
	@$(PYTEST) tests/host tests/net tests/port tests/fuzz tests/tools tests/ssh tests/sev tests/lint

test-guest: $(EFI) $(BUILD)/snpemu.efi $(HAVE)/test ## run the tests that boot the image
	@$(PYTEST) tests/guest tests/boot tests/emulator

test-upstream: $(EFI) $(UNIX) $(HAVE)/test ## run MicroPython's own test suite in a booted machine
	@$(VENV)/bin/python tests/upstream/run.py

fuzz: $(UNIX) $(HAVE)/test ## send hostile input at drivers, network stack, resolver, HTTP and attestation for SECONDS (60)
	@$(VENV)/bin/python tests/fuzz/run.py --seconds $(or $(SECONDS),60)

bench: $(EFI) $(BUILD)/snpemu.efi $(HAVE)/test ## measure, beside MicroPython in a Linux guest, and print a table
	@$(VENV)/bin/python tools/measure.py --json $(BUILD)/bench.json

# Not part of make test: how long (MINUTES=), and from which seed (SEED=). Needs root.
soak: $(EFI) $(HAVE)/test ## load a machine for ten minutes over a wire with faults; is anything left over?
	@$(VENV)/bin/python tests/soak.py --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1)

lint: $(HAVE)/test ## check layers, sizes and documentation
	@$(PYTEST) tests/lint

# MicroPython's unix port, which runs tests/host: the same interpreter, compared with what it is to run on.
MPY_CROSS = $(abspath $(BUILD))/obj/mpy-cross/mpy-cross
UNIX_SETTINGS = BUILD=$(abspath $(BUILD))/unix MPY_LIB_DIR=$(abspath $(BUILD))/src/micropython \
	FROZEN_MANIFEST=$(abspath $(BUILD))/src/micropython/extmod/asyncio/manifest.py \
	MICROPY_MPYCROSS=$(MPY_CROSS) MICROPY_MPYCROSS_DEPENDENCY=$(MPY_CROSS) \
	MICROPY_PY_BTREE=0 MICROPY_PY_FFI=0 MICROPY_PY_SSL=0 USER_C_MODULES=$(CURDIR) KEELBACK_BUILD=$(abspath $(BUILD))
$(UNIX): $(HAVE)/sources tests/micropython.mk port/crypto.mk tests/entropy.c $(wildcard port/*crypto*.[ch] port/*virtq*.[ch]) port/sodium.c port/ec_inverse.c port/mbedtls_config.h
	@echo "UNIX PORT $@"
	@mkdir -p $(dir $(MPY_CROSS))
	@+$(MAKE) -f port/port.mk BUILD=$(BUILD) $(MPY_CROSS)
	@+$(MAKE) -C $(BUILD)/src/micropython/ports/unix $(UNIX_SETTINGS) >$(BUILD)/unix.log 2>&1 || \
		{ tail -20 $(BUILD)/unix.log; false; }
	@touch $@

# ---- what is needed: distribution packages, sources, firmware, Python packages
.PHONY: fetch
fetch: $(HAVE)/sources $(HAVE)/run $(HAVE)/test ## get all that comes from the network

$(HAVE)/build: tools/packages.sh | $(HAVE)
	@tools/packages.sh build
	@touch $@

$(HAVE)/sources: tools/fetch.py $(BUILD)/source-dirs | $(HAVE)/build
	@$(PYTHON) tools/fetch.py --build $(BUILD)
	@touch $@

$(HAVE)/run: tools/packages.sh tools/fetch.py | $(HAVE)
	@tools/packages.sh run
	@$(PYTHON) tools/fetch.py --build $(BUILD) ovmf2025
	@touch $@

$(HAVE)/snp: tools/fetch.py | $(HAVE)/run
	@$(PYTHON) tools/fetch.py --build $(BUILD) amdsev ovmf2025
	@touch $@

$(HAVE)/measure: tools/measure.txt tools/packages.sh | $(HAVE)
	@tools/packages.sh measure
	@$(PYTHON) -m venv --clear $(BUILD)/measure
	@$(BUILD)/measure/bin/pip $(PIP_INSTALL) -r $<
	@touch $@

$(HAVE)/test: tests/requirements.txt tests/packages.txt tools/measure.txt tools/packages.sh tools/fetch.py | $(HAVE)/run $(HAVE)/sources
	@tools/packages.sh build test
	@$(PYTHON) tools/fetch.py --build $(BUILD) ovmf2025 ovmf2022 amdsev qemu10 linux612 pprof speedscope
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/pip $(PIP_INSTALL) -r $< -r tools/measure.txt
	@rm -rf $(BUILD)/packages
	@$(VENV)/bin/pip $(PIP_INSTALL) --target $(BUILD)/packages -r tests/packages.txt
	@touch $@

$(BUILD) $(HAVE):
	@mkdir -p $@

# ---- the rest
.PHONY: clean help FORCE
clean: ## remove everything that was made (fetched sources stay in the cache)
	rm -rf $(BUILD)

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | expand -t 16
FORCE:
