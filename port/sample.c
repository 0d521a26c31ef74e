// Sampling: an alarm looks, some hundred times a second, which Python functions run and which C function is at work.
//
// It runs inside the timer's interrupt, at any instruction of anything. Equal chains are counted, not kept again
// (chains.c), so that a program that computes for minutes needs no more room than its different chains do; what finds no
// room, or an interrupted change, is counted as dropped. Built with general registers only.

#include "py/mpconfig.h"
#include "boot/boot.h"
#include "sample.h"

mp_vm_return_kind_t vm_mp_execute_bytecode(mp_code_state_t *code, volatile mp_obj_t inject_exc);

static struct {
    alarm_t alarm;
    uint64_t period_ns, next_ns, started_ns;
    sample_counts_t counts;
} state;
chains_t sample_chains;

// The C function on top; none if that is the VM itself, which is where Python's own time goes.
static uint64_t leaf_of(uint64_t rip) {
    uint64_t offset;
    if (symbol_lookup(rip, &offset) != NULL) {
        uint64_t start = rip - offset;
        bool vm = start == (uint64_t)vm_mp_execute_bytecode || start == (uint64_t)mp_execute_bytecode;
        return vm ? SAMPLE_NO_LEAF : start;
    }
    return exec_holds(rip) ? SAMPLE_MACHINE_CODE : SAMPLE_FIRMWARE;
}

static bool take(void) {
    uint64_t rip, rsp;
    if (!interrupted(&rip, &rsp)) {
        return false;
    }
    chain_t *chain = chains_now(&sample_chains, leaf_of(rip), rsp);
    if (chain != NULL) {
        chain->counts[0]++;
    }
    return chain != NULL;
}

static void on_alarm(alarm_t *alarm) {
    uint64_t now = clock_ns();
    state.next_ns += state.period_ns;
    state.next_ns = state.next_ns > now ? state.next_ns : now + state.period_ns;   // late: what was missed is missed
    alarm_set(alarm, state.next_ns);
    if (cpu_idles()) {
        state.counts.idle++;
        return;
    }
    state.counts.samples++;
    state.counts.dropped += !take();
}

// ---- for modprof.c ----------------------------------------------------------------------------------------
bool sample_start(uint64_t period_ns, size_t len) {
    sample_free();
    if (!chains_begin(&sample_chains, len)) {
        return false;
    }
    state.counts = (sample_counts_t) { 0 };
    state.period_ns = period_ns;
    state.started_ns = clock_ns();
    state.next_ns = state.started_ns + period_ns;
    state.alarm.fn = on_alarm;
    alarm_set(&state.alarm, state.next_ns);
    return true;
}

bool sample_running(void) {
    return state.alarm.fn != NULL;
}

void sample_stop(void) {
    if (sample_running()) {
        alarm_set(&state.alarm, ALARM_OFF);
        state.alarm.fn = NULL;
        state.counts.elapsed_ns = clock_ns() - state.started_ns;
    }
}

sample_counts_t sample_counts(void) {
    sample_counts_t counts = state.counts;
    if (sample_running()) {
        counts.elapsed_ns = clock_ns() - state.started_ns;
    }
    return counts;
}

void sample_free(void) {
    sample_stop();
    chains_end(&sample_chains);
}
