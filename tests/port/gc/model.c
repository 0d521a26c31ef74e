// Random use of the collected heap, checked against a model of what is in it.
//
//     model windows|fixed SEED STEPS
//
// Objects hold links to other objects and words that are no addresses. The model knows each object's
// place, length, links and seed; after a collection exactly the reachable ones may be in the heap.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boot/boot.h"
#include "port/heap.h"
#include "py/gc.h"
#include "py/mpstate.h"
#include "py/runtime.h"
#include "machine.h"

#define OBJECTS 200000
#define LINKS 3
#define BLOCK MICROPY_BYTES_PER_GC_BLOCK

// In memory: its type if it has a finaliser, then up to LINKS links, then seeded words.
typedef struct {
    uintptr_t *words;                           // NULL: not in the heap
    size_t count;                               // of words
    size_t links[LINKS];                        // numbers of objects, 0: none
    uint32_t seed;
    bool finaliser, linked, reached;
} object_t;

mp_state_ctx_t mp_state_ctx;
static object_t objects[OBJECTS];
static size_t root_of[ROOTS], made, finalised, wanted_finalised;
static size_t queue[OBJECTS];
static const mp_obj_type_t type;
const mp_obj_type_t mp_type_tuple, mp_type_list, mp_type_dict, mp_type_str, mp_type_bytes, mp_type_bytearray, mp_type_array,
    mp_type_float, mp_type_fun_bc, mp_type_module;

// ---- what the heap calls ------------------------------------------------------------------------------------
void gc_helper_collect_regs_and_stack(void) {
}

void mp_load_method_maybe(mp_obj_t object, int name, mp_obj_t *method) {
    check(((mp_obj_base_t *)object)->type == &type && gc_is_locked(), "an object to finalise");
    method[0] = object;
}

mp_obj_t mp_call_function_1_protected(mp_obj_t function, mp_obj_t argument) {
    check(gc_alloc(1, 0) == NULL, "no allocation while finalisers run");
    finalised++;
    return NULL;
}

void mp_sched_lock(void) {
}

void mp_sched_unlock(void) {
}

int mp_printf(const mp_print_t *print, const char *format, ...) {
    return 0;
}

void mp_print_str(const mp_print_t *print, const char *text) {
}

// ---- objects ------------------------------------------------------------------------------------------------
static size_t head_words(const object_t *o) {
    return o->finaliser + LINKS;
}

static uintptr_t word_of(const object_t *o, size_t i) {
    return (o->seed + i * 2654435761u) | 1;     // odd: no object's address
}

static void write_links(object_t *o) {
    for (size_t i = 0; i < LINKS && o->finaliser + i < o->count; i++) {
        o->words[o->finaliser + i] = (uintptr_t)objects[o->links[i]].words;
    }
}

static void fill(object_t *o, size_t from) {
    for (size_t i = from; i < o->count; i++) {
        check(o->words[i] == 0, "new memory is zero");
        if (i >= head_words(o)) {
            o->words[i] = word_of(o, i);
        }
    }
}

static void verify(const object_t *o) {
    size_t len = (o->count * sizeof(uintptr_t) + BLOCK - 1) / BLOCK * BLOCK;
    check(gc_nbytes(o->words) == len, "an object's length");
    for (size_t i = 0; i < o->count; i++) {
        size_t link = i - o->finaliser;
        uintptr_t wanted = i < o->finaliser ? (uintptr_t)&type
            : link < LINKS ? (uintptr_t)objects[o->links[link]].words : word_of(o, i);
        check(o->words[i] == wanted, "an object's content");
    }
}

