// Take instructions apart that raise #VC: what the processor does not tell the handler, and what shows that an exception is
// not the processor's but the host's.
// Source: AMD64 Architecture Programmer's Manual, volume 3, 1 (prefixes, ModRM, SIB), appendix A (opcodes); volume 2, appendix C.
// 64-bit code only. Of the instructions that access memory there are moves; whoever reads a device's registers uses those.
// Nothing here looks at the machine: tests/sev/test_insn.py runs it against objdump.

#include "vc_insn.h"

enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8 };

typedef struct {
    const uint8_t *at, *end;
    insn_t out;
    uint8_t rex, segment;                   // segment: the override's prefix
    bool has_rex, operand16, f2, f3;
    bool bad;                               // it does not end within the bytes, is locked, or has two segments
} decoder_t;

static uint8_t next(decoder_t *d) {
    if (d->at == d->end) {
        d->bad = true;
        return 0;
    }
    return *d->at++;
}

static uint64_t little(decoder_t *d, int bytes) {
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++) {
        v |= (uint64_t)next(d) << 8 * i;
    }
    return v;
}

static int64_t extended(uint64_t v, int bytes) {
    int shift = 64 - 8 * bytes;
    return (int64_t)(v << shift) >> shift;
}

static bool prefix(decoder_t *d, uint8_t b) {
    switch (b) {
        case 0x66: d->operand16 = true; return true;
        case 0x67: d->out.address32 = true; return true;
        case 0xf2: d->f2 = true; return true;
        case 0xf3: d->f3 = true; return true;
        case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
            d->bad |= d->segment != 0 && d->segment != b;
            d->segment = b;
            d->out.segment = b == 0x64 ? SEG_FS : b == 0x65 ? SEG_GS : SEG_DS;     // the others have no effect
            return true;
        case 0xf0: d->bad = true; return true;
        default: return false;
    }
}

static uint8_t opcode_after_prefixes(decoder_t *d) {
    uint8_t b = next(d);
    for (;; b = next(d)) {
        if ((b & 0xf0) == 0x40) {           // REX counts only right before the opcode
            d->rex = b & 15;
            d->has_rex = true;
        } else if (prefix(d, b)) {
            d->rex = 0;
            d->has_rex = false;
        } else {
            return b;
        }
        if (d->bad) {
            return 0;
        }
    }
}

static int operand_size(const decoder_t *d) {
    return d->rex & REX_W ? 8 : d->operand16 ? 2 : 4;
}

static int port_size(const decoder_t *d) {
    return d->operand16 && !(d->rex & REX_W) ? 2 : 4;
}

// ModRM, SIB and displacement. False: the operand is a register.
static bool memory_operand(decoder_t *d) {
    uint8_t modrm = next(d), mod = modrm >> 6, rm = modrm & 7;
    d->out.reg = (modrm >> 3 & 7) | (d->rex & REX_R ? 8 : 0);
    if (mod == 3) {
        return false;
    }
    d->out.index = BASE_NONE;
    d->out.scale = 1;
    d->out.base = rm | (d->rex & REX_B ? 8 : 0);
    if (rm == 4) {
        uint8_t sib = next(d), index = (sib >> 3 & 7) | (d->rex & REX_X ? 8 : 0);
        d->out.base = (sib & 7) | (d->rex & REX_B ? 8 : 0);
        d->out.index = index == 4 ? BASE_NONE : index;
        d->out.scale = 1 << (sib >> 6);
        if ((sib & 7) == 5 && mod == 0) {
            d->out.base = BASE_NONE;
        }
    } else if (rm == 5 && mod == 0) {
        d->out.base = BASE_RIP;
    }
    int bytes = mod == 1 ? 1 : mod == 2 || d->out.base >= BASE_NONE ? 4 : 0;
    d->out.displacement = bytes == 0 ? 0 : extended(little(d, bytes), bytes);
    return true;
}

static insn_op_t moves(decoder_t *d, insn_op_t op, int size, int width) {
    if (!memory_operand(d)) {
        return INSN_OTHER;
    }
    d->out.size = size;
    d->out.width = width;
    d->out.high = width == 1 && !d->has_rex && d->out.reg >= 4 && d->out.reg < 8;
    return op;
}

