// The instructions of boot/cpu.h on a host that may not issue them: a machine that machine.c makes up. Included first.
#ifndef KEELBACK_CPU_H
#define KEELBACK_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include "boot/cpuid_page.h"

#define FLAGS_IF (1u << 9)
#define CR4_OSXSAVE (1u << 18)

uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
void vmgexit(void);
int insn_pvalidate(uint64_t addr, uint32_t large, uint32_t validate, _Bool *carry);
int insn_rmpadjust(uint64_t addr, uint64_t large, uint64_t attributes);
cpuid_t cpuid_insn(uint32_t leaf, uint32_t subleaf);
uint64_t rdtsc(void);
void write_cr2(uint64_t value);
uint64_t read_cr2(void);
uint64_t read_cr4(void);
uint64_t read_xcr0(void);
uint64_t read_flags(void);
void cli(void);
void sti(void);
void cpu_hlt(void);
static inline void barrier(void) { __asm__ volatile ("" : : : "memory"); }

#endif
