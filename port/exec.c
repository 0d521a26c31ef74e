// Memory for machine code that the native and viper emitters make, or that a .mpy file brings.
//
// The emitter writes into ordinary heap memory; here the finished code moves to where it may be
// executed and never again be written. It is given back at a soft reset only: nothing tells us when
// the last pointer into a function's code is gone.

#include "py/mpconfig.h"
#include "py/misc.h"
#include "py/persistentcode.h"
#include "py/runtime.h"
#include "boot/boot.h"

// reloc: what mp_native_relocate needs when the code carries pointers to its own place, or NULL.
void *exec_commit(void *code, size_t len, void *reloc) {
    void *place = exec_alloc(len);
    if (place == NULL) {
        m_malloc_fail(len);
    }
    if (reloc != NULL) {
        mp_native_relocate(reloc, code, (uintptr_t)place);
    }
    exec_write(place, code, len);
    return place;
}
