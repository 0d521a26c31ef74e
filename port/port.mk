# What the executable is made of and how it is compiled and linked.
#
#   make -f port/port.mk BUILD=build build/keelback.elf        from the repository's root
#
# MicroPython's own makefiles make the generated headers, the frozen code and most objects; they want
# to be the top of their make, which is why this is a make of its own. Objects go to $(BUILD)/obj.
# Settings: MICROPYTHON_DIR LWIP_DIR MBEDTLS_DIR LIBSODIUM_DIR (sources), APP (a folder of Python to freeze in),
# HARDENED=1 (docs/sev.md).

OUT := $(BUILD)
override BUILD := $(OUT)/obj
MICROPYTHON_DIR ?= $(OUT)/src/micropython
LWIP_DIR ?= $(OUT)/src/lwip
MBEDTLS_DIR ?= $(OUT)/src/mbedtls
LIBSODIUM_DIR ?= $(OUT)/src/libsodium
PYTHON ?= python3

# Reproducible: no clock, no git of the sources, no paths of this machine.
export MICROPY_GIT_TAG := v1.25.0
export MICROPY_GIT_HASH :=
export SOURCE_DATE_EPOCH ?= 0
export LC_ALL := C
# MicroPython's makeversionhdr.py calls what Python deprecates from 3.12 on.
export PYTHONWARNINGS ?= ignore:datetime.datetime.utcfromtimestamp

# ---- what MicroPython's makefiles want to know before they are read --------------------------------
MICROPY_MPYCROSS := $(abspath $(BUILD))/mpy-cross/mpy-cross
export MICROPY_MPYCROSS
MPY_CROSS_FLAGS := -march=x64 -msmall-int-bits=63
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
INC += -I. -Iport/libc/include -Iport -I$(TOP) -I$(BUILD) -I$(MBEDTLS_DIR)/include -I$(LIBSODIUM_DIR)/src/libsodium/include -I$(LWIP_DIR)/src/include
CFLAGS += -DMBEDTLS_CONFIG_FILE='"port/mbedtls_config.h"'
COPT_SMALL := -Os
COPT_FAST := -O2 -fno-reorder-blocks-and-partition

CFLAGS_COMMON := -std=gnu11 -g -fpie -fvisibility=hidden -fno-stack-protector -fcf-protection=none -mno-red-zone \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fno-math-errno -fno-common -DNDEBUG \
	-U_FORTIFY_SOURCE -U__linux__ -U__linux -U__unix__ -U__unix -ffile-prefix-map=$(abspath .)=. -ffile-prefix-map=$(abspath $(MICROPYTHON_DIR))=micropython \
	-ffile-prefix-map=$(MICROPYTHON_DIR)=micropython
CWARN := -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare
# The interpreter is optimised as one program: the largest single gain in docs/bench.md. Not so what is entered from
# assembly or by an interrupt, what must keep its name, and what must stay in its place (keelback.lds).
LTO = -flto -frandom-seed=k$(notdir $@)
CFLAGS += $(CFLAGS_COMMON) $(CWARN) $(INC) $(COPT_SMALL) $(LTO) $(CFLAGS_EXTRA)

# ---- sources -----------------------------------------------------------------------------------------
# boot/: from the firmware's entry to keelback_main()
SRC_BOOT := $(addprefix boot/,\
	entry.c exit.c collect.c volume.c options.c acpi.c memmap.c paging.c walk.c exec.c desc.c idt.c apic.c alarm.c time.c \
	serial.c console.c firmware.c entropy.c chart.c power.c panic.c symbols.c vectors.S guard.S \
	sev.c cpuid_page.c ghcb.c ghcb_page.c psc.c shared.c io.c vc.c vc_insn.c vc_port.c vc_mmio.c ap.c)

# port/: the interpreter's life and its way to the machine
SRC_PORT := $(addprefix port/,\
	main.c mphalport.c interrupt.c sysstdio.c gc_heap.c gc_alloc.c gc_collect.c gc_info.c fastpath.c patience.c map_room.c frozen_names.c exec.c frames.c frame_place.c chains.c sample.c heap_types.c gc_sites.c kmem.c \
	ramfs.c ramfs_node.c ramfs_path.c ramfs_data.c vfs_ram.c vfs_ram_file.c fattime.c \
	args.c modcpu.c modmem.c moddma.c modghcb.c modefi.c modclock.c modirq.c network_classes.c modnetif.c netif_frames.c netif_segments.c modvirtq.c virtq.c virtq_in.c virtq_out.c modsocket.c socket_io.c socket_addr.c socket_options.c modrepl.c modprof.c machine_rtc.c)
