// The time module's clock, included by extmod/modtime.c. Seconds are floats since 1970, as on
// MicroPython's unix port: localtime() takes them, and sleep() keeps their fraction. Local time is UTC.

#include "shared/timeutils/timeutils.h"
#include "boot/boot.h"
#include "args.h"

static mp_obj_t mp_time_time_get(void) {
    return mp_obj_new_float((mp_float_t)clock_wall_ns() / 1e9);
}

static mp_obj_t mp_time_sleep(mp_obj_t seconds_in) {
    mp_float_t seconds = mp_obj_get_float(seconds_in);
    if (seconds >= 0) {
        mp_hal_wait_until(clock_ns() + (uint64_t)(seconds * 1e9));
    }
    return mp_const_none;
}

// localtime(seconds=now) -> (year, month, mday, hour, minute, second, weekday, yearday)
static mp_obj_t mp_time_localtime(size_t n_args, const mp_obj_t *args) {
    int64_t seconds = clock_wall_ns() / 1000000000;
    if (n_args > 0 && args[0] != mp_const_none) {
        seconds = mp_obj_is_float(args[0]) ? (int64_t)mp_obj_get_float(args[0]) : mp_obj_get_int(args[0]);
    }
    timeutils_struct_time_t tm;
    timeutils_seconds_since_epoch_to_struct_time(seconds, &tm);
    return tuple_of_ints(8, (uint64_t[]) {
        tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_wday, tm.tm_yday,
    });
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mp_time_localtime_obj, 0, 1, mp_time_localtime);

// mktime(tuple of 8 or 9) -> seconds, the inverse
static mp_obj_t mp_time_mktime(mp_obj_t tuple) {
    size_t len;
    mp_obj_t *items;
    mp_obj_get_array(tuple, &len, &items);
    if (len < 8 || len > 9) {
        mp_raise_TypeError(MP_ERROR_TEXT("mktime needs a tuple of length 8 or 9"));
    }
    mp_int_t v[6];
    for (int i = 0; i < 6; i++) {
        v[i] = mp_obj_get_int(items[i]);
    }
    return mp_obj_new_int((mp_int_t)timeutils_mktime(v[0], v[1], v[2], v[3], v[4], v[5]));
}
MP_DEFINE_CONST_FUN_OBJ_1(mp_time_mktime_obj, mp_time_mktime);

#define MICROPY_PY_TIME_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_gmtime), MP_ROM_PTR(&mp_time_localtime_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_localtime), MP_ROM_PTR(&mp_time_localtime_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_mktime), MP_ROM_PTR(&mp_time_mktime_obj) },