static size_t reach(void) {
    size_t len = 0, blocks = 0;
    for (size_t i = 1; i < made; i++) {
        objects[i].reached = false;
    }
    for (size_t i = 0; i < ROOTS; i++) {
        if (root_of[i] != 0 && !objects[root_of[i]].reached) {
            objects[root_of[i]].reached = true;
            queue[len++] = root_of[i];
        }
    }
    for (size_t at = 0; at < len; at++) {
        object_t *o = &objects[queue[at]];
        verify(o);
        blocks += gc_nbytes(o->words) / BLOCK;
        for (size_t i = 0; i < LINKS && o->finaliser + i < o->count; i++) {
            if (o->links[i] != 0 && !objects[o->links[i]].reached) {
                objects[o->links[i]].reached = true;
                queue[len++] = o->links[i];
            }
        }
    }
    return blocks;
}

// Collect, and compare the heap with what is reachable. The numbers of the others are used again.
static void collect(void) {
    size_t blocks = reach();
    gc_collect();
    check(reach() == blocks, "what is reachable stays");
    gc_info_t info;
    gc_info(&info);
    check(info.used == blocks * BLOCK && info.used + info.free == info.total, "what is not reachable goes");
    for (size_t i = 1; i < made; i++) {
        if (!objects[i].reached && objects[i].words != NULL) {
            wanted_finalised += objects[i].finaliser;
            objects[i] = (object_t) { NULL };
        }
    }
    check(finalised == wanted_finalised, "finalisers run once each");
    while (made > 1 && objects[made - 1].words == NULL) {
        made--;
    }
}

// ---- steps --------------------------------------------------------------------------------------------------
static size_t random_words(void) {
    unsigned kind = rand() % 100;
    return 1 + (kind < 60 ? rand() % 12 : kind < 95 ? rand() % 160 : kind < 99 ? rand() % 4096 : rand() % 200000);
}

static void make(size_t slot) {
    if (made == OBJECTS) {
        collect();
        if (made == OBJECTS) {
            return;
        }
    }
    object_t *o = &objects[made];
    *o = (object_t) { .count = random_words(), .seed = rand(), .finaliser = rand() % 20 == 0 };
    o->words = gc_alloc(o->count * sizeof(uintptr_t), o->finaliser ? GC_ALLOC_FLAG_HAS_FINALISER : 0);
    if (o->words == NULL) {
        return;
    }
    fill(o, 0);
    if (o->finaliser) {
        o->words[0] = (uintptr_t)&type;
    }
    for (size_t i = 0; i < LINKS && o->finaliser + i < o->count; i++) {
        size_t to = rand() % 3 ? root_of[rand() % ROOTS] : 0;
        o->links[i] = to;
        objects[to].linked = true;
    }
    write_links(o);
    root_of[slot] = made++;
    mp_state_ctx.vm.roots[slot] = o->words;
}

static void drop(size_t slot) {
    root_of[slot] = 0;
    mp_state_ctx.vm.roots[slot] = NULL;
}

// Only what nothing links to may be freed or move. -> that object, or NULL
static object_t *sole(size_t slot) {
    object_t *o = &objects[root_of[slot]];
    for (size_t i = 0; i < ROOTS; i++) {
        if (i != slot && root_of[i] == root_of[slot]) {
            return NULL;
        }
    }
    return root_of[slot] == 0 || o->linked ? NULL : o;
}

static void release(size_t slot) {
    object_t *o = sole(slot);
    if (o != NULL) {
        verify(o);
        gc_free(o->words);
        check(gc_nbytes(o->words) == 0, "a freed object is none");
        *o = (object_t) { NULL };
        drop(slot);
    }
}

static void resize(size_t slot) {
    object_t *o = sole(slot);
    size_t count = random_words();
    if (o == NULL || o->count < head_words(o) || count < head_words(o)) {
        return;
    }
    bool may_move = rand() % 4 != 0;
    size_t had = o->count;
    uintptr_t *words = gc_realloc(o->words, count * sizeof(uintptr_t), may_move);
    check(words == o->words || may_move || words == NULL, "only what may move moves");
    if (words != NULL) {
        mp_state_ctx.vm.roots[slot] = o->words = words;
        o->count = count;
        for (size_t i = had; i < count; i++) {
            o->words[i] = word_of(o, i);
        }
    }
    verify(o);
}

