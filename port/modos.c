// What the os module takes from the machine. Included by extmod/modos.c.

#include "py/mphal.h"

// urandom(n) -> n bytes fit for keys. OSError(ENODEV): the machine has no source of entropy.
static mp_obj_t mp_os_urandom(mp_obj_t count_in) {
    mp_int_t count = mp_obj_get_int(count_in);
    if (count < 0) {
        mp_raise_ValueError(NULL);
    }
    vstr_t bytes;
    vstr_init_len(&bytes, count);
    mp_hal_get_random(bytes.len, bytes.buf);
    return mp_obj_new_bytes_from_vstr(&bytes);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);
