// How often the guest came out with a VMGEXIT, by what for: event and port, register or MSR; and how long it was away. For whoever
// wants fewer. What does not fit the table any more is counted in its last row.

#include "vmcb.h"

#define ROWS 128

static struct { uint64_t code, target, count, ticks; } rows[ROWS];
static unsigned used;

static unsigned find(uint64_t code, uint64_t target) {
    unsigned i = 0;
    while (i < used && (rows[i].code != code || rows[i].target != target)) {
        i++;
    }
    if (i == ROWS) {
        i--;
        rows[i].code = rows[i].target = ~0ull;
    } else if (i == used) {
        rows[i].code = code;
        rows[i].target = target;
        rows[i].count = rows[i].ticks = 0;
        used++;
    }
    return i;
}

void tally(uint64_t code, uint64_t target, uint64_t start) {
    unsigned i = find(code, target);
    rows[i].count++;
    rows[i].ticks += ticks() - start;
}

// What an event is for: a device register's address, the port, the MSR; else 0.
void tally_event(const exchange_t *x, uint64_t start) {
    uint64_t code = x->code;
    tally(code, code == EXIT_IO ? x->info1 >> 16 & 0xffff : code == EXIT_MSR ? (uint32_t)x->rcx : code == MMIO_READ || code == MMIO_WRITE ? x->info1 : 0,
        start);
}

// Into the log, and from the start again.
void tally_tell(void) {
    for (unsigned i = 0; i < used; i++) {
        say("tally: %lu of exit %#lx for %#lx, %lu ticks each", rows[i].count, rows[i].code, rows[i].target, rows[i].ticks / rows[i].count);
    }
    say("tally: end");
    used = 0;
}
