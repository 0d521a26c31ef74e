// Faults on request: fault=NAME, or NAME:N for the first N times, or NAME@K:N from the K-th time on. docs/emulator.md lists them.

#include "vmcb.h"
#include "psp.h"

#define EVERY ~0ull

static bool matches(const char *name, const char **rest) {
    const char *f = machine.options->fault;
    while (*name != 0 && *f == *name) {
        name++;
        f++;
    }
    *rest = f;
    return *name == 0 && (*f == 0 || *f == ':' || *f == '@');
}

bool fault_is(const char *name) {
    const char *rest;
    return matches(name, &rest);
}

static uint64_t number(const char **s) {
    uint64_t n = 0;
    while (**s >= '0' && **s <= '9') {
        n = n * 10 + (*(*s)++ - '0');
    }
    return n;
}

bool fault_take(const char *name) {
    const char *rest;
    if (!matches(name, &rest)) {
        return false;
    }
    uint64_t from = 0, count = EVERY;
    if (*rest == '@') {
        rest++;
        from = number(&rest);
    }
    if (*rest == ':') {
        rest++;
        count = number(&rest);
    }
    uint64_t turn = machine.faults_done++;
    if (turn < from || turn - from >= count) {
        return false;
    }
    say("fault on request: %s", name);
    return true;
}

// The secure processor's own faults: psp.h.
void fault_psp(void) {
    const char *what, *name;
    for (unsigned i = 0; (name = psp_fault_name(i, &what)) != NULL; i++) {
        if (fault_take(name)) {
            psp_fault(name);
        }
    }
}

// A #VC that no instruction of the guest's caused: once the guest is on its own, at some exit.
void fault_exit(vcpu_t *v) {
    if (v->own_idt && machine.strict && V64(v, EXIT_CODE) == EXIT_VMMCALL && fault_take("spurious-vc")) {
        reflect(v, EXIT_CPUID);
    }
    if (v->own_idt && machine.strict && V64(v, EXIT_CODE) == EXIT_VMMCALL && fault_take("changed-page")) {
        uint64_t gpa;
        if (walk(v, v->gpr[RSP_], &gpa)) {
            rmp_set(gpa & ~C_MASK & ~PAGE_MASK, RMP_UNVALIDATED);      // the host took the page of the guest's stack away
            npt_flush();
        }
    }
}
