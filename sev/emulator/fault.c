// Faults on request: fault=NAME, or NAME:N for the first N times, or NAME@K:N from the K-th time on. docs/emulator.md lists them.
// A guest can ask for them too, between two of its tests: event 81h (VMMCALL) with the number below in RAX, a name of at most 16 letters
// in EXITINFO1 and 2, how often in RBX.

#include "vmcb.h"
#include "psp.h"

#define EVERY ~0ull

// The host's; the secure processor has a list of its own.
static const char *const host_faults[] = {
    "busy", "more-pages", "psc-refuse", "psc-lie", "psc-header", "register-refuse", "ghcb-exception", "mmio-lie", "spurious-vc", "changed-page",
    "lying-cpuid",
};

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

static bool is_count(const char *s) {
    const char *first = s;
    number(&s);
    return s != first && *s == 0;
}

// Does the option name a fault, and are its numbers some? None at all is right, too.
bool fault_known(void) {
    const char *what, *name, *rest = machine.options->fault;
    bool known = *rest == 0;
    for (unsigned i = 0; !known && i < sizeof(host_faults) / sizeof(*host_faults); i++) {
        known = matches(host_faults[i], &rest);
    }
    for (unsigned i = 0; !known && (name = psp_fault_name(i, &what)) != NULL; i++) {
        known = matches(name, &rest);
    }
    if (known && *rest == '@') {
        const char *from = ++rest;
        number(&rest);
        known = rest != from && *rest == ':';
    }
    return known && (*rest == 0 || is_count(rest + 1));
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
    uint64_t gpa;
    if (!v->own_idt || !machine.strict || V64(v, EXIT_CODE) != EXIT_VMMCALL) {
        return;
    }
    if (fault_take("spurious-vc")) {
        reflect(v, EXIT_CPUID);
    }
    if (fault_take("changed-page") && walk(v, v->gpr[RSP_], &gpa)) {
        rmp_set(gpa & ~C_MASK & ~PAGE_MASK, RMP_UNVALIDATED);          // the host took the page of the guest's stack away
        npt_flush();
    }
}

// RAX is 0 where that was understood. "renew" makes new keys in the secrets page, as after a launch; "tally" is tally.c's.
void fault_call(exchange_t *x) {
    static const char renew[] = "renew", count[] = "tally";
    char name[17] = { 0 };
    __builtin_memcpy(name, &x->info1, 8);
    __builtin_memcpy(name + 8, &x->info2, 8);
    if (__builtin_strcmp(name, renew) == 0) {
        x->rax = launch() == NULL ? 0 : ~0ull;
        return;
    }
    if (__builtin_strcmp(name, count) == 0) {
        tally_tell();
        x->rax = 0;
        return;
    }
    char *out = machine.options->fault;
    size_t n = __builtin_strlen(name);
    __builtin_memcpy(out, name, n + 1);
    if (x->rbx > 0 && x->rbx < 10) {
        out[n] = ':';
        out[n + 1] = '0' + x->rbx;
        out[n + 2] = 0;
    }
    machine.faults_done = 0;
    x->rax = 0;
}
