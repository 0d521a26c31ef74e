// What fastpath.c stands in front of: functions of py/ under the names that MICROPY_WRAP_ gives them.
#ifndef KEELBACK_FASTPATH_H
#define KEELBACK_FASTPATH_H

#include "py/obj.h"
#include "py/runtime0.h"

mp_obj_t plain_mp_binary_op(mp_binary_op_t op, mp_obj_t lhs, mp_obj_t rhs);

// In place of qstr_compute_hash() in py/objstr.c.
size_t short_str_hash(const byte *data, size_t len);

#endif