SODIUM_DIR := $(LIBSODIUM_DIR)/src/libsodium
include port/crypto.mk
SRC_CRYPTO := $(addprefix port/,$(CRYPTO_MODULE))
SRC_LIBC := $(addprefix port/libc/,memory.c string.c math.c)

# mbedTLS, and tls.c between it and the machine
SRC_TLS := port/tls.c
SRC_MBEDTLS := $(addprefix mbedtls/,$(MBEDTLS_CRYPTO) \
	base64.c ctr_drbg.c entropy.c entropy_poll.c pem.c pk.c pk_ecc.c pk_wrap.c pkparse.c pkwrite.c psa_crypto.c psa_crypto_aead.c \
	psa_crypto_cipher.c psa_crypto_client.c psa_crypto_driver_wrappers_no_static.c psa_crypto_ecp.c psa_crypto_hash.c psa_crypto_mac.c \
	psa_crypto_rsa.c psa_crypto_slot_management.c psa_util.c ssl_ciphersuites.c ssl_client.c ssl_debug_helpers_generated.c ssl_msg.c \
	ssl_tls.c ssl_tls12_client.c ssl_tls12_server.c ssl_tls13_client.c ssl_tls13_generic.c ssl_tls13_keys.c ssl_tls13_server.c timing.c \
	x509.c x509_crt.c)
SRC_SODIUM := $(addprefix sodium/,$(SODIUM_CRYPTO))

# lwIP, and net.c between it and the machine
SRC_NET := $(addprefix port/,net.c net_input.c net_output.c net_memory.c net_hooks.c net_blind.c net_checksum.c net_text.c dns_servers.c dhcp_mtu.c socket.c socket_tcp.c socket_received.c socket_dgram.c) shared/netutils/netutils.c
SRC_LWIP := $(addprefix lwip/,\
	core/def.c core/dns.c core/inet_chksum.c core/init.c core/ip.c core/mem.c core/memp.c core/netif.c core/pbuf.c \
	core/raw.c core/stats.c core/tcp.c core/tcp_in.c core/tcp_out.c core/timeouts.c core/udp.c \
	core/ipv4/dhcp.c core/ipv4/etharp.c core/ipv4/icmp.c core/ipv4/igmp.c core/ipv4/ip4.c core/ipv4/ip4_addr.c \
	core/ipv4/ip4_frag.c core/ipv6/ethip6.c core/ipv6/icmp6.c core/ipv6/inet6.c core/ipv6/ip6.c core/ipv6/ip6_addr.c \
	core/ipv6/ip6_frag.c core/ipv6/mld6.c core/ipv6/nd6.c netif/ethernet.c)

SRC_SHARED := $(addprefix shared/,\
	readline/readline.c runtime/gchelper_generic.c runtime/pyexec.c timeutils/timeutils.c)

SRC_QSTR := $(filter-out extmod/modlwip.c,$(SRC_QSTR)) $(SRC_PORT) $(SRC_CRYPTO) $(SRC_SHARED)      # modsocket.c is module lwip
SRC_C := $(SRC_PORT) $(SRC_CRYPTO) $(addprefix port/,$(CRYPTO_HELPERS)) $(SRC_LIBC) $(SRC_TLS) $(SRC_NET) lib/mbedtls_errors/mp_mbedtls_errors.c $(SRC_SHARED) $(filter-out %/exp.c %/sqrt.c,$(SRC_LIB_LIBM_DBL_C))
OBJ := $(filter-out %/py/gc.o %/extmod/modlwip.o,$(PY_O)) $(addprefix $(BUILD)/,$(SRC_C:.c=.o) $(SRC_MBEDTLS:.c=.o) $(SRC_SODIUM:.c=.o) $(SRC_LWIP:.c=.o)) \
	$(patsubst %,$(BUILD)/%.o,$(basename $(SRC_BOOT)))

$(OBJ): port/port.mk port/crypto.mk

