// SPDX-License-Identifier: BSD-3-Clause
// Fast paths in front of the binary operators of py/: small integers and floats.
//
// mpconfigport.h renames the original with MicroPython's own MICROPY_WRAP_ macros; what a path here
// does not answer goes to it, so behaviour is its own. Link-time optimisation puts these into the VM.
// Measured with tools/measure.py perf: see docs/bench.md.

#include "py/runtime.h"
#include "fastpath.h"

#if MICROPY_OBJ_REPR != MICROPY_OBJ_REPR_A
#error "the arithmetic on tagged words below is that of object representation A"
#endif

// Two small integers, still tagged as 2 * value + 1; MP_OBJ_NULL: ask the original.
static inline mp_obj_t small_int_op(mp_binary_op_t op, mp_int_t a, mp_int_t b) {
    mp_int_t r;
    switch (op) {
        case MP_BINARY_OP_LESS:
            return mp_obj_new_bool(a < b);
        case MP_BINARY_OP_MORE:
            return mp_obj_new_bool(a > b);
        case MP_BINARY_OP_EQUAL:
            return mp_obj_new_bool(a == b);
        case MP_BINARY_OP_LESS_EQUAL:
            return mp_obj_new_bool(a <= b);
        case MP_BINARY_OP_MORE_EQUAL:
            return mp_obj_new_bool(a >= b);
        case MP_BINARY_OP_NOT_EQUAL:
            return mp_obj_new_bool(a != b);
        case MP_BINARY_OP_OR:
        case MP_BINARY_OP_INPLACE_OR:
            return (mp_obj_t)(a | b);
        case MP_BINARY_OP_XOR:
        case MP_BINARY_OP_INPLACE_XOR:
            return (mp_obj_t)((a ^ b) | 1);
        case MP_BINARY_OP_AND:
        case MP_BINARY_OP_INPLACE_AND:
            return (mp_obj_t)(a & b);
        case MP_BINARY_OP_ADD:
        case MP_BINARY_OP_INPLACE_ADD:
            return __builtin_add_overflow(a, b - 1, &r) ? MP_OBJ_NULL : (mp_obj_t)r;
        case MP_BINARY_OP_SUBTRACT:
        case MP_BINARY_OP_INPLACE_SUBTRACT:
            return __builtin_sub_overflow(a, b - 1, &r) ? MP_OBJ_NULL : (mp_obj_t)r;
        case MP_BINARY_OP_MULTIPLY:
        case MP_BINARY_OP_INPLACE_MULTIPLY:
            return __builtin_mul_overflow(a - 1, b >> 1, &r) ? MP_OBJ_NULL : (mp_obj_t)(r + 1);
        case MP_BINARY_OP_RSHIFT:
        case MP_BINARY_OP_INPLACE_RSHIFT:
            return (mp_uint_t)b >= 128 ? MP_OBJ_NULL : (mp_obj_t)((a >> (b >> 1)) | 1);
        default:
            return MP_OBJ_NULL;
    }
}

static inline mp_obj_t float_op(mp_binary_op_t op, mp_float_t a, mp_float_t b) {
    switch (op) {
        case MP_BINARY_OP_LESS:
            return mp_obj_new_bool(a < b);
        case MP_BINARY_OP_MORE:
            return mp_obj_new_bool(a > b);
        case MP_BINARY_OP_ADD:
        case MP_BINARY_OP_INPLACE_ADD:
            return mp_obj_new_float(a + b);
        case MP_BINARY_OP_SUBTRACT:
        case MP_BINARY_OP_INPLACE_SUBTRACT:
            return mp_obj_new_float(a - b);
        case MP_BINARY_OP_MULTIPLY:
        case MP_BINARY_OP_INPLACE_MULTIPLY:
            return mp_obj_new_float(a * b);
        case MP_BINARY_OP_TRUE_DIVIDE:
        case MP_BINARY_OP_INPLACE_TRUE_DIVIDE:
            return b == 0 ? MP_OBJ_NULL : mp_obj_new_float(a / b);
        default:
            return MP_OBJ_NULL;
    }
}

static inline bool is_float(mp_obj_t o) {
    return ((mp_uint_t)o & 7) == 0 && ((mp_obj_base_t *)MP_OBJ_TO_PTR(o))->type == &mp_type_float;
}

static inline mp_obj_t float_or_int_op(mp_binary_op_t op, mp_obj_t lhs, mp_obj_t rhs) {
    if (is_float(lhs)) {
        mp_float_t a = mp_obj_float_get(lhs);
        if (is_float(rhs)) {
            return float_op(op, a, mp_obj_float_get(rhs));
        }
        if (mp_obj_is_small_int(rhs)) {
            return float_op(op, a, (mp_float_t)MP_OBJ_SMALL_INT_VALUE(rhs));
        }
    } else if (mp_obj_is_small_int(lhs) && is_float(rhs)) {
        return float_op(op, (mp_float_t)MP_OBJ_SMALL_INT_VALUE(lhs), mp_obj_float_get(rhs));
    }
    return MP_OBJ_NULL;
}

mp_obj_t mp_binary_op(mp_binary_op_t op, mp_obj_t lhs, mp_obj_t rhs) {
    mp_obj_t result;
    if ((mp_uint_t)lhs & (mp_uint_t)rhs & 1) {
        result = small_int_op(op, (mp_int_t)lhs, (mp_int_t)rhs);
    } else {
        result = float_or_int_op(op, lhs, rhs);
    }
    return result != MP_OBJ_NULL ? result : plain_mp_binary_op(op, lhs, rhs);
}

// A new str or bytes need not know its hash: 0 says so, and whoever needs it computes it. Most never do, long ones above
// all. Measured: five instructions a byte of everything that is received, sliced or concatenated.
#define HASHED_AT_ONCE 32               // bytes; keys of dictionaries are shorter as a rule

size_t short_str_hash(const byte *data, size_t len) {
    return len > HASHED_AT_ONCE ? 0 : qstr_compute_hash(data, len);
}
