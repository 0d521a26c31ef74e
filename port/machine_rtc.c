// class machine.RTC: the wall clock as MicroPython's ports for boards show it.
//
// It sets the running clock, not the battery-backed one behind the firmware.

#include "py/runtime.h"
#include "shared/timeutils/timeutils.h"
#include "boot/boot.h"
#include "args.h"
#include "machine_rtc.h"

static const mp_obj_base_t rtc = { &machine_rtc_type };

static mp_obj_t rtc_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return MP_OBJ_FROM_PTR(&rtc);
}

static mp_obj_t rtc_get(void) {
    int64_t ns = clock_wall_ns();
    timeutils_struct_time_t tm;
    timeutils_seconds_since_epoch_to_struct_time(ns / 1000000000, &tm);
    return tuple_of_ints(8, (uint64_t[]) {
        tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_wday, tm.tm_hour, tm.tm_min, tm.tm_sec, ns % 1000000000 / 1000,
    });
}

// datetime() -> (year, month, day, weekday, hour, minute, second, microsecond); datetime(tuple) sets it.
static mp_obj_t rtc_datetime(size_t n_args, const mp_obj_t *args) {
    if (n_args == 1) {
        return rtc_get();
    }
    mp_obj_t *items;
    mp_obj_get_array_fixed_n(args[1], 8, &items);
    mp_int_t v[8];
    for (int i = 0; i < 8; i++) {
        v[i] = mp_obj_get_int(items[i]);
    }
    int64_t seconds = timeutils_seconds_since_epoch(v[0], v[1], v[2], v[4], v[5], v[6]);
    clock_set_wall_ns(seconds * 1000000000 + v[7] * 1000);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(rtc_datetime_obj, 1, 2, rtc_datetime);

static const mp_rom_map_elem_t rtc_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_datetime), MP_ROM_PTR(&rtc_datetime_obj) },
};
static MP_DEFINE_CONST_DICT(rtc_locals, rtc_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    machine_rtc_type, MP_QSTR_RTC, MP_TYPE_FLAG_NONE, make_new, rtc_make_new, locals_dict, &rtc_locals);
