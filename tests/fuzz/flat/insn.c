// Any bytes to the decoder of the #VC handler (boot/vc_insn.c): it stays within them, and what it says holds together.

#include "flat.h"

#include "boot/vc_insn.h"

static const uint16_t codes[] = {
    EXIT_READ_DR7, EXIT_WRITE_DR7, EXIT_RDTSC, EXIT_RDPMC, EXIT_CPUID, EXIT_INVD, EXIT_IOIO, EXIT_MSR, EXIT_VMMCALL, EXIT_RDTSCP,
    EXIT_WBINVD, EXIT_MONITOR, EXIT_MWAIT, EXIT_NPF,
};

static insn_t decode(const uint8_t *bytes, size_t len) {
    uint8_t *copy = malloc(len);            // exactly so long: the sanitizer sees a byte too many
    memcpy(copy, bytes, len);
    insn_t insn = insn_decode(copy, len);
    free(copy);
    return insn;
}

static void whole(const insn_t *insn) {
    unsigned causes = 0;
    for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        causes += insn_raises(insn, codes[i]);
    }
    must(causes == 1, "an instruction that raises #VC for no reason, or for two");
    must(insn->base <= BASE_RIP && insn->index <= BASE_NONE && insn->reg < 16 && insn->segment <= SEG_GS, "a register that there is not");
    must(insn->scale == 0 || insn->scale == 1 || insn->scale == 2 || insn->scale == 4 || insn->scale == 8, "a scale that there is not");
    must(!insn->high || (insn->reg >= 4 && insn->reg < 8), "a register without a high half");
    if (insn->op >= INSN_IN) {
        must(insn->size != 0 && insn->size <= 16 && (insn->size & (insn->size - 1)) == 0, "a size that there is not");
        must(insn->op > INSN_OUTS || insn->size <= 4, "a port of eight bytes");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    insn_t insn = decode(data, len);
    must((insn.op == INSN_OTHER) == (insn.len == 0), "no instruction with a length, or one without");
    for (unsigned i = 0; insn.op == INSN_OTHER && i < sizeof(codes) / sizeof(codes[0]); i++) {
        must(!insn_raises(&insn, codes[i]), "no instruction, and it raises #VC");
    }
    if (insn.op == INSN_OTHER) {
        return 0;
    }
    must(insn.len <= len && insn.len <= INSN_LEN_MAX, "longer than its bytes");
    whole(&insn);
    insn_t again = decode(data, insn.len);
    must(again.op == insn.op && again.len == insn.len && again.imm == insn.imm && again.displacement == insn.displacement, "what lies behind it counts");
    must(decode(data, insn.len - 1).op == INSN_OTHER, "its last byte does not count");
    return 0;
}
