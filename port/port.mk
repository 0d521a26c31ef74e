# What the executable is made of and how it is compiled and linked.
#
#   make -f port/port.mk BUILD=build build/keelback.elf        from the repository's root
#
# MicroPython's own makefiles make the generated headers, the frozen code and most objects; they want
# to be the top of their make, which is why this is a make of its own. Objects go to $(BUILD)/obj.
# Settings: MICROPYTHON_DIR LWIP_DIR MBEDTLS_DIR (sources), APP (a folder of Python to freeze in).

OUT := $(BUILD)
override BUILD := $(OUT)/obj
MICROPYTHON_DIR ?= $(OUT)/src/micropython
LWIP_DIR ?= $(OUT)/src/lwip
MBEDTLS_DIR ?= $(OUT)/src/mbedtls
PYTHON ?= python3

# Reproducible: no clock, no git of the sources, no paths of this machine.
export MICROPY_GIT_TAG := v1.25.0
export MICROPY_GIT_HASH :=
export SOURCE_DATE_EPOCH ?= 0
export LC_ALL := C

# ---- what MicroPython's makefiles want to know before they are read --------------------------------
MICROPY_MPYCROSS := $(abspath $(BUILD))/mpy-cross/mpy-cross
export MICROPY_MPYCROSS
MPY_CROSS_FLAGS := -march=x64
MPY_TOOL_FLAGS := -mmpz-dig-size=32
FROZEN_MANIFEST := port/manifest.py
export APP
MICROPY_MANIFEST_GENERATED := $(BUILD)/generated
QSTR_DEFS := port/qstrdefsport.h
QSTR_GLOBAL_DEPENDENCIES := port/mpconfigport.h
MICROPY_VFS_FAT := 1
MICROPY_VFS_LFS1 := 1
MICROPY_VFS_LFS2 := 1

include $(MICROPYTHON_DIR)/py/mkenv.mk
include $(TOP)/py/py.mk
include $(TOP)/extmod/extmod.mk
MPY_LIB_DIR := $(TOP)
vpath mpconfigport.h port

# ---- flags -------------------------------------------------------------------------------------------
INC += -I. -Iport/libc/include -Iport -I$(TOP) -I$(BUILD)
COPT_SMALL := -Os
COPT_FAST := -O2 -fno-reorder-blocks-and-partition

CFLAGS_COMMON := -std=gnu11 -g -fpie -fvisibility=hidden -fno-stack-protector -fcf-protection=none -mno-red-zone \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fno-math-errno -fno-common -DNDEBUG \
	-U_FORTIFY_SOURCE -U__linux__ -U__linux -U__unix__ -U__unix -ffile-prefix-map=$(abspath .)=. -ffile-prefix-map=$(abspath $(MICROPYTHON_DIR))=micropython \
	-ffile-prefix-map=$(MICROPYTHON_DIR)=micropython
CWARN := -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare
CFLAGS += $(CFLAGS_COMMON) $(CWARN) $(INC) $(COPT_SMALL) $(CFLAGS_EXTRA)

# ---- sources -----------------------------------------------------------------------------------------
# boot/: from the firmware's entry to keelback_main()
SRC_BOOT := $(addprefix boot/,\
	entry.c exit.c collect.c volume.c options.c acpi.c memmap.c paging.c exec.c desc.c idt.c apic.c time.c \
	serial.c console.c firmware.c entropy.c chart.c power.c panic.c symbols.c vectors.S guard.S)

# port/: the interpreter's life and its way to the machine
SRC_PORT := $(addprefix port/,\
	main.c mphalport.c interrupt.c sysstdio.c heap.c exec.c frames.c kmem.c \
	ramfs.c ramfs_data.c vfs_ram.c vfs_ram_file.c fattime.c \
	modcpu.c modmem.c moddma.c modefi.c modclock.c modrepl.c machine_rtc.c)
SRC_LIBC := $(addprefix port/libc/,string.c math.c)

SRC_SHARED := $(addprefix shared/,\
	readline/readline.c runtime/gchelper_generic.c runtime/pyexec.c timeutils/timeutils.c)

SRC_QSTR += $(SRC_PORT) $(SRC_SHARED)
SRC_C := $(SRC_PORT) $(SRC_LIBC) $(SRC_SHARED) $(filter-out %/exp.c %/sqrt.c,$(SRC_LIB_LIBM_DBL_C))
OBJ := $(PY_O) $(addprefix $(BUILD)/,$(SRC_C:.c=.o)) \
	$(patsubst %,$(BUILD)/%.o,$(basename $(SRC_BOOT)))