# ---- flags for single files --------------------------------------------------------------------------
# The interpreter's hot half is built for speed, the compiler and the rest for size (py.mk adds -O3
# for vm.c).
FAST := $(addprefix py/,\
	argcheck bc binary map malloc mpz nlr obj objarray objattrtuple objbool objboundmeth objcell objclosure objdeque \
	objdict objenumerate objexcept objfloat objfun objgenerator objgetitemiter objint objint_mpz objlist objmap objmodule \
	objobject objpolyiter objrange objreversed objset objslice objstr objstringio objstrunicode objtuple objtype objzip \
	formatfloat modstruct modmath nativeglue parsenum qstr runtime runtime_utils sequence smallint stackctrl stream \
	unicode vstr modarray modbuiltins scheduler cstack vm mpprint) \
	port/gc_heap port/gc_alloc port/gc_collect port/fastpath port/map_room port/frozen_names port/patience port/frames port/mphalport port/libc/memory port/libc/string port/libc/math shared/runtime/gchelper_generic \
	extmod/modasyncio extmod/modheapq extmod/modjson extmod/modre extmod/modhashlib extmod/modselect \
	$(addprefix mbedtls/,aes aesni bignum bignum_core chacha20 cipher cipher_wrap constant_time ecp ecp_curves gcm platform_util poly1305 sha256 sha512) \
	$(basename $(SRC_SODIUM)) \
	port/net port/net_memory port/net_checksum port/netif_frames port/netif_segments port/modvirtq port/virtq port/virtq_in port/virtq_out port/modsocket port/socket port/socket_io port/socket_tcp port/socket_received port/socket_dgram \
	$(basename $(filter-out %/core/netif.c,$(SRC_LWIP)))
$(FAST:%=$(BUILD)/%.o): CFLAGS += $(COPT_FAST)
$(SRC_LIB_LIBM_DBL_C:%.c=$(BUILD)/%.o): CFLAGS += $(COPT_FAST) -Wno-all -Wno-extra

# Reached by interrupts, which do not save SSE registers.
$(patsubst %,$(BUILD)/%.o,boot/idt boot/apic boot/alarm boot/serial boot/time boot/symbols boot/exec boot/walk \
	boot/sev boot/cpuid_page boot/ghcb boot/ghcb_page boot/io boot/vc boot/vc_insn boot/vc_port boot/vc_mmio boot/ap \
	port/interrupt port/frame_place port/chains port/sample py/scheduler): CFLAGS += -mgeneral-regs-only

$(BUILD)/boot/%.o $(BUILD)/port/libc/%.o: LTO :=
$(addprefix $(BUILD)/,py/nlrx64.o shared/runtime/gchelper_generic.o port/interrupt.o port/frame_place.o port/chains.o port/sample.o py/scheduler.o py/mpz.o extmod/modre.o): LTO :=
$(BUILD)/py/objstr.o: CFLAGS += -include port/libc/first.h -Dqstr_compute_hash=short_str_hash
# frozen_names.c stands in front of this.
$(BUILD)/py/frozenmod.o: CFLAGS += -Dmp_find_frozen_module=plain_find_frozen_module
# map_room.c stands in front of this.
$(BUILD)/py/map.o: CFLAGS += -Dmp_map_lookup=plain_map_lookup
# patience.c stands in front of these.
$(BUILD)/py/runtime.o: CFLAGS += -Dmp_iternext=plain_mp_iternext -Dmp_obj_equal=patient_mp_obj_equal
$(BUILD)/py/objlist.o: CFLAGS += -Dmp_binary_op=patient_mp_binary_op
# tls.c stands in front of these.
$(BUILD)/extmod/modtls_mbedtls.o: CFLAGS += -Dmbedtls_ssl_set_bio=tls_set_bio -Dmbedtls_ssl_free=tls_free -Dmbedtls_ssl_conf_ciphersuites=tls_conf_ciphersuites \
	-Dmbedtls_ssl_read=tls_read -Dmbedtls_ssl_check_pending=tls_check_pending
