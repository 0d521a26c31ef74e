// Single instructions that C cannot issue, as inline functions. No state, no policy: ports and CPUID are in io.h.
#ifndef KEELBACK_CPU_H
#define KEELBACK_CPU_H

#include <stdint.h>
#include "cpuid_page.h"

static inline uint64_t rdmsr(uint32_t msr) {
    uint32_t a, d;
    __asm__ volatile ("rdmsr" : "=a" (a), "=d" (d) : "c" (msr));
    return (uint64_t)d << 32 | a;
}
static inline void wrmsr(uint32_t msr, uint64_t v) {
    __asm__ volatile ("wrmsr" : : "c" (msr), "a" ((uint32_t)v), "d" ((uint32_t)(v >> 32)) : "memory");
}
static inline uint64_t rdtsc(void) {
    uint32_t a, d;
    __asm__ volatile ("rdtsc" : "=a" (a), "=d" (d));
    return (uint64_t)d << 32 | a;
}
static inline cpuid_t cpuid_insn(uint32_t leaf, uint32_t subleaf) {
    cpuid_t r;
    __asm__ volatile ("cpuid" : "=a" (r.eax), "=b" (r.ebx), "=c" (r.ecx), "=d" (r.edx) : "a" (leaf), "c" (subleaf));
    return r;
}
static inline uint64_t read_cr0(void) { uint64_t v; __asm__ volatile ("mov %%cr0, %0" : "=r" (v)); return v; }
static inline void write_dr0(uint64_t v) { __asm__ volatile ("mov %0, %%dr0" : : "r" (v)); }
static inline void write_dr7(uint64_t v) { __asm__ volatile ("mov %0, %%dr7" : : "r" (v)); }
static inline void write_cr2(uint64_t v) { __asm__ volatile ("mov %0, %%cr2" : : "r" (v)); }
static inline uint64_t read_cr2(void) { uint64_t v; __asm__ volatile ("mov %%cr2, %0" : "=r" (v)); return v; }
static inline uint64_t read_cr3(void) { uint64_t v; __asm__ volatile ("mov %%cr3, %0" : "=r" (v)); return v; }
static inline uint64_t read_cr4(void) { uint64_t v; __asm__ volatile ("mov %%cr4, %0" : "=r" (v)); return v; }
static inline void write_cr0(uint64_t v) { __asm__ volatile ("mov %0, %%cr0" : : "r" (v) : "memory"); }
static inline void write_cr3(uint64_t v) { __asm__ volatile ("mov %0, %%cr3" : : "r" (v) : "memory"); }
static inline void write_cr4(uint64_t v) { __asm__ volatile ("mov %0, %%cr4" : : "r" (v) : "memory"); }
static inline void invlpg(uint64_t addr) { __asm__ volatile ("invlpg (%0)" : : "r" (addr) : "memory"); }
#define FLAGS_IF (1u << 9)
#define CR4_OSXSAVE (1u << 18)
static inline void cli(void) { __asm__ volatile ("cli" : : : "memory"); }
static inline void sti(void) { __asm__ volatile ("sti" : : : "memory"); }
// sti takes effect after the next instruction, so no interrupt can slip in before hlt.
static inline void sti_hlt(void) { __asm__ volatile ("sti; hlt" : : : "memory"); }
static inline uint64_t read_flags(void) { uint64_t v; __asm__ volatile ("pushfq; popq %0" : "=r" (v)); return v; }
// SEV-SNP's own, by their bytes: VMGEXIT, PVALIDATE, RMPADJUST. AMD64 APM, volume 3
static inline void vmgexit(void) { __asm__ volatile ("rep; vmmcall" : : : "memory"); }
static inline int insn_pvalidate(uint64_t addr, uint32_t large, uint32_t validate, _Bool *carry) {
    int code;
    __asm__ volatile (".byte 0xf2, 0x0f, 0x01, 0xff" : "=a" (code), "=@ccc" (*carry) : "a" (addr), "c" (large), "d" (validate) : "memory");
    return code;
}
static inline int insn_rmpadjust(uint64_t addr, uint64_t large, uint64_t attributes) {
    int code;
    __asm__ volatile (".byte 0xf3, 0x0f, 0x01, 0xfe" : "=a" (code), "+c" (large) : "a" (addr), "d" (attributes) : "memory", "cc");
    return code;
}
static inline void cpu_hlt(void) { __asm__ volatile ("hlt" : : : "memory"); }
static inline uint64_t read_xcr0(void) {
    uint32_t a, d;
    __asm__ volatile ("xgetbv" : "=a" (a), "=d" (d) : "c" (0));
    return (uint64_t)d << 32 | a;
}
static inline void cpu_pause(void) { __asm__ volatile ("pause" : : : "memory"); }
static inline void barrier(void) { __asm__ volatile ("" : : : "memory"); }
// a * b / c with a 128-bit product; the quotient must fit 64 bits.
static inline uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c) {
    uint64_t high;
    __asm__ ("mulq %3; divq %4" : "=&a" (a), "=&d" (high) : "0" (a), "r" (b), "r" (c) : "cc");
    return a;
}

#endif
