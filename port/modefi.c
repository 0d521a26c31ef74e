// Module efi: the firmware's door. Its structures and protocols are parsed in Python, over mem.view.
//
// Source: UEFI 2.10, 2.3.4 (calling convention), 4.3 (system table), 7.4.6 (ExitBootServices).

#include "py/mperrno.h"
#include "py/runtime.h"
#include "boot/boot.h"
#include "args.h"

#define CALL_ARGS_MAX 8

typedef struct {
    uint64_t fn, args[CALL_ARGS_MAX], status;
    size_t count;
} efi_call_t;

static void call_guarded(void *arg) {
    efi_call_t *call = arg;
    call->status = efi_call(call->fn, call->args, call->count);
}

// call(fn_addr, *args) -> EFI_STATUS. args: at most 8, integers up to 64 bits, None for a null pointer,
// or objects with a buffer, passed by address. OSError(EFAULT): fn is not code, or raised a fault.
static mp_obj_t efi_call_py(size_t n_args, const mp_obj_t *args) {
    efi_call_t call = { .fn = arg_addr(args[0]), .count = n_args - 1 };
    for (size_t i = 0; i < call.count; i++) {
        mp_obj_t arg = args[i + 1];
        mp_buffer_info_t buffer;
        if (arg == mp_const_none) {
            call.args[i] = 0;
        } else if (mp_get_buffer(arg, &buffer, MP_BUFFER_READ)) {
            call.args[i] = (uintptr_t)buffer.buf;
        } else {
            call.args[i] = arg_bits(arg, 64);
        }
    }
    int vector;
    if (!map_check(call.fn, 1, MAP_X) || !fault_guard(call_guarded, &call, &vector)) {
        mp_raise_OSError(MP_EFAULT);
    }
    return mp_obj_new_int_from_uint(call.status);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(efi_call_obj, 1, 1 + CALL_ARGS_MAX, efi_call_py);

// Addresses: 0 where the firmware has none.
#define ADDRESS(name, expression) \
    static mp_obj_t efi_##name(void) { \
        return mp_obj_new_int_from_uint((uint64_t)(expression)); \
    } \
    static MP_DEFINE_CONST_FUN_OBJ_0(efi_##name##_obj, efi_##name)

ADDRESS(system_table, boot_info.system_table);
ADDRESS(image_handle, boot_info.image_handle);
ADDRESS(runtime_services, boot_info.runtime_services);
ADDRESS(rsdp, boot_info.rsdp);
ADDRESS(smbios, boot_info.smbios3 != 0 ? boot_info.smbios3 : boot_info.smbios);

// boot_services() -> True while boot services live (firmware mode)
static mp_obj_t efi_boot_services(void) {
    return mp_obj_new_bool(boot_services_alive());
}
static MP_DEFINE_CONST_FUN_OBJ_0(efi_boot_services_obj, efi_boot_services);

// exit_boot_services(): take over the machine. OSError(EACCES): the firmware refuses.
static mp_obj_t efi_exit_boot_services(void) {
    if (boot_services_alive() && !exit_boot_services()) {
        mp_raise_OSError(MP_EACCES);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(efi_exit_boot_services_obj, efi_exit_boot_services);

// option(key) -> str, or None where it is not given
static mp_obj_t efi_option(mp_obj_t key) {
    const char *value = option_get(mp_obj_str_get_str(key));
    return value == NULL ? mp_const_none : mp_obj_new_str_from_cstr(value);
}
static MP_DEFINE_CONST_FUN_OBJ_1(efi_option_obj, efi_option);

// options() -> ((key, value), ...) in the order given
static mp_obj_t efi_options(void) {
    size_t count = option_count();
    mp_obj_tuple_t *all = MP_OBJ_TO_PTR(mp_obj_new_tuple(count, NULL));
    for (size_t i = 0; i < count; i++) {
        mp_obj_t items[] = {
            mp_obj_new_str_from_cstr(option_key(i)), mp_obj_new_str_from_cstr(option_value(i)),
        };
        all->items[i] = mp_obj_new_tuple(2, items);
    }
    return MP_OBJ_FROM_PTR(all);
}
static MP_DEFINE_CONST_FUN_OBJ_0(efi_options_obj, efi_options);

// load_options() -> str as the firmware passed it
static mp_obj_t efi_load_options(void) {
    return mp_obj_new_str_from_cstr(boot_info.load_options);
}
static MP_DEFINE_CONST_FUN_OBJ_0(efi_load_options_obj, efi_load_options);

// files_note() -> what of the boot volume was left out and why, or None
static mp_obj_t efi_files_note(void) {
    const char *note = boot_info.files_note;
    return note == NULL ? mp_const_none : mp_obj_new_str_from_cstr(note);
}
static MP_DEFINE_CONST_FUN_OBJ_0(efi_files_note_obj, efi_files_note);

// reset(kind): OFF, COLD, WARM or HALT; does not return.
static mp_obj_t efi_reset(mp_obj_t kind_in) {
    uint64_t kind = arg_bits(kind_in, 32);
    if (kind > POWER_HALT) {
        mp_raise_ValueError(MP_ERROR_TEXT("OFF, COLD, WARM or HALT"));
    }
    machine_power(kind);
}
static MP_DEFINE_CONST_FUN_OBJ_1(efi_reset_obj, efi_reset);

static const mp_rom_map_elem_t efi_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_efi) },
    { MP_ROM_QSTR(MP_QSTR_call), MP_ROM_PTR(&efi_call_obj) },
    { MP_ROM_QSTR(MP_QSTR_system_table), MP_ROM_PTR(&efi_system_table_obj) },
    { MP_ROM_QSTR(MP_QSTR_image_handle), MP_ROM_PTR(&efi_image_handle_obj) },
    { MP_ROM_QSTR(MP_QSTR_runtime_services), MP_ROM_PTR(&efi_runtime_services_obj) },
    { MP_ROM_QSTR(MP_QSTR_boot_services), MP_ROM_PTR(&efi_boot_services_obj) },
    { MP_ROM_QSTR(MP_QSTR_exit_boot_services), MP_ROM_PTR(&efi_exit_boot_services_obj) },
    { MP_ROM_QSTR(MP_QSTR_rsdp), MP_ROM_PTR(&efi_rsdp_obj) },
    { MP_ROM_QSTR(MP_QSTR_smbios), MP_ROM_PTR(&efi_smbios_obj) },
    { MP_ROM_QSTR(MP_QSTR_option), MP_ROM_PTR(&efi_option_obj) },
    { MP_ROM_QSTR(MP_QSTR_options), MP_ROM_PTR(&efi_options_obj) },
    { MP_ROM_QSTR(MP_QSTR_load_options), MP_ROM_PTR(&efi_load_options_obj) },
    { MP_ROM_QSTR(MP_QSTR_files_note), MP_ROM_PTR(&efi_files_note_obj) },
    { MP_ROM_QSTR(MP_QSTR_reset), MP_ROM_PTR(&efi_reset_obj) },
    { MP_ROM_QSTR(MP_QSTR_OFF), MP_ROM_INT(POWER_OFF) },
    { MP_ROM_QSTR(MP_QSTR_COLD), MP_ROM_INT(POWER_COLD) },
    { MP_ROM_QSTR(MP_QSTR_WARM), MP_ROM_INT(POWER_WARM) },
    { MP_ROM_QSTR(MP_QSTR_HALT), MP_ROM_INT(POWER_HALT) },
};
static MP_DEFINE_CONST_DICT(efi_globals, efi_globals_table);

const mp_obj_module_t efi_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&efi_globals,
};
MP_REGISTER_MODULE(MP_QSTR_efi, efi_module);
