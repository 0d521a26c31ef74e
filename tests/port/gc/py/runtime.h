// What the collected heap wants of MicroPython's headers, for its test on the host: objects and calls.
#ifndef TEST_RUNTIME_H
#define TEST_RUNTIME_H

#include "py/gc.h"
#include "py/mpconfig.h"

typedef void *mp_obj_t;
typedef struct { int unused; } mp_obj_type_t;
typedef struct { const mp_obj_type_t *type; } mp_obj_base_t;
#define MP_OBJ_NULL NULL
#define MP_OBJ_FROM_PTR(p) ((mp_obj_t)(p))
#define MP_QSTR___del__ 1

void mp_load_method_maybe(mp_obj_t object, int name, mp_obj_t *method);
mp_obj_t mp_call_function_1_protected(mp_obj_t function, mp_obj_t argument);
void mp_sched_lock(void);
void mp_sched_unlock(void);
int mp_printf(const mp_print_t *print, const char *format, ...);
void mp_print_str(const mp_print_t *print, const char *text);
extern const mp_obj_type_t mp_type_tuple, mp_type_list, mp_type_dict, mp_type_str, mp_type_bytes, mp_type_bytearray,
    mp_type_array, mp_type_float, mp_type_fun_bc, mp_type_module;

#endif
