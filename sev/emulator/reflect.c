// #VC: vector 29, delivered by hand, because QEMU's interpreter pushes no error code for it.
// Source: APM volume 2, 8.9 (long-mode interrupt control transfers), 15.35.5 (#VC).

#include "vmcb.h"

#define VECTOR 29

typedef struct { uint16_t offset0, selector; uint8_t ist, type; uint16_t offset1; uint32_t offset2, reserved; } gate_t;

// Load CS as the gate says; its attributes come from the guest's GDT.
static bool load_cs(vcpu_t *v, uint16_t selector) {
    uint64_t descriptor;
    if ((selector & 4) != 0 || (selector | 7u) > V32(v, GDTR + SEG_LIMIT)
        || !guest_read(v, V64(v, GDTR + SEG_BASE) + (selector & ~7u), &descriptor, 8)) {
        return false;
    }
    V16(v, SEG_CS) = selector & ~3u;
    V16(v, SEG_CS + SEG_ATTR) = (descriptor >> 40 & 0xff) | (descriptor >> 44 & 0xf00);
    V32(v, SEG_CS + SEG_LIMIT) = ~0u;
    V64(v, SEG_CS + SEG_BASE) = 0;
    return true;
}

// The stack that the gate and the privilege ask for: a field of the TSS, or the current one.
static bool pick_stack(vcpu_t *v, const gate_t *gate, bool from_user, uint64_t *rsp) {
    unsigned field = (gate->ist & 7) != 0 ? 36 + 8 * ((gate->ist & 7) - 1) : from_user ? 4 : 0;
    *rsp = v->gpr[RSP_];
    return field == 0 || guest_read(v, V64(v, TR + SEG_BASE) + field, rsp, 8);
}

void reflect(vcpu_t *v, uint32_t exit_code) {
    gate_t gate;
    uint64_t rsp;
    if (!(V64(v, EFER) & EFER_LMA)) {
        violation(v, "exit %#x outside of long mode, where there is no #VC handler", exit_code);
    }
    if (V32(v, IDTR + SEG_LIMIT) < VECTOR * 16 + 15 || !guest_read(v, V64(v, IDTR + SEG_BASE) + VECTOR * 16, &gate, sizeof(gate))
        || !(gate.type & 0x80) || (gate.type & 0x1e) != 0x0e) {
        violation(v, "exit %#x, but the guest has no #VC handler", exit_code);
    }
    bool from_user = V16(v, SEG_CS) & 3 && v->vmcb[CPL] == 3;
    if (!pick_stack(v, &gate, from_user, &rsp)) {
        violation(v, "exit %#x, but the stack for #VC cannot be read", exit_code);
    }
    uint64_t frame[6] = { exit_code, V64(v, RIP), V16(v, SEG_CS), V64(v, RFLAGS), v->gpr[RSP_], V16(v, SEG_SS) };
    rsp = (rsp & ~15ull) - sizeof(frame);
    if (!guest_write(v, rsp, frame, sizeof(frame)) || !load_cs(v, gate.selector)) {
        violation(v, "exit %#x, but the #VC's frame cannot be written at %#lx", exit_code, rsp);
    }
    if (from_user) {
        V16(v, SEG_SS) = 0;
        V16(v, SEG_SS + SEG_ATTR) = 0xc93;
        v->vmcb[CPL] = 0;
    }
    v->gpr[RSP_] = rsp;
    V64(v, RIP) = gate.offset0 | (uint64_t)gate.offset1 << 16 | (uint64_t)gate.offset2 << 32;
    V64(v, RFLAGS) &= ~(RFLAGS_CLEARED | (gate.type & 1 ? 0 : RFLAGS_IF));
    V64(v, INT_SHADOW) &= ~1ull;
    v->recent[v->vc_count++ % RECENT] = (recent_t) { exit_code, frame[1] };
}
