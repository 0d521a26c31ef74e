// Arguments and results of the machine's modules: unsigned integers of an exact width, texts, tuples.
#ifndef KEELBACK_PORT_ARGS_H
#define KEELBACK_PORT_ARGS_H

#include "py/objint.h"
#include "py/runtime.h"

// The value of an int of at most that many bits. TypeError: no int; OverflowError: too wide or negative.
static inline uint64_t arg_bits(mp_obj_t arg, unsigned bits) {
    if (!mp_obj_is_int(arg)) {
        mp_raise_TypeError(MP_ERROR_TEXT("integer expected"));
    }
    if (mp_obj_int_sign(arg) < 0) {
        mp_raise_msg(&mp_type_OverflowError, MP_ERROR_TEXT("value is negative"));
    }
    uint64_t value = mp_obj_int_get_uint_checked(arg);
    if (bits < 64 && value >> bits != 0) {
        mp_raise_msg_varg(&mp_type_OverflowError, MP_ERROR_TEXT("value wider than %d bits"), bits);
    }
    return value;
}

#define arg_addr(arg) arg_bits(arg, 64)

// The text of a str or bytes. ValueError: a NUL is in it, where C would take the text to end. For paths; port.mk gives it
// to py's file systems as well, in place of mp_obj_str_get_str.
const char *arg_str(mp_obj_t arg);

mp_obj_t tuple_of_ints(size_t count, const uint64_t *values);

#endif
