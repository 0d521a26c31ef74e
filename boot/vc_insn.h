// The instructions for which a #VC exception may come, taken apart.
#ifndef KEELBACK_BOOT_VC_INSN_H
#define KEELBACK_BOOT_VC_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_LEN_MAX 15

// AMD64 APM volume 2, appendix C (SVM intercept exit codes), which a #VC has as its error code.
enum {
    EXIT_READ_DR7 = 0x27, EXIT_WRITE_DR7 = 0x37, EXIT_RDTSC = 0x6e, EXIT_RDPMC = 0x6f, EXIT_CPUID = 0x72, EXIT_INVD = 0x76,
    EXIT_IOIO = 0x7b, EXIT_MSR = 0x7c, EXIT_VMMCALL = 0x81, EXIT_RDTSCP = 0x87, EXIT_WBINVD = 0x89, EXIT_MONITOR = 0x8a,
    EXIT_MWAIT = 0x8b, EXIT_NPF = 0x400, EXIT_NOT_VALIDATED = 0x404,
};

typedef enum {
    INSN_OTHER,                             // none of these
    INSN_CPUID, INSN_RDMSR, INSN_WRMSR, INSN_RDTSC, INSN_RDTSCP, INSN_RDPMC, INSN_INVD, INSN_WBINVD, INSN_VMMCALL, INSN_MONITOR,
    INSN_MWAIT, INSN_READ_DR7, INSN_WRITE_DR7,
    INSN_IN, INSN_OUT, INSN_INS, INSN_OUTS,
    INSN_LOAD, INSN_STORE, INSN_STORE_IMM, INSN_LOAD_XMM, INSN_STORE_XMM, INSN_STOS, INSN_MOVS,
} insn_op_t;

enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };    // as EXITINFO1 of port I/O numbers them
enum { BASE_NONE = 16, BASE_RIP = 17 };     // else the number of a general register

typedef struct {
    insn_op_t op;
    uint8_t len;                            // of the instruction
    uint8_t size;                           // bytes that go through the port, or to or from memory
    uint8_t width;                          // INSN_LOAD: bytes of the register that change; 4 clears the upper half
    uint8_t reg;                            // general register or XMM register
    uint8_t base, index, scale, segment;    // operand in memory: base + index * scale + displacement
    bool high;                              // reg is AH, CH, DH or BH (4 to 7)
    bool sign;                              // INSN_LOAD: sign-extended, not zero-extended
    bool rep;
    bool address32;                         // addresses and counts have 32 bits
    bool by_dx;                             // the port is in DX, not in imm
    uint64_t imm;                           // port, or what INSN_STORE_IMM stores
    int64_t displacement;
} insn_t;

// Take the instruction at the start of n bytes of 64-bit code apart. INSN_OTHER, of no length: it is none of those above.
insn_t insn_decode(const uint8_t *bytes, size_t n);
// Is that an instruction for which the processor raises #VC with this error code?
bool insn_raises(const insn_t *insn, uint64_t code);

#endif
