// Module _prof: samples of what runs, and what the heap holds, as net/pprof.py wants them.
//
// start(), stop() and the interrupt between them are sample.c; heap() is heap_types.c. Names are looked up here,
// where there is time.

#include <string.h>

#include "py/mperrno.h"
#include "py/runtime.h"
#include "boot/boot.h"
#include "args.h"
#include "gc_blocks.h"
#include "gc_sites.h"
#include "heap_types.h"
#include "kmem.h"
#include "sample.h"

#define HZ_MAX 10000
#define LEN_MIN 4096
#define LEN_MAX (64 * 1024 * 1024)

// start(hz=100, size=524288): sample that often; size: bytes for what is found.
// ValueError: out of range; OSError(EBUSY): started already; MemoryError.
static mp_obj_t prof_start(size_t n_args, const mp_obj_t *args) {
    mp_int_t hz = n_args > 0 ? mp_obj_get_int(args[0]) : 100, len = n_args > 1 ? mp_obj_get_int(args[1]) : 512 * 1024;
    if (hz < 1 || hz > HZ_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("hz must be 1 to 10000"));
    }
    if (len < LEN_MIN || len > LEN_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("size must be 4 KiB to 64 MiB"));
    }
    if (sample_running()) {
        mp_raise_OSError(MP_EBUSY);
    }
    if (!sample_start(1000000000 / hz, len)) {
        mp_raise_type(&mp_type_MemoryError);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(prof_start_obj, 0, 2, prof_start);

// stop(): no more samples; what was found stays until free() or start()
static mp_obj_t prof_stop(void) {
    sample_stop();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(prof_stop_obj, prof_stop);

static mp_obj_t prof_free(void) {
    sample_free();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(prof_free_obj, prof_free);

// running() -> True between start() and stop()
static mp_obj_t prof_running(void) {
    return mp_obj_new_bool(sample_running());
}
static MP_DEFINE_CONST_FUN_OBJ_0(prof_running_obj, prof_running);

// counts() -> (samples, idle, dropped, ns): found running (dropped ones included), found idle, lost, time between start and stop
static mp_obj_t prof_counts(void) {
    sample_counts_t c = sample_counts();
    return tuple_of_ints(4, (uint64_t[]) { c.samples, c.idle, c.dropped, c.elapsed_ns });
}
static MP_DEFINE_CONST_FUN_OBJ_0(prof_counts_obj, prof_counts);

// ---- what was found ---------------------------------------------------------------------------------------
static mp_obj_t text(const char *s) {
    return mp_obj_new_str(s, strlen(s));
}

static mp_obj_t leaf_name(uint64_t leaf) {
    uint64_t offset;
    switch (leaf) {
        case SAMPLE_NO_LEAF:
            return mp_const_none;
        case SAMPLE_MACHINE_CODE:
            return text("(machine code)");
        case SAMPLE_FIRMWARE:
            return text("(firmware)");
        default:
            return text(symbol_lookup(leaf, &offset));
    }
}

static mp_obj_t place_tuple(place_t place) {
    mp_obj_t items[] = { MP_OBJ_NEW_QSTR(place.file), MP_OBJ_NEW_SMALL_INT(place.line), MP_OBJ_NEW_QSTR(place.function) };
    return mp_obj_new_tuple(3, items);
}

static mp_obj_t places_tuple(const chain_t *chain) {
    mp_obj_t places = mp_obj_new_tuple(chain->depth + chain->deeper, NULL);
    mp_obj_t *items = ((mp_obj_tuple_t *)MP_OBJ_TO_PTR(places))->items;
    for (size_t i = 0; i < chain->depth; i++) {
        items[i] = place_tuple(chain->places[i]);
    }
    if (chain->deeper) {
        mp_obj_t mark[] = { MP_OBJ_NEW_QSTR(MP_QSTR_), MP_OBJ_NEW_SMALL_INT(0), text("(deeper)") };
        items[chain->depth] = mp_obj_new_tuple(3, mark);
    }
    return places;
}

static mp_obj_t sample_tuple(const chain_t *chain) {
    mp_obj_t items[] = { MP_OBJ_NEW_SMALL_INT(chain->counts[0]), leaf_name(chain->leaf), places_tuple(chain) };
    return mp_obj_new_tuple(3, items);
}

static mp_obj_t site_tuple(const chain_t *chain) {
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(chain->counts[0] * BLOCK_LEN), MP_OBJ_NEW_SMALL_INT(chain->counts[1] * BLOCK_LEN),
        MP_OBJ_NEW_SMALL_INT(chain->leaf * BLOCK_LEN), places_tuple(chain),
    };
    return mp_obj_new_tuple(4, items);
}

// An iterator over chains, for as long as they are there.
typedef struct {
    mp_obj_base_t base;
    mp_fun_1_t iternext;
    const chains_t *chains;
    const chain_t *at;
    uint32_t ended;
    mp_obj_t (*tuple)(const chain_t *chain);
} chains_iter_t;

static mp_obj_t chains_iternext(mp_obj_t self_in) {
    chains_iter_t *self = MP_OBJ_TO_PTR(self_in);
    self->at = self->ended == self->chains->ended ? chains_next(self->chains, self->at) : NULL;
    return self->at == NULL ? MP_OBJ_STOP_ITERATION : self->tuple(self->at);
}

static mp_obj_t chains_iterator(const chains_t *chains, mp_obj_t (*tuple)(const chain_t *chain), bool running) {
    if (running) {
        mp_raise_OSError(MP_EBUSY);
    }
    chains_iter_t *self = mp_obj_malloc(chains_iter_t, &mp_type_polymorph_iter);
    self->iternext = chains_iternext;
    self->chains = chains;
    self->at = NULL;
    self->ended = chains->ended;
    self->tuple = tuple;
    return MP_OBJ_FROM_PTR(self);
}

// samples(): an iterator of (count, leaf, places). leaf: name of the C function that was at work, or None;
// places: ((file, line, function), ...) as _frames.current() gives them. OSError(EBUSY): not before stop().
static mp_obj_t prof_samples(void) {
    return chains_iterator(&sample_chains, sample_tuple, sample_running());
}
static MP_DEFINE_CONST_FUN_OBJ_0(prof_samples_obj, prof_samples);

// symbol(address) -> (name, offset) of the C function that holds it, or None
static mp_obj_t prof_symbol(mp_obj_t addr) {
    uint64_t offset;
    const char *name = symbol_lookup(arg_addr(addr), &offset);
    if (name == NULL) {
        return mp_const_none;
    }
    mp_obj_t items[] = { text(name), MP_OBJ_NEW_SMALL_INT(offset) };
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(prof_symbol_obj, prof_symbol);

// ---- the heap ---------------------------------------------------------------------------------------------
static mp_obj_t row_tuple(const heap_row_t *row, bool other) {
    mp_obj_t items[] = {
        other ? text("(others)") : row->type == NULL ? mp_const_none : MP_OBJ_NEW_QSTR(row->type->name), mp_obj_new_bool(row->data),
        MP_OBJ_NEW_SMALL_INT(row->blocks * BLOCK_LEN), MP_OBJ_NEW_SMALL_INT(row->count), MP_OBJ_NEW_SMALL_INT(row->bytes),
    };
    return mp_obj_new_tuple(5, items);
}

// heap() -> [(type's name, data, size, count, bytes), ...]: objects of one type and size class, or (data) what objects
// of that type own; None for the name: neither; "(others)": all that found no room here. Sizes above 1 KiB are counted under the next lower power of two.
static mp_obj_t prof_heap(void) {
    heap_row_t *rows = kmem_alloc(HEAP_ROWS * sizeof(*rows));
    if (rows == NULL) {
        mp_raise_type(&mp_type_MemoryError);
    }
    memset(rows, 0, HEAP_ROWS * sizeof(*rows));
    heap_types(rows);
    nlr_buf_t nlr;
    mp_obj_t list = MP_OBJ_NULL;
    if (nlr_push(&nlr) == 0) {
        list = mp_obj_new_list(0, NULL);
        for (size_t i = 0; i < HEAP_ROWS; i++) {
            if (rows[i].count != 0) {
                mp_obj_list_append(list, row_tuple(&rows[i], i == HEAP_ROWS - 1));
            }
        }
        nlr_pop();
    }
    kmem_free(rows, HEAP_ROWS * sizeof(*rows));
    if (list == MP_OBJ_NULL) {
        nlr_jump(nlr.ret_val);
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_0(prof_heap_obj, prof_heap);

// ---- where it was allocated ---------------------------------------------------------------------------------
// sites_start(rate=4096): look who allocates, once in that many bytes, and whether it lives on.
// ValueError: rate is no 32 to 2**30; OSError(EBUSY): started already; MemoryError.
static mp_obj_t prof_sites_start(size_t n_args, const mp_obj_t *args) {
    mp_int_t rate = n_args > 0 ? mp_obj_get_int(args[0]) : 4096;
    if (rate < (mp_int_t)BLOCK_LEN || rate > 1 << 30) {
        mp_raise_ValueError(MP_ERROR_TEXT("rate must be 32 to 2**30"));
    }
    if (gc_sites_on) {
        mp_raise_OSError(MP_EBUSY);
    }
    if (!gc_sites_start(rate / BLOCK_LEN, 512 * 1024)) {
        mp_raise_type(&mp_type_MemoryError);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(prof_sites_start_obj, 0, 1, prof_sites_start);

// sites_stop() -> bytes that found no room. What was found stays until sites_free() or sites_start().
static mp_obj_t prof_sites_stop(void) {
    gc_sites_stop();
    return MP_OBJ_NEW_SMALL_INT(gc_sites_dropped * BLOCK_LEN);
}
static MP_DEFINE_CONST_FUN_OBJ_0(prof_sites_stop_obj, prof_sites_stop);

static mp_obj_t prof_sites_free(void) {
    gc_sites_free();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(prof_sites_free_obj, prof_sites_free);

static mp_obj_t prof_sites_running(void) {
    return mp_obj_new_bool(gc_sites_on);
}
static MP_DEFINE_CONST_FUN_OBJ_0(prof_sites_running_obj, prof_sites_running);

// sites(): an iterator of (bytes allocated, bytes of these that live, bytes of one object, places)
static mp_obj_t prof_sites(void) {
    return chains_iterator(&gc_sites, site_tuple, gc_sites_on);
}
static MP_DEFINE_CONST_FUN_OBJ_0(prof_sites_obj, prof_sites);

static const mp_rom_map_elem_t prof_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__prof) },
    { MP_ROM_QSTR(MP_QSTR_start), MP_ROM_PTR(&prof_start_obj) },
    { MP_ROM_QSTR(MP_QSTR_stop), MP_ROM_PTR(&prof_stop_obj) },
    { MP_ROM_QSTR(MP_QSTR_free), MP_ROM_PTR(&prof_free_obj) },
    { MP_ROM_QSTR(MP_QSTR_running), MP_ROM_PTR(&prof_running_obj) },
    { MP_ROM_QSTR(MP_QSTR_counts), MP_ROM_PTR(&prof_counts_obj) },
    { MP_ROM_QSTR(MP_QSTR_samples), MP_ROM_PTR(&prof_samples_obj) },
    { MP_ROM_QSTR(MP_QSTR_symbol), MP_ROM_PTR(&prof_symbol_obj) },
    { MP_ROM_QSTR(MP_QSTR_heap), MP_ROM_PTR(&prof_heap_obj) },
    { MP_ROM_QSTR(MP_QSTR_sites_start), MP_ROM_PTR(&prof_sites_start_obj) },
    { MP_ROM_QSTR(MP_QSTR_sites_stop), MP_ROM_PTR(&prof_sites_stop_obj) },
    { MP_ROM_QSTR(MP_QSTR_sites_free), MP_ROM_PTR(&prof_sites_free_obj) },
    { MP_ROM_QSTR(MP_QSTR_sites_running), MP_ROM_PTR(&prof_sites_running_obj) },
    { MP_ROM_QSTR(MP_QSTR_sites), MP_ROM_PTR(&prof_sites_obj) },
};
static MP_DEFINE_CONST_DICT(prof_globals, prof_globals_table);

const mp_obj_module_t prof_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&prof_globals,
};
MP_REGISTER_MODULE(MP_QSTR__prof, prof_module);
