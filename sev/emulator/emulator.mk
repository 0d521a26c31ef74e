# The SEV-SNP emulator, build/snpemu.efi. Included by the Makefile.
# Host mode saves no SSE registers of the guest.
EMU_CFLAGS := -std=gnu11 -g -O2 -fpie -fvisibility=hidden -ffreestanding -fno-stack-protector -fcf-protection=none -mno-red-zone -mgeneral-regs-only \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fno-common -fno-tree-loop-distribute-patterns -U_FORTIFY_SOURCE \
	-Wall -Wextra -Wno-unused-parameter -ffile-prefix-map=$(abspath .)=.
include sev/emulator/psp.mk

EMU_DIR := $(BUILD)/snpemu/emu
# Sources that are not there yet: make must know that they will be. Explicit, for what an implicit rule makes is removed again.
$(PSP_MBEDTLS:%=$(MBEDTLS_DIR)/library/%.c): | $(HAVE)/sources
$(PSP_OBJ): | $(HAVE)/sources
EMU_C := machine exits silent insn cpuid reflect walk rmp npt msrproto ghcb events psc request launch ap fault tally log options
EMU_UEFI := entry volume relocate acpi unaccepted
EMU_OBJ := $(patsubst %,$(EMU_DIR)/%.o,host $(EMU_C) $(EMU_UEFI) memory)
EMU_LDFLAGS := -static-pie -nostdlib -Wl,-T,sev/emulator/snpemu.lds -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,norelro \
	-Wl,--no-warn-rwx-segments

.PHONY: snpemu
snpemu: $(BUILD)/snpemu.efi ## build build/snpemu.efi, the SEV-SNP emulator

$(EMU_OBJ): sev/emulator/emulator.mk $(wildcard sev/emulator/*.h) | $(HAVE)/build
$(EMU_DIR)/%.o: sev/emulator/%.c
	@echo "CC $<"
	@mkdir -p $(dir $@)
	@$(CC) $(EMU_CFLAGS) -Isev/emulator -c -o $@ $<
$(EMU_DIR)/%.o: sev/emulator/%.S
	@mkdir -p $(dir $@)
	@$(CC) $(EMU_CFLAGS) -c -o $@ $<
$(EMU_DIR)/memory.o: EMU_CFLAGS += -fno-builtin
$(EMU_UEFI:%=$(EMU_DIR)/%.o): EMU_CFLAGS += -DGNU_EFI_USE_MS_ABI -fshort-wchar -I/usr/include/efi -I/usr/include/efi/x86_64

$(BUILD)/snpemu.elf: $(EMU_OBJ) $(PSP_OBJ) sev/emulator/snpemu.lds
	@echo "LINK $@"
	@$(CC) $(EMU_CFLAGS) $(EMU_LDFLAGS) -o $@ $(EMU_OBJ) $(PSP_OBJ)

$(BUILD)/snpemu.efi: $(BUILD)/snpemu.elf tools/elf2efi.py
	@echo "EFI $@"
	@$(PYTHON) tools/elf2efi.py --image-base 0 $< $@
