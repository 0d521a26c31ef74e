// Sampling: an alarm looks, some hundred times a second, which Python functions run and which C function is at work.
//
// It runs inside the timer's interrupt, at any instruction of anything. The list of frames is whole at each (frames.c),
// but an innermost record that lies below the stack pointer is one that is just being left, or one that an
// unwinding has jumped over: such a sample is dropped. Equal chains are counted, not kept again, so that a program
// that computes for minutes needs no more room than its different chains do; when the room is used up, samples are counted
// as dropped. Nothing is allocated and nothing of Python is called. Built with general registers only.

#include "py/mpconfig.h"
#include "boot/boot.h"
#include "kmem.h"
#include "sample.h"

#define BUCKETS 1024u
#define DEPTH_MAX 128u          // frames of a chain, from the innermost on

uint32_t sample_frees;

mp_vm_return_kind_t vm_mp_execute_bytecode(mp_code_state_t *code, volatile mp_obj_t inject_exc);

static struct {
    alarm_t alarm;
    uint64_t period_ns, next_ns, started_ns;
    sample_counts_t counts;
    uint8_t *room;              // sample_t one behind the other
    size_t len, used;
    sample_t *buckets[BUCKETS];
    place_t places[DEPTH_MAX];  // of the sample that is being taken
} state;

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

// -> how many frames there are, DEPTH_MAX + 1 for more; -1: the list is being changed.
static int walk(uint64_t rsp) {
    uint64_t above = rsp, top = (uint64_t)main_stack_top;
    unsigned depth = 0;
    for (const frame_t *frame = frames_innermost; frame != NULL; frame = frame->caller) {
        if ((uint64_t)frame < above || (uint64_t)frame > top - sizeof(*frame)) {
            return -1;
        }
        if (depth == DEPTH_MAX) {
            return DEPTH_MAX + 1;
        }
        state.places[depth++] = frame_place(frame->code);
        above = (uint64_t)(frame + 1);
    }
    return depth;
}

static uint32_t hash_of(uint64_t leaf, unsigned depth) {
    uint32_t hash = 2166136261u ^ (uint32_t)leaf;
    for (unsigned i = 0; i < depth; i++) {
        const place_t *p = &state.places[i];
        hash = (((hash ^ p->function) * 16777619u ^ p->line) * 16777619u ^ p->file) * 16777619u;
    }
    return hash ^ hash >> 16;
}

static bool equal(const sample_t *s, uint64_t leaf, uint32_t hash, unsigned depth, bool deeper) {
    if (s->hash != hash || s->leaf != leaf || s->depth != depth || s->deeper != deeper) {
        return false;
    }
    for (unsigned i = 0; i < depth; i++) {
        const place_t *a = &s->places[i], *b = &state.places[i];
        if (a->file != b->file || a->function != b->function || a->line != b->line) {
            return false;
        }
    }
    return true;
}

static size_t sample_len(unsigned depth) {
    return (sizeof(sample_t) + depth * sizeof(place_t) + 7) & ~(size_t)7;
}

static sample_t *append(unsigned depth) {
    size_t len = sample_len(depth);
    if (len > state.len - state.used) {
        return NULL;
    }
    sample_t *s = (sample_t *)(state.room + state.used);
    state.used += len;
    return s;
}

static bool record(uint64_t leaf, unsigned depth, bool deeper) {
    uint32_t hash = hash_of(leaf, depth);
    sample_t **bucket = &state.buckets[hash % BUCKETS], *s = *bucket;
    while (s != NULL && !equal(s, leaf, hash, depth, deeper)) {
        s = s->same_bucket;
    }
    if (s != NULL) {
        s->count++;
        return true;
    }
    if ((s = append(depth)) == NULL) {
        return false;
    }
    s->same_bucket = *bucket;
    s->leaf = leaf;
    s->hash = hash;
    s->count = 1;
    s->depth = depth;
    s->deeper = deeper;
    for (unsigned i = 0; i < depth; i++) {
        s->places[i] = state.places[i];
    }
    *bucket = s;
    return true;
}

static bool take(void) {
    uint64_t rip, rsp;
    if (!interrupted(&rip, &rsp)) {
        return false;
    }
    int depth = walk(rsp);
    bool deeper = depth > (int)DEPTH_MAX;
    return depth >= 0 && record(leaf_of(rip), deeper ? DEPTH_MAX : depth, deeper);
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
    state.room = kmem_alloc(len);
    if (state.room == NULL) {
        return false;
    }
    state.len = len;
    state.counts = (sample_counts_t) { 0 };
    for (size_t i = 0; i < BUCKETS; i++) {
        state.buckets[i] = NULL;
    }
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

const sample_t *sample_next(const sample_t *before) {
    const uint8_t *at = before == NULL ? state.room : (const uint8_t *)before + sample_len(before->depth);
    return at < state.room + state.used ? (const sample_t *)at : NULL;
}

void sample_free(void) {
    sample_frees++;
    sample_stop();
    kmem_free(state.room, state.len);
    state.room = NULL;
    state.len = state.used = 0;
}
