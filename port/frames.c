// Which Python frames run, and where: module _frames, and the list that a fault report prints.
//
// The VM's entry is compiled under another name (MICROPY_WRAP_MP_EXECUTE_BYTECODE); the function of
// the plain name here puts one record on the C stack around each call. That costs a dozen
// instructions a call, where sys.settrace would cost some at every opcode. Frames of functions
// compiled to machine code do not show: they have no bytecode. py/vm.c lets no exception pass its
// entry, so records nest; only an abort to the top level unwinds past them, and main.c resets them.

#include "py/bc.h"
#include "py/bc0.h"
#include "py/objfun.h"
#include "py/runtime.h"
#include "boot/boot.h"
#include "frames.h"

frame_t *frames_innermost;
uint32_t frames_entered;

mp_vm_return_kind_t vm_mp_execute_bytecode(mp_code_state_t *code, volatile mp_obj_t inject_exc);

mp_vm_return_kind_t mp_execute_bytecode(mp_code_state_t *code, volatile mp_obj_t inject_exc) {
    frame_t frame = { frames_innermost, code };
    __asm__ volatile ("" : : : "memory");       // the record is filled in before an interrupt can find it
    frames_innermost = &frame;
    frames_entered++;
    mp_vm_return_kind_t kind = vm_mp_execute_bytecode(code, inject_exc);
    frames_innermost = frame.caller;
    return kind;
}

void frames_reset(void) {
    frames_innermost = NULL;
}

// ---- reading frames -----------------------------------------------------------------------------------
static void append_place(mp_obj_t list, const mp_code_state_t *code) {
    place_t place = frame_place(code);
    mp_obj_t items[] = {
        MP_OBJ_NEW_QSTR(place.file), MP_OBJ_NEW_SMALL_INT(place.line), MP_OBJ_NEW_QSTR(place.function),
    };
    mp_obj_list_append(list, mp_obj_new_tuple(3, items));
}

static mp_obj_t tuple_of(mp_obj_t list) {
    size_t len;
    mp_obj_t *items;
    mp_obj_list_get(list, &len, &items);
    return mp_obj_new_tuple(len, items);
}

// current() -> ((file, line, function), ...), innermost first.
static mp_obj_t frames_current(void) {
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (frame_t *frame = frames_innermost; frame != NULL; frame = frame->caller) {
        append_place(list, frame->code);
    }
    return tuple_of(list);
}
static MP_DEFINE_CONST_FUN_OBJ_0(frames_current_obj, frames_current);

// ---- suspended generators -----------------------------------------------------------------------------
// As in py/objgenerator.c, which has no header for it.
typedef struct {
    mp_obj_base_t base;
    mp_obj_t pend_exc;          // MP_OBJ_NULL: running
    mp_code_state_t code;       // code.ip 0: finished
} generator_t;

// What a generator suspended in "yield from" or "await" waits for, or MP_OBJ_NULL. The VM leaves the
// yielded value on top of the stack and the inner iterator under it, with ip back on the opcode.
static mp_obj_t awaited(const generator_t *gen) {
    return *gen->code.ip == MP_BC_YIELD_FROM ? gen->code.sp[-1] : MP_OBJ_NULL;
}

// of(generator) -> the same for a suspended generator or coroutine, what it awaits first.
static mp_obj_t frames_of(mp_obj_t gen_in) {
    if (!mp_obj_is_type(gen_in, &mp_type_gen_instance)) {
        mp_raise_TypeError(MP_ERROR_TEXT("generator expected"));
    }
    mp_obj_t list = mp_obj_new_list(0, NULL);
    while (gen_in != MP_OBJ_NULL && mp_obj_is_type(gen_in, &mp_type_gen_instance)) {
        generator_t *gen = MP_OBJ_TO_PTR(gen_in);
        if (gen->code.ip == 0 || gen->pend_exc == MP_OBJ_NULL) {
            break;
        }
        append_place(list, &gen->code);
        gen_in = awaited(gen);
    }
    mp_obj_t reverse[2];
    mp_load_method(list, MP_QSTR_reverse, reverse);
    mp_call_method_n_kw(0, 0, reverse);
    return tuple_of(list);
}
static MP_DEFINE_CONST_FUN_OBJ_1(frames_of_obj, frames_of);

// ---- the fault report ---------------------------------------------------------------------------------
#define REPORT_MAX 32

void panic_python_frames(void) {
    frame_t *frame = frames_innermost;
    for (int i = 0; frame != NULL && i < REPORT_MAX; i++, frame = frame->caller) {
        place_t place = frame_place(frame->code);
        console_printf("  %s:%u %s\n", qstr_str(place.file), place.line, qstr_str(place.function));
    }
}

static const mp_rom_map_elem_t frames_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__frames) },
    { MP_ROM_QSTR(MP_QSTR_current), MP_ROM_PTR(&frames_current_obj) },
    { MP_ROM_QSTR(MP_QSTR_of), MP_ROM_PTR(&frames_of_obj) },
};
static MP_DEFINE_CONST_DICT(frames_globals, frames_globals_table);

const mp_obj_module_t frames_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&frames_globals,
};
MP_REGISTER_MODULE(MP_QSTR__frames, frames_module);
