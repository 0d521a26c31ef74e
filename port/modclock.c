// Module clock: monotonic and wall time in nanoseconds, the TSC behind them, and the boot chart.

#include "py/runtime.h"
#include "boot/boot.h"
#include "args.h"

// ns() -> monotonic, since the firmware entered us
static mp_obj_t clock_ns_py(void) {
    return mp_obj_new_int_from_uint(clock_ns());
}
static MP_DEFINE_CONST_FUN_OBJ_0(clock_ns_obj, clock_ns_py);

// idle_ns() -> of these, how many the processor slept
static mp_obj_t clock_idle(void) {
    return mp_obj_new_int_from_uint(cpu_idle_ns());
}
static MP_DEFINE_CONST_FUN_OBJ_0(clock_idle_obj, clock_idle);

// wall_ns() -> since 1970-01-01 UTC
static mp_obj_t clock_wall(void) {
    return mp_obj_new_int_from_ll(clock_wall_ns());
}
static MP_DEFINE_CONST_FUN_OBJ_0(clock_wall_obj, clock_wall);

// set_wall_ns(n): n as wall_ns() gives it; the monotonic clock stays as it is.
static mp_obj_t clock_set_wall(mp_obj_t ns) {
    clock_set_wall_ns(arg_bits(ns, 63));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(clock_set_wall_obj, clock_set_wall);

// tsc_hz() -> frequency of the time stamp counter
static mp_obj_t clock_tsc_hz(void) {
    return mp_obj_new_int_from_uint(tsc_hz);
}
static MP_DEFINE_CONST_FUN_OBJ_0(clock_tsc_hz_obj, clock_tsc_hz);

// tsc_source() -> how that was found
static mp_obj_t clock_tsc_source(void) {
    return mp_obj_new_str_from_cstr(tsc_source);
}
static MP_DEFINE_CONST_FUN_OBJ_0(clock_tsc_source_obj, clock_tsc_source);

// chart() -> ((phase, TSC ticks from our entry to its end), ...)
static mp_obj_t clock_chart(void) {
    const chart_mark_t *marks;
    size_t count = chart_get(&marks);
    mp_obj_tuple_t *all = MP_OBJ_TO_PTR(mp_obj_new_tuple(count, NULL));
    for (size_t i = 0; i < count; i++) {
        mp_obj_t items[] = {
            mp_obj_new_str_from_cstr(marks[i].name), mp_obj_new_int_from_uint(marks[i].tsc - tsc_start),
        };
        all->items[i] = mp_obj_new_tuple(2, items);
    }
    return MP_OBJ_FROM_PTR(all);
}
static MP_DEFINE_CONST_FUN_OBJ_0(clock_chart_obj, clock_chart);

// mark(name): a phase of the boot ends here. The name is interned, so that it stays.
static mp_obj_t clock_mark(mp_obj_t name) {
    chart_mark(qstr_str(mp_obj_str_get_qstr(name)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(clock_mark_obj, clock_mark);

static const mp_rom_map_elem_t clock_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_clock) },
    { MP_ROM_QSTR(MP_QSTR_ns), MP_ROM_PTR(&clock_ns_obj) },
    { MP_ROM_QSTR(MP_QSTR_idle_ns), MP_ROM_PTR(&clock_idle_obj) },
    { MP_ROM_QSTR(MP_QSTR_wall_ns), MP_ROM_PTR(&clock_wall_obj) },
    { MP_ROM_QSTR(MP_QSTR_set_wall_ns), MP_ROM_PTR(&clock_set_wall_obj) },
    { MP_ROM_QSTR(MP_QSTR_tsc_hz), MP_ROM_PTR(&clock_tsc_hz_obj) },
    { MP_ROM_QSTR(MP_QSTR_tsc_source), MP_ROM_PTR(&clock_tsc_source_obj) },
    { MP_ROM_QSTR(MP_QSTR_chart), MP_ROM_PTR(&clock_chart_obj) },
    { MP_ROM_QSTR(MP_QSTR_mark), MP_ROM_PTR(&clock_mark_obj) },
};
static MP_DEFINE_CONST_DICT(clock_globals, clock_globals_table);

const mp_obj_module_t clock_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&clock_globals,
};
MP_REGISTER_MODULE(MP_QSTR_clock, clock_module);
