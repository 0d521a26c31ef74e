// Arguments and results of the machine's modules, out of line.

#include <string.h>

#include "py/builtin.h"
#include "py/objtuple.h"
#include "args.h"

const char *arg_str(mp_obj_t arg) {
    size_t len;
    const char *s = mp_obj_str_get_data(arg, &len);
    if (memchr(s, '\0', len) != NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("embedded null character"));
    }
    return s;
}

// py's import would look for the part of a name before its NUL.
mp_obj_t import_checked(size_t n_args, const mp_obj_t *args) {
    arg_str(args[0]);
    return mp_builtin___import___default(n_args, args);
}

mp_obj_t tuple_of_ints(size_t count, const uint64_t *values) {
    mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(count, NULL));
    for (size_t i = 0; i < count; i++) {
        tuple->items[i] = mp_obj_new_int_from_uint(values[i]);
    }
    return MP_OBJ_FROM_PTR(tuple);
}