$(BUILD)/mbedtls/ssl_tls12_client.o: CFLAGS += -I$(MBEDTLS_DIR) -I$(MBEDTLS_DIR)/library -include port/tls12_pss.h
$(BUILD)/port/ec_inverse.o: CFLAGS += -I$(MBEDTLS_DIR)
# A path does not end at a NUL: args.c.
$(BUILD)/extmod/vfs.o $(BUILD)/extmod/vfs_%.o: CFLAGS += -Dmp_obj_str_get_str=arg_str
$(BUILD)/boot/%.o: CFLAGS += -O2 -DGNU_EFI_USE_MS_ABI -fshort-wchar -I/usr/include/efi -I/usr/include/efi/x86_64 -Iboot
# An exit to the host costs thousands of instructions.
$(patsubst %,$(BUILD)/boot/%.o,sev cpuid_page ghcb ghcb_page psc shared io vc vc_insn vc_port vc_mmio ap): CFLAGS += -Os
# A memcpy must not become a call of memcpy.
$(BUILD)/port/libc/%.o: CFLAGS += -fno-builtin -fno-tree-loop-distribute-patterns
$(BUILD)/boot/%.o: CFLAGS += -fno-tree-loop-distribute-patterns
# Who learns of name servers tells dns_servers.c.
$(BUILD)/lwip/core/ipv4/dhcp.o: CFLAGS += -Ddns_setserver=dns_set_by_dhcp
$(BUILD)/lwip/core/ipv6/nd6.o: CFLAGS += -Ddns_setserver=dns_set_by_router -Ddns_getserver=dns_get_by_router
$(BUILD)/extmod/network_lwip.o: CFLAGS += -Ddns_setserver=dns_set_by_user
$(BUILD)/lwip/core/tcp_in.o: CFLAGS += -include port/lwip_tcp_in.h
$(BUILD)/lwip/core/ipv6/icmp6.o: CFLAGS += -Dnd6_input=nd6_checked_input
$(BUILD)/lwip/core/tcp_out.o: CFLAGS += -include port/lwip_tcp_out.h
# net_memory.c bounds the number of connections.
$(BUILD)/lwip/core/timeouts.o: CFLAGS += -Dmemp_malloc=timeouts_memp_malloc -Dmemp_free=timeouts_memp_free
$(BUILD)/lwip/core/tcp.o: CFLAGS += -Dmemp_malloc=tcp_memp_malloc -Dmemp_free=tcp_memp_free
# net_blind.c sees a segment first.
$(BUILD)/lwip/core/ipv4/ip4.o: CFLAGS += -Dtcp_input=net_tcp_input
$(BUILD)/lwip/core/ipv6/ip6.o: CFLAGS += -Dtcp_input=net_tcp_input
# Third-party code is compiled with its authors' warnings, not ours.
$(BUILD)/lib/%.o $(BUILD)/extmod/%.o $(BUILD)/py/%.o $(BUILD)/shared/%.o $(BUILD)/mbedtls/%.o $(BUILD)/sodium/%.o $(BUILD)/lwip/%.o: CWARN := -Wall

# ---- what is generated -----------------------------------------------------------------------------------
# mpy-cross, from the same sources, outside of their tree
$(MICROPY_MPYCROSS): $(wildcard $(TOP)/py/*.[ch] $(TOP)/mpy-cross/*.[ch])
	$(ECHO) "MPY-CROSS"
	$(Q)+$(MAKE) -C $(TOP)/mpy-cross BUILD=$(dir $@) PROG=mpy-cross CFLAGS_EXTRA= >$(BUILD)/mpy-cross.log 2>&1 || \
		(tail -20 $(BUILD)/mpy-cross.log; false)
	$(Q)touch $@

# The frozen module _build: what the executable was made from.
$(BUILD)/frozen_content.c: $(BUILD)/generated/_build.py $(BUILD)/frozen-inputs | $(MICROPY_MPYCROSS)
# makemanifest.py looks at the Python files only; what else the frozen code depends on makes it start anew.
$(BUILD)/frozen-inputs: port/manifest.py $(HEADER_BUILD)/qstrdefs.generated.h $(BUILD)/app-setting
	$(Q)rm -f $(BUILD)/frozen_content.c
	$(Q)touch $@
$(BUILD)/app-setting: FORCE | $(HEADER_BUILD)
	$(Q)echo '$(APP)' | cmp -s - $@ || echo '$(APP)' >$@
# What is another in a hardened build; Python looks at _repl.HARDENED.
$(BUILD)/hardened-setting: FORCE | $(HEADER_BUILD)
	$(Q)echo '$(HARDENED)' | cmp -s - $@ || echo '$(HARDENED)' >$@
HARDENED_OBJ := $(addprefix $(BUILD)/,port/main.o port/modrepl.o boot/panic.o boot/entry.o)
$(HARDENED_OBJ): CFLAGS += -DKEELBACK_HARDENED=$(if $(filter 1,$(HARDENED)),1,0)
$(HARDENED_OBJ): $(BUILD)/hardened-setting
$(BUILD)/generated/_build.py: FORCE
	$(Q)$(PYTHON) port/buildinfo.py $@ --cc "$(CC)" --micropython $(MICROPY_GIT_TAG) --lwip $(LWIP_DIR) --mbedtls $(MBEDTLS_DIR) --libsodium $(LIBSODIUM_DIR) --hardened "$(HARDENED)"

# Sources outside of MicroPython's tree and ours
$(BUILD)/lwip/%.o: $(LWIP_DIR)/src/%.c
	$(call compile_c)

# ---- link ----------------------------------------------------------------------------------------------
LDFLAGS_ELF := -O2 -flto=2 $(filter -f% -m%,$(CFLAGS_COMMON)) -static-pie -nostdlib -Wl,-T,boot/keelback.lds -Wl,--gc-sections -Wl,--build-id=none \
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
