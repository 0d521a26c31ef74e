// Page state change by descriptor: up to 253 entries, of which the host may do some and return.
// Source: GHCB specification (56421), 4.1.6 and table 9.

#include "vmcb.h"

#define ENTRIES 253
#define BAD_HEADER 0x100000001ull
#define BAD_ENTRY 0x100000002ull
#define MIB2_PAGES 512

enum { OP_PRIVATE = 1, OP_SHARED, OP_PSMASH, OP_UNSMASH };

// One entry, from the page where an earlier call left off. -> 0 or EXITINFO2.
static uint64_t change(uint64_t entry) {
    uint64_t gpa = entry & 0x000ffffffffff000ull, done = entry & PAGE_MASK;
    unsigned op = entry >> 52 & 15;
    bool large = entry >> 56 & 1;
    if (entry >> 57 != 0 || (gpa & C_MASK) || op < OP_PRIVATE || op > OP_UNSMASH || done > (large ? MIB2_PAGES : 1)
        || (large && (gpa / PAGE_SIZE & (MIB2_PAGES - 1)) != 0)) {
        return BAD_ENTRY;
    }
    if (op >= OP_PSMASH || fault_take("psc-lie")) {
        return 0;                           // as KVM: marked done
    }
    if (large && done == 0) {
        return rmp_change(gpa, op, true);
    }
    for (; done < (large ? MIB2_PAGES : 1); done++) {
        uint64_t failed = rmp_change(gpa + done * PAGE_SIZE, op, false);
        if (failed != 0) {
            return failed;
        }
    }
    return 0;
}

void event_psc(exchange_t *x) {
    uint8_t *area = scratch_area(x, 8 + 8 * ENTRIES);
    if (area == NULL) {
        return;
    }
    uint16_t *header = (uint16_t *)area;
    uint16_t at = header[0], end = header[1];
    uint64_t limit = machine.options->psc_chunk ? machine.options->psc_chunk : ENTRIES;
    if (end >= ENTRIES || at > end) {
        x->result2 = BAD_HEADER;
        return;
    }
    if (fault_take("psc-refuse")) {
        x->result2 = 0x10000000000ull;
        return;
    }
    for (; at <= end && limit > 0; at++, limit--) {
        uint64_t *slot = (uint64_t *)(area + 8) + at, entry = *slot;
        x->result2 = change(entry);
        if (x->result2 != 0) {
            break;
        }
        *slot = (entry & ~PAGE_MASK) | (entry >> 56 & 1 ? MIB2_PAGES : 1);
    }
    header[0] = at;
    if (fault_take("psc-header")) {
        header[1] = ENTRIES + 1;            // an end behind what the guest asked for
    }
}
