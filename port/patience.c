// Ctrl-C in loops that C runs: sum(range(1 << 60)), or the sorting of a long list.
//
// Their every round takes something from an iterator or compares two objects. Either may run Python
// and so raise, therefore whoever calls them is ready for KeyboardInterrupt there. port.mk puts these
// functions in front of the ones of py/ by renaming those, or the call, in one file each.

#include "py/runtime.h"

mp_obj_t plain_mp_iternext(mp_obj_t iterator);
mp_obj_t patient_mp_binary_op(mp_binary_op_t op, mp_obj_t lhs, mp_obj_t rhs);
bool patient_mp_obj_equal(mp_obj_t a, mp_obj_t b);

static inline void look(void) {
    if (MP_STATE_THREAD(mp_pending_exception) != MP_OBJ_NULL) {
        mp_handle_pending(true);
    }
}

mp_obj_t mp_iternext(mp_obj_t iterator) {
    look();
    return plain_mp_iternext(iterator);
}

mp_obj_t patient_mp_binary_op(mp_binary_op_t op, mp_obj_t lhs, mp_obj_t rhs) {
    look();
    return mp_binary_op(op, lhs, rhs);
}

bool patient_mp_obj_equal(mp_obj_t a, mp_obj_t b) {
    look();
    return mp_obj_equal(a, b);
}
