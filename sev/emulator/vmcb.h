// The virtual machine control block: offsets of what the emulator uses. Source: APM volume 2, appendix B, tables B-1, B-2.
#ifndef SNPEMU_VMCB_H
#define SNPEMU_VMCB_H

#include "emu.h"

#define V16(v, offset) (*(uint16_t *)((v)->vmcb + (offset)))
#define V32(v, offset) (*(uint32_t *)((v)->vmcb + (offset)))
#define V64(v, offset) (*(uint64_t *)((v)->vmcb + (offset)))

enum {      // control area
    CR_WRITES = 0x002, DR_READS = 0x004, DR_WRITES = 0x006, EXCEPTIONS = 0x008, INTERCEPT3 = 0x00c, INTERCEPT4 = 0x010,
    IOPM_BASE = 0x040, MSRPM_BASE = 0x048, ASID = 0x058, TLB_CONTROL = 0x05c, INT_SHADOW = 0x068, EXIT_CODE = 0x070,
    EXIT_INFO1 = 0x078, EXIT_INFO2 = 0x080, EXIT_INT_INFO = 0x088, NESTED_CONTROL = 0x090, EVENT_INJECT = 0x0a8, NESTED_CR3 = 0x0b0,
};
enum {      // state save area: segments are selector u16, attributes u16, limit u32, base u64
    SEG_ES = 0x400, SEG_CS = 0x410, SEG_SS = 0x420, SEG_DS = 0x430, SEG_FS = 0x440, SEG_GS = 0x450, GDTR = 0x460, LDTR = 0x470,
    IDTR = 0x480, TR = 0x490, CPL = 0x4cb, EFER = 0x4d0, CR4 = 0x548, CR3 = 0x550, CR0 = 0x558, DR7 = 0x560, DR6 = 0x568, RFLAGS = 0x570,
    RIP = 0x578, RSP = 0x5d8, RAX = 0x5f8, STAR = 0x600, CR2 = 0x640, G_PAT = 0x668,
};
#define SEG_ATTR 2
#define SEG_LIMIT 4
#define SEG_BASE 8

enum {      // INTERCEPT3, INTERCEPT4
    I3_NMI = 1 << 1, I3_LIDT = 1 << 10, I3_RDTSC = 1 << 14, I3_RDPMC = 1 << 15, I3_CPUID = 1 << 18, I3_INVD = 1 << 22, I3_IO = 1 << 27, I3_MSR = 1 << 28,
    I3_SHUTDOWN = (int)(1u << 31),
    I4_VMRUN = 1 << 0, I4_VMMCALL = 1 << 1, I4_VMLOAD = 1 << 2, I4_VMSAVE = 1 << 3, I4_STGI = 1 << 4, I4_CLGI = 1 << 5, I4_SKINIT = 1 << 6,
    I4_RDTSCP = 1 << 7, I4_WBINVD = 1 << 9, I4_MONITOR = 1 << 10, I4_MWAIT = 1 << 11,
};
enum {      // exit codes
    EXIT_CR3_WRITE = 0x13, EXIT_DR7_READ = 0x27, EXIT_DR7_WRITE = 0x37, EXIT_UD = 0x46, EXIT_NMI = 0x61, EXIT_LIDT = 0x6a, EXIT_RDTSC = 0x6e,
    EXIT_RDPMC = 0x6f, EXIT_CPUID = 0x72, EXIT_INVD = 0x76, EXIT_IO = 0x7b, EXIT_MSR = 0x7c, EXIT_SHUTDOWN = 0x7f, EXIT_VMRUN = 0x80, EXIT_VMMCALL = 0x81,
    EXIT_VMLOAD = 0x82, EXIT_VMSAVE = 0x83, EXIT_STGI = 0x84, EXIT_CLGI = 0x85, EXIT_SKINIT = 0x86, EXIT_RDTSCP = 0x87, EXIT_WBINVD = 0x89,
    EXIT_MONITOR = 0x8a, EXIT_MWAIT = 0x8b, EXIT_NPF = 0x400, EXIT_NOT_VALIDATED = 0x404,
};
#define INJECT_VALID (1ull << 31)
#define INJECT_ERROR (1ull << 11)
#define INJECT_TYPE 0x700ull
#define INJECT_EXCEPTION (3ull << 8)
#define NPF_FETCH (1ull << 4)
#define NPF_WRITE (1ull << 1)
#define NPF_TABLE (1ull << 33)
#define EFER_SVME (1ull << 12)
#define EFER_LMA (1ull << 10)
#define CR0_PG (1ull << 31)
#define RFLAGS_TF (1ull << 8)
#define RFLAGS_IF (1ull << 9)
#define RFLAGS_DF (1ull << 10)
#define RFLAGS_CLEARED (RFLAGS_TF | 1ull << 14 | 1ull << 16 | 1ull << 17)     // TF, NT, RF, VM

enum { MSR_APIC_BASE = 0x1b, MSR_GHCB = 0xc0010130, MSR_SEV_STATUS = 0xc0010131, MSR_VM_CR = 0xc0010114, MSR_HSAVE = 0xc0010117, MSR_EFER = 0xc0000080 };
enum { RAX_, RCX_, RDX_, RBX_, RSP_, RBP_, RSI_, RDI_ };

#endif
