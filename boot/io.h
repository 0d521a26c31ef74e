// Ports, device registers and CPUID, as this machine has them: the instruction, or in an SEV-SNP guest an exchange with the
// host without the detour of a #VC exception (which still serves whoever issues the instruction), and the checked CPUID table.
#ifndef KEELBACK_BOOT_IO_H
#define KEELBACK_BOOT_IO_H

#include <stddef.h>
#include "boot.h"
#include "cpu.h"
#include "cpuid_page.h"
#include "ghcb.h"
#include "vc_insn.h"

// ---- io.c --------------------------------------------------------------------------------------------------------------
// EXITINFO1 of port I/O, GHCB specification 4.1.2; AMD64 APM volume 2, 15.10.2
enum { IOIO_IN = 1, IOIO_STRING = 4, IOIO_REP = 8, IOIO_ADDRESS32 = 0x100, IOIO_ADDRESS64 = 0x200, IOIO_SEGMENT_SHIFT = 10 };
static inline uint32_t ioio_info(uint16_t port, unsigned bytes) {
    return (uint32_t)port << 16 | bytes << 4;
}
// Whether the host does it, and the exception that it wants to be raised instead.
ghcb_verdict_t host_port(uint32_t info, uint64_t *rax, int *vector);
ghcb_verdict_t host_msr(bool write, uint32_t msr, uint64_t *value, int *vector);
// A host that refuses these ends the machine.
uint32_t host_in(uint16_t port, unsigned bytes);
void host_out(uint16_t port, unsigned bytes, uint32_t value);
void host_out_bytes(uint16_t port, const char *data, unsigned n);      // n up to GHCB_BUFFER_LEN
uint64_t host_read(uint64_t addr, unsigned bytes);
void host_write(uint64_t addr, unsigned bytes, uint64_t value);

// ---- sev.c -------------------------------------------------------------------------------------------------------------
cpuid_t cpuid_checked(uint32_t leaf, uint32_t subleaf);

static inline cpuid_t cpuid(uint32_t leaf, uint32_t subleaf) {
    return snp_guest ? cpuid_checked(leaf, subleaf) : cpuid_insn(leaf, subleaf);
}

#define PORT_ACCESS(suffix, type) \
    static inline type in##suffix(uint16_t port) { \
        type v; \
        if (ghcb_live) { \
            return host_in(port, sizeof(v)); \
        } \
        __asm__ volatile ("in" #suffix " %1, %0" : "=a" (v) : "Nd" (port) : "memory"); \
        return v; \
    } \
    static inline void out##suffix(uint16_t port, type v) { \
        if (ghcb_live) { \
            host_out(port, sizeof(v), v); \
        } else { \
            __asm__ volatile ("out" #suffix " %0, %1" : : "a" (v), "Nd" (port) : "memory"); \
        } \
    }

PORT_ACCESS(b, uint8_t)
PORT_ACCESS(w, uint16_t)
PORT_ACCESS(l, uint32_t)

static inline uint32_t mmio_read32(uint64_t addr) {
    return ghcb_live ? host_read(addr, 4) : *(volatile uint32_t *)addr;
}
static inline void mmio_write32(uint64_t addr, uint32_t value) {
    if (ghcb_live) {
        host_write(addr, 4, value);
    } else {
        *(volatile uint32_t *)addr = value;
    }
}

#endif