# ---- flags for single files --------------------------------------------------------------------------
# The interpreter's hot half is built for speed, the compiler and the rest for size (py.mk adds -O3
# for vm.c and gc.c).
FAST := $(addprefix py/,\
	argcheck bc binary map malloc mpz nlr obj objarray objattrtuple objbool objboundmeth objcell objclosure objdeque \
	objdict objenumerate objexcept objfloat objfun objgenerator objgetitemiter objint objint_mpz objlist objmap objmodule \
	objobject objpolyiter objrange objreversed objset objslice objstr objstringio objstrunicode objtuple objtype objzip \
	formatfloat modstruct modmath nativeglue parsenum qstr runtime runtime_utils sequence smallint stackctrl stream \
	unicode vstr modarray modbuiltins scheduler cstack gc vm mpprint) \
	port/heap port/frames port/mphalport port/libc/string port/libc/math shared/runtime/gchelper_generic \
	extmod/modasyncio extmod/modheapq extmod/modjson extmod/modre extmod/modhashlib extmod/modselect
$(FAST:%=$(BUILD)/%.o): CFLAGS += $(COPT_FAST)
$(SRC_LIB_LIBM_DBL_C:%.c=$(BUILD)/%.o): CFLAGS += $(COPT_FAST) -Wno-all -Wno-extra

# Reached by interrupts, which do not save SSE registers.
$(patsubst %,$(BUILD)/%.o,boot/idt boot/apic boot/serial boot/time port/interrupt py/scheduler): CFLAGS += -mgeneral-regs-only

$(BUILD)/boot/%.o: CFLAGS += -O2 -DGNU_EFI_USE_MS_ABI -fshort-wchar -I/usr/include/efi -I/usr/include/efi/x86_64 -Iboot
# A memcpy must not become a call of memcpy.
$(BUILD)/port/libc/%.o: CFLAGS += -fno-builtin -fno-tree-loop-distribute-patterns
$(BUILD)/boot/%.o: CFLAGS += -fno-tree-loop-distribute-patterns
$(BUILD)/lib/% $(BUILD)/extmod/% $(BUILD)/py/% $(BUILD)/shared/%: CWARN :=

# ---- what is generated -----------------------------------------------------------------------------------
# mpy-cross, from the same sources, outside of their tree
$(MICROPY_MPYCROSS): $(wildcard $(TOP)/py/*.[ch] $(TOP)/mpy-cross/*.[ch])
	$(ECHO) "MPY-CROSS"
	$(Q)+$(MAKE) -C $(TOP)/mpy-cross BUILD=$(dir $@) PROG=mpy-cross CFLAGS_EXTRA= >$(BUILD)/mpy-cross.log 2>&1 || \
		(tail -20 $(BUILD)/mpy-cross.log; false)
	$(Q)touch $@

# The frozen module _build: what the executable was made from.
$(BUILD)/frozen_content.c: $(BUILD)/generated/_build.py | $(MICROPY_MPYCROSS)
$(BUILD)/generated/_build.py: FORCE
	$(Q)$(PYTHON) port/buildinfo.py $@ --cc "$(CC)" --micropython $(MICROPY_GIT_TAG) --lwip $(LWIP_DIR) --mbedtls $(MBEDTLS_DIR)

# ---- link ----------------------------------------------------------------------------------------------
LDFLAGS_ELF := -static-pie -nostdlib -Wl,-T,boot/keelback.lds -Wl,--gc-sections -Wl,--build-id=none \
	-Wl,-z,noexecstack -Wl,-z,norelro -Wl,--no-warn-rwx-segments
LIBS := $(shell $(CC) -print-libgcc-file-name)

all: $(OUT)/keelback.elf

# Twice: the first link knows where the functions are, the second holds the table of their names.
$(OUT)/keelback.elf: $(OBJ) boot/keelback.lds tools/symbols.py
	$(ECHO) "LINK $@"
	$(Q)$(PYTHON) tools/symbols.py $(BUILD)/symtab0.S
	$(Q)$(CC) $(LDFLAGS_ELF) -o $(BUILD)/stage1.elf $(OBJ) $(BUILD)/symtab0.S $(LIBS)
	$(Q)$(PYTHON) tools/symbols.py $(BUILD)/symtab.S $(BUILD)/stage1.elf
	$(Q)$(CC) $(LDFLAGS_ELF) -Wl,-Map=$(OUT)/keelback.map -o $@ $(OBJ) $(BUILD)/symtab.S $(LIBS)

include $(TOP)/py/mkrules.mk
