// The module network has a class for each kind of card, as MicroPython's ports have. They are Python: shell/nics.py.

#include "py/objmodule.h"
#include "py/runtime.h"

// What network itself does not know, on loading an attribute of it.
void network_attr(mp_obj_t module, qstr attr, mp_obj_t *dest) {
    if (dest[0] == MP_OBJ_NULL && (attr == MP_QSTR_VirtIO || attr == MP_QSTR_UEFI)) {
        mp_obj_t classes = mp_import_name(MP_QSTR_shell_dot_nics, mp_const_true, MP_OBJ_NEW_SMALL_INT(0));
        dest[0] = mp_load_attr(classes, attr);
    }
}

MP_REGISTER_MODULE_DELEGATION(mp_module_network, network_attr);
