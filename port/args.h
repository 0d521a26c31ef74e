// Arguments of the machine's modules: unsigned integers of an exact width.
#ifndef KEELBACK_PORT_ARGS_H
#define KEELBACK_PORT_ARGS_H

#include "py/runtime.h"

// The value of an int of at most that many bits. TypeError: no int; OverflowError: too wide or negative.
static inline uint64_t arg_bits(mp_obj_t arg, unsigned bits) {
    if (!mp_obj_is_int(arg)) {
        mp_raise_TypeError(MP_ERROR_TEXT("integer expected"));
    }
    uint64_t value = mp_obj_int_get_uint_checked(arg);
    if (bits < 64 && value >> bits != 0) {
        mp_raise_msg_varg(&mp_type_OverflowError, MP_ERROR_TEXT("value wider than %d bits"), bits);
    }
    return value;
}

#define arg_addr(arg) arg_bits(arg, 64)

#endif