static void step(void) {
    size_t slot = rand() % ROOTS;
    unsigned kind = rand() % 1000;
    if (kind < 600) {
        make(slot);
    } else if (kind < 750) {
        drop(slot);
    } else if (kind < 850) {
        release(slot);
    } else if (kind < 998) {
        resize(slot);
    } else {
        collect();
    }
}

static void drop_all(void) {
    for (size_t i = 0; i < ROOTS; i++) {
        drop(i);
    }
    collect();
}

// ---- shapes -------------------------------------------------------------------------------------------------
static size_t used(void) {
    gc_info_t info;
    gc_info(&info);
    return info.used / BLOCK;
}

// A chain, its next object first or last in each, beside a leaf: marking's stack may have to hold it all.
static void chain(size_t count, size_t next, bool full) {
    void **head = NULL;
    for (size_t i = 0; i < count; i++) {
        void **object = gc_alloc(4 * sizeof(void *), 0);
        object[next] = head;
        mp_state_ctx.vm.roots[0] = head = object;
        object[3 - next] = gc_alloc(1, 0);
    }
    machine_full = full;
    gc_collect();
    machine_full = false;
    check(used() == 2 * count, full ? "a long chain, with no memory for the stack" : "a long chain");
    drop_all();
}

// A list of lists: wide, and longer than one part of a scan.
static void list(size_t count) {
    void **items = gc_alloc(count * sizeof(void *), 0);
    mp_state_ctx.vm.roots[0] = items;
    for (size_t i = 0; i < count; i++) {
        items[i] = gc_alloc(100, 0);
    }
    gc_collect();
    check(used() == count * 4 + (count * sizeof(void *) + BLOCK - 1) / BLOCK, "a long list");
    drop_all();
}

// Fill the memory: allocation ends with NULL, leaves the reserve, and goes on after objects were dropped.
static void exhaust(void) {
    void **last = NULL, **object;
    while ((object = gc_alloc(100000, 0)) != NULL) {
        *object = last;
        mp_state_ctx.vm.roots[0] = last = object;
    }
    check(machine_firmware || machine_free() >= 128, "the reserve is left");
    check(machine_firmware || machine_free() < 1024, "fragmented memory is used");
    check(gc_alloc(SIZE_MAX, 0) == NULL && gc_alloc(SIZE_MAX / 2, 0) == NULL, "no more than there is");
    drop_all();
    check(gc_alloc(1000000, 0) != NULL, "memory that was full is usable again");
    drop_all();
}

static void thresholds(void) {
    MP_STATE_MEM(gc_alloc_threshold) = 100;
    for (size_t i = 0; i < 1000; i++) {
        gc_alloc(BLOCK, 0);
    }
    check(used() <= 101, "a threshold collects");
    MP_STATE_MEM(gc_alloc_threshold) = SIZE_MAX;
    gc_lock();
    check(gc_alloc(1, 0) == NULL && gc_is_locked(), "a locked heap");
    gc_unlock();
    drop_all();
}

int main(int argc, char **argv) {
    check(argc == 4, "three arguments");
    machine_firmware = strcmp(argv[1], "fixed") == 0;
    srand(atoi(argv[2]));
    machine_start();
    made = 1;
    check(heap_init(), "a heap");
    size_t begun = machine_free();
    for (int round = 0; round < 2; round++) {
        for (int i = atoi(argv[3]); i > 0; i--) {
            step();
        }
        drop_all();
        chain(100000, 0, false);
        chain(100000, 3, false);
        chain(100000, 0, true);
        chain(100000, 3, true);
        list(100000);
        thresholds();
        exhaust();
        gc_sweep_all();
        check(heap_init() && machine_free() == begun && used() == 0, "a soft reset gives memory back");
    }
    puts("ok");
    return 0;
}