static insn_op_t move_immediate(decoder_t *d, int size) {
    insn_op_t op = moves(d, INSN_STORE_IMM, size, size);
    int bytes = size == 8 ? 4 : size;
    d->out.imm = extended(little(d, bytes), bytes);
    return d->out.reg & 7 ? INSN_OTHER : op;    // of this group only /0 is a move
}

static insn_op_t move_absolute(decoder_t *d, insn_op_t op, int size) {
    d->out.base = d->out.index = BASE_NONE;
    d->out.displacement = little(d, d->out.address32 ? 4 : 8);
    d->out.reg = 0;
    d->out.size = d->out.width = size;
    return op;
}

static insn_op_t string(decoder_t *d, insn_op_t op, int size) {
    d->out.rep = d->f2 || d->f3;
    d->out.size = size;
    d->out.by_dx = true;
    return op;
}

static insn_op_t port(decoder_t *d, insn_op_t op, int size, bool by_dx) {
    d->out.size = size;
    d->out.by_dx = by_dx;
    d->out.imm = by_dx ? 0 : next(d);
    return op;
}

// 0F 01 with a register operand: each value of ModRM is an instruction of its own, and prefixes make others of them.
static insn_op_t group_0f01(decoder_t *d) {
    uint8_t modrm = next(d);
    if (d->f2 || d->f3 || d->operand16) {
        return INSN_OTHER;
    }
    switch (modrm) {
        case 0xd9: return INSN_VMMCALL;
        case 0xf9: return INSN_RDTSCP;
        case 0xc8: case 0xfa: return INSN_MONITOR;
        case 0xc9: case 0xfb: return INSN_MWAIT;
        default: return INSN_OTHER;
    }
}

static insn_op_t debug_register(decoder_t *d, insn_op_t op) {
    uint8_t modrm = next(d);                // the mod field counts as if it were 3
    d->out.reg = (modrm & 7) | (d->rex & REX_B ? 8 : 0);
    return (modrm >> 3 & 7) == 7 && !(d->rex & REX_R) ? op : INSN_OTHER;
}

// Sixteen bytes between XMM registers and memory, by the prefix that makes such a move of the opcode.
static insn_op_t vector(decoder_t *d, uint8_t opcode) {
    bool scalar = d->f2 || d->f3;
    switch (opcode) {
        case 0x10: case 0x28: return scalar ? INSN_OTHER : moves(d, INSN_LOAD_XMM, 16, 16);
        case 0x11: case 0x29: case 0x2b: return scalar ? INSN_OTHER : moves(d, INSN_STORE_XMM, 16, 16);
        case 0x6f: return d->f2 || !(d->f3 || d->operand16) ? INSN_OTHER : moves(d, INSN_LOAD_XMM, 16, 16);
        case 0x7f: return d->f2 || !(d->f3 || d->operand16) ? INSN_OTHER : moves(d, INSN_STORE_XMM, 16, 16);
        case 0xe7: return scalar || !d->operand16 ? INSN_OTHER : moves(d, INSN_STORE_XMM, 16, 16);
        default: return INSN_OTHER;
    }
}

static insn_op_t two_bytes(decoder_t *d) {
    uint8_t opcode = next(d);
    switch (opcode) {
        case 0x01: return group_0f01(d);
        case 0x08: return INSN_INVD;
        case 0x09: return INSN_WBINVD;
        case 0x21: return debug_register(d, INSN_READ_DR7);
        case 0x23: return debug_register(d, INSN_WRITE_DR7);
        case 0x30: return INSN_WRMSR;
        case 0x31: return INSN_RDTSC;
        case 0x32: return INSN_RDMSR;
        case 0x33: return INSN_RDPMC;
        case 0xa2: return INSN_CPUID;
        case 0xb6: return moves(d, INSN_LOAD, 1, operand_size(d));
        case 0xb7: return moves(d, INSN_LOAD, 2, operand_size(d));
        case 0xbe: d->out.sign = true; return moves(d, INSN_LOAD, 1, operand_size(d));
        case 0xbf: d->out.sign = true; return moves(d, INSN_LOAD, 2, operand_size(d));
        case 0xc3: return d->f2 || d->f3 || d->operand16 ? INSN_OTHER : moves(d, INSN_STORE, d->rex & REX_W ? 8 : 4, 0);
        default: return vector(d, opcode);
    }
}

