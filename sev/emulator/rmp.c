// The reverse map table: what each page of RAM is to the guest. Source: APM volume 2, 15.36; PVALIDATE and RMPADJUST in volume 3.
//
// Pages are 4 KiB; RMP_LARGE marks the 512 of a page that the host gave as one of 2 MiB. What a page holds is lost when it changes
// between private and shared: it is overwritten, so that a guest that counts on it finds out.

#include "vmcb.h"

#define MIB2 (1ull << 21)
#define SCRAMBLED 0xa55a5aa5c33c3cc3ull

static uint8_t *low, *high;

static uint8_t *entry(uint64_t gpa) {
    const range_t *ram = machine.setup->ram;
    if (gpa < ram[0].end) {
        return &low[gpa / PAGE_SIZE];
    }
    return gpa >= ram[1].start && gpa < ram[1].end ? &high[(gpa - ram[1].start) / PAGE_SIZE] : NULL;
}

static bool within(uint64_t gpa, range_t r) {
    return gpa >= r.start && gpa < r.end;
}

static int first_state(uint64_t gpa) {
    const setup_t *s = machine.setup;
    if (gpa >= 0xa0000 && gpa < 0x100000) {
        return RMP_ABSENT;                  // the legacy hole
    }
    if (within(gpa, s->host) || within(gpa, s->split) || gpa == s->trampoline) {
        return RMP_HOST;
    }
    return gpa == s->firmware_ghcb ? RMP_SHARED : within(gpa, s->unaccepted) ? RMP_UNVALIDATED : RMP_VALIDATED;
}

void rmp_init(void) {
    const range_t *ram = machine.setup->ram;
    low = host_pages((ram[0].end / PAGE_SIZE + PAGE_SIZE - 1) / PAGE_SIZE);
    high = ram[1].end > ram[1].start ? host_pages(((ram[1].end - ram[1].start) / PAGE_SIZE + PAGE_SIZE - 1) / PAGE_SIZE) : NULL;
    for (int i = 0; i < 2; i++) {
        for (uint64_t gpa = i == 0 ? 0 : ram[1].start; gpa < ram[i].end; gpa += PAGE_SIZE) {
            rmp_set(gpa, first_state(gpa));
        }
    }
}

void rmp_remap(void) {
    for (int i = 0; i < 2; i++) {
        for (uint64_t gpa = machine.setup->ram[i].start; gpa < machine.setup->ram[i].end; gpa += PAGE_SIZE) {
            npt_page(gpa, rmp_state(gpa));
        }
    }
}

int rmp_state(uint64_t gpa) {
    const uint8_t *e = entry(gpa);
    return e == NULL ? RMP_ABSENT : *e & RMP_STATE;
}

const char *rmp_name(int state) {
    static const char names[][20] = { "device registers", "shared", "not validated", "private", "a VMSA", "the emulator's" };
    return names[state & RMP_STATE];
}

void rmp_set(uint64_t gpa, int state) {
    *entry(gpa) = state;
    npt_page(gpa, state & RMP_STATE);
}

bool rmp_is_shared(uint64_t gpa, uint64_t len) {
    for (uint64_t at = gpa & ~PAGE_MASK; at < gpa + len; at += PAGE_SIZE) {
        if (rmp_state(at) != RMP_SHARED) {
            return false;
        }
    }
    return true;
}

uint8_t *guest_page(uint64_t gpa) {
    int state = rmp_state(gpa);
    return state == RMP_ABSENT || state == RMP_HOST ? NULL : (uint8_t *)(state == RMP_SHARED ? gpa & ~PAGE_MASK : npt_private(gpa));
}

static void scramble(uint64_t *p) {
    for (unsigned i = 0; i < PAGE_SIZE / 8; i++) {
        p[i] = SCRAMBLED;
    }
}

uint64_t rmp_change(uint64_t gpa, int op, bool large) {
    uint64_t len = large ? MIB2 : PAGE_SIZE;
    for (uint64_t at = gpa; at < gpa + len; at += PAGE_SIZE) {
        int state = rmp_state(at);
        if (state == RMP_ABSENT || state == RMP_HOST || state == RMP_VMSA) {
            note("page state change of %#lx, which is %s", at, rmp_name(state));
            return 0x10000000000ull;
        }
    }
    for (uint64_t at = gpa; at < gpa + len; at += PAGE_SIZE) {
        int state = rmp_state(at);
        if (op == 2 && state == RMP_VALIDATED) {
            note("page %#lx becomes shared and was not rescinded before", at);
        }
        if ((op == 2) != (state == RMP_SHARED)) {
            rmp_set(at, op == 2 ? RMP_SHARED : RMP_UNVALIDATED);
            scramble((uint64_t *)guest_page(at));
        }
        if (op == 1) {
            uint8_t *e = entry(at);
            *e = large ? *e | RMP_LARGE : *e & ~RMP_LARGE;
        }
    }
    npt_flush();
    return 0;
}

// PVALIDATE. -> EAX; unchanged: CF.
uint32_t rmp_pvalidate(vcpu_t *v, uint64_t gpa, bool large, bool validate, bool *unchanged) {
    uint64_t len = large ? MIB2 : PAGE_SIZE;
    *unchanged = false;
    if ((gpa & (len - 1)) != 0) {
        return 1;
    }
    for (uint64_t at = gpa; at < gpa + len; at += PAGE_SIZE) {
        int state = rmp_state(at);
        if (state != RMP_UNVALIDATED && state != RMP_VALIDATED) {
            violation(v, "PVALIDATE of page %#lx, which is %s", at, rmp_name(state));
        }
        if (large && !(*entry(at) & RMP_LARGE)) {
            return 6;                       // the RMP has pages of 4 KiB
        }
    }
    *unchanged = true;
    for (uint64_t at = gpa; at < gpa + len; at += PAGE_SIZE) {
        int flag = large ? RMP_LARGE : 0;   // one of 4 KiB: the host splits the large one
        if (rmp_state(at) != (validate ? RMP_VALIDATED : RMP_UNVALIDATED)) {
            *unchanged = false;
        }
        rmp_set(at, (validate ? RMP_VALIDATED : RMP_UNVALIDATED) | flag);
    }
    if (!large && (*entry(gpa & ~(MIB2 - 1)) & RMP_LARGE)) {
        for (uint64_t at = gpa & ~(MIB2 - 1), n = 0; n < 512; n++, at += PAGE_SIZE) {
            *entry(at) &= ~RMP_LARGE;
        }
    }
    npt_flush();
    return 0;
}

// RMPADJUST by VMPL 0. -> EAX.
uint32_t rmp_adjust(vcpu_t *v, uint64_t gpa, bool large, uint64_t attributes) {
    unsigned target = attributes & 255;
    bool vmsa = attributes >> 16 & 1;
    int state = rmp_state(gpa);
    if ((gpa & ((large ? MIB2 : PAGE_SIZE) - 1)) != 0 || target > 3 || attributes >> 17 != 0 || (large && vmsa)) {
        return 1;
    }
    if (target == 0) {
        return 2;                           // not below our own level
    }
    if (state != RMP_VALIDATED && state != RMP_VMSA) {
        violation(v, "RMPADJUST of page %#lx, which is %s", gpa, rmp_name(state));
    }
    if (large && !(*entry(gpa) & RMP_LARGE)) {
        return 6;
    }
    rmp_set(gpa, vmsa ? RMP_VMSA : RMP_VALIDATED | (*entry(gpa) & RMP_LARGE));
    npt_flush();
    return 0;
}