static insn_op_t one_byte(decoder_t *d, uint8_t opcode) {
    int size = operand_size(d);
    switch (opcode) {
        case 0x63: d->out.sign = true; return moves(d, INSN_LOAD, size == 2 ? 2 : 4, size);
        case 0x6c: case 0x6d: return string(d, INSN_INS, opcode & 1 ? port_size(d) : 1);
        case 0x6e: case 0x6f: return string(d, INSN_OUTS, opcode & 1 ? port_size(d) : 1);
        case 0x88: return moves(d, INSN_STORE, 1, 1);
        case 0x89: return moves(d, INSN_STORE, size, size);
        case 0x8a: return moves(d, INSN_LOAD, 1, 1);
        case 0x8b: return moves(d, INSN_LOAD, size, size);
        case 0xa0: case 0xa1: return move_absolute(d, INSN_LOAD, opcode & 1 ? size : 1);
        case 0xa2: case 0xa3: return move_absolute(d, INSN_STORE, opcode & 1 ? size : 1);
        case 0xa4: case 0xa5: return string(d, INSN_MOVS, opcode & 1 ? size : 1);
        case 0xaa: case 0xab: return string(d, INSN_STOS, opcode & 1 ? size : 1);
        case 0xc6: return move_immediate(d, 1);
        case 0xc7: return move_immediate(d, size);
        case 0xe4: case 0xe5: return port(d, INSN_IN, opcode & 1 ? port_size(d) : 1, false);
        case 0xe6: case 0xe7: return port(d, INSN_OUT, opcode & 1 ? port_size(d) : 1, false);
        case 0xec: case 0xed: return port(d, INSN_IN, opcode & 1 ? port_size(d) : 1, true);
        case 0xee: case 0xef: return port(d, INSN_OUT, opcode & 1 ? port_size(d) : 1, true);
        case 0x0f: return two_bytes(d);
        default: return INSN_OTHER;
    }
}

insn_t insn_decode(const uint8_t *bytes, size_t n) {
    decoder_t d = { .at = bytes, .end = bytes + (n < INSN_LEN_MAX ? n : INSN_LEN_MAX), .out.segment = SEG_DS };
    uint8_t opcode = opcode_after_prefixes(&d);
    insn_op_t op = d.bad ? INSN_OTHER : one_byte(&d, opcode);
    d.out.op = d.bad ? INSN_OTHER : op;
    d.out.len = d.out.op == INSN_OTHER ? 0 : d.at - bytes;
    return d.out;
}

bool insn_raises(const insn_t *insn, uint64_t code) {
    switch (code) {
        case EXIT_READ_DR7: return insn->op == INSN_READ_DR7;
        case EXIT_WRITE_DR7: return insn->op == INSN_WRITE_DR7;
        case EXIT_RDTSC: return insn->op == INSN_RDTSC;
        case EXIT_RDPMC: return insn->op == INSN_RDPMC;
        case EXIT_CPUID: return insn->op == INSN_CPUID;
        case EXIT_INVD: return insn->op == INSN_INVD;
        case EXIT_IOIO: return insn->op >= INSN_IN && insn->op <= INSN_OUTS;
        case EXIT_MSR: return insn->op == INSN_RDMSR || insn->op == INSN_WRMSR;
        case EXIT_VMMCALL: return insn->op == INSN_VMMCALL;
        case EXIT_RDTSCP: return insn->op == INSN_RDTSCP;
        case EXIT_WBINVD: return insn->op == INSN_WBINVD;
        case EXIT_MONITOR: return insn->op == INSN_MONITOR;
        case EXIT_MWAIT: return insn->op == INSN_MWAIT;
        case EXIT_NPF: return insn->op >= INSN_LOAD;
        default: return false;
    }
}
