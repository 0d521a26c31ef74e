// Module _repl: what the shell needs of the interpreter's own prompt.
//
// The raw REPL is shared/runtime/pyexec.c's, so that mpremote and upstream's test runner find what
// they know; completion and the question whether a statement goes on are py/repl.c's.

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/mpstate.h"
#include "py/repl.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/pyexec.h"
#include "irq.h"
#include "sysstdio.h"

static int interruptible;       // how deep interruptible() is within itself

// raw(pending=b""): the raw REPL on the console until Ctrl-B -> False. It reads pending first, what the
// caller had read already. A soft reset does not come back: it unwinds past the caller to main.c. OSError(EPERM): hardened.
static mp_obj_t repl_raw(size_t n_args, const mp_obj_t *args) {
    if (KEELBACK_HARDENED) {
        mp_raise_OSError(MP_EPERM);     // the console is the host's
    }
    if (n_args > 0) {
        size_t len;
        const char *pending = mp_obj_str_get_data(args[0], &len);
        stdio_return(pending, len);
    }
    bool blocking = stdio_set_blocking(true);
    mp_obj_t stream = mp_hal_redirect(mp_const_none);
    mp_obj_dict_t *globals = mp_globals_get(), *locals = mp_locals_get();
    mp_globals_set(&MP_STATE_VM(dict_main));
    mp_locals_set(&MP_STATE_VM(dict_main));
    pyexec_mode_kind = PYEXEC_MODE_RAW_REPL;
    if (pyexec_raw_repl() != 0) {
        interruptible = 0;
        nlr_jump_abort();
    }
    mp_globals_set(globals);
    mp_locals_set(locals);
    stdio_set_blocking(blocking);
    mp_hal_redirect(stream);
    return mp_const_false;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(repl_raw_obj, 0, 1, repl_raw);

// The words of a text -> tuple of str
static mp_obj_t words(const char *s, size_t len) {
    mp_obj_t text[3];
    mp_load_method(mp_obj_new_str(s, len), MP_QSTR_split, text);
    mp_obj_t list = mp_call_method_n_kw(0, 0, text);
    mp_obj_t *items;
    mp_obj_get_array(list, &len, &items);
    return mp_obj_new_tuple(len, items);
}

// complete(text) -> str to insert ("" for none), or tuple of candidates
static mp_obj_t repl_complete(mp_obj_t text) {
    size_t len;
    const char *s = mp_obj_str_get_data(text, &len), *insert = "";
    vstr_t candidates;
    mp_print_t print;
    vstr_init_print(&candidates, 64, &print);
    len = mp_repl_autocomplete(s, len, &print, &insert);
    if (len == (size_t)-1) {
        return words(candidates.buf, candidates.len);
    }
    return mp_obj_new_str(insert, len);
}
static MP_DEFINE_CONST_FUN_OBJ_1(repl_complete_obj, repl_complete);

// incomplete(text) -> True if the statement needs another line
static mp_obj_t repl_incomplete(mp_obj_t text) {
    return mp_obj_new_bool(mp_repl_continue_with_input(mp_obj_str_get_str(text)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(repl_incomplete_obj, repl_incomplete);

// take(buffer) -> bytes of the console's input put into it, as many as have arrived; 0: none. Never waits.
static mp_obj_t repl_take(mp_obj_t buffer) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(buffer, &info, MP_BUFFER_WRITE);
    return MP_OBJ_NEW_SMALL_INT(stdio_take(info.buf, info.len));
}
static MP_DEFINE_CONST_FUN_OBJ_1(repl_take_obj, repl_take);

// redirect(stream): where print() goes, an object with write(bytes) or None for the console
// -> the one before. While its write() runs, or after it raised, output goes to the console.
static mp_obj_t repl_redirect(mp_obj_t stream) {
    return mp_hal_redirect(stream);
}
static MP_DEFINE_CONST_FUN_OBJ_1(repl_redirect_obj, repl_redirect);

// interruptible(function, *args) -> what function(*args) returns. Ctrl-C on the console, and interrupt(), raise
// KeyboardInterrupt in it, and nowhere else: one that comes in at its very end is raised here, in place of the result or
// an exception. It may be called from within itself, when a command of one session runs in an event loop of another's.
static mp_obj_t repl_interruptible(size_t n_args, const mp_obj_t *args) {
    nlr_buf_t nlr;
    mp_obj_t result = MP_OBJ_NULL;
    interruptible++;
    if (nlr_push(&nlr) == 0) {
        mp_hal_set_interrupt_char(CHAR_CTRL_C);
        result = mp_call_function_n_kw(args[0], n_args - 1, 0, args + 1);
        nlr_pop();
    }
    if (--interruptible == 0) {
        mp_hal_set_interrupt_char(-1);
    }
    mp_handle_pending(true);
    if (result == MP_OBJ_NULL) {
        nlr_jump(nlr.ret_val);
    }
    return result;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(repl_interruptible_obj, 1, repl_interruptible);

// interrupt(): do as Ctrl-C on the console does to what interruptible() runs; nothing if there is nothing
static mp_obj_t repl_interrupt(void) {
    if (interruptible > 0) {
        console_interrupt();
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(repl_interrupt_obj, repl_interrupt);

// shielded(function, *args) -> what function(*args) returns; Ctrl-C that comes in meanwhile is raised at its end
static mp_obj_t repl_shielded(size_t n_args, const mp_obj_t *args) {
    nlr_buf_t nlr;
    mp_handle_pending(true);
    bool outer = irq_defer_interrupt(true);
    if (nlr_push(&nlr) == 0) {
        mp_obj_t result = mp_call_function_n_kw(args[0], n_args - 1, 0, args + 1);
        nlr_pop();
        irq_defer_interrupt(outer);
        mp_handle_pending(true);
        return result;
    }
    irq_defer_interrupt(outer);
    nlr_jump(nlr.ret_val);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(repl_shielded_obj, 1, repl_shielded);

static const mp_rom_map_elem_t repl_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__repl) },
#if KEELBACK_HARDENED                   // make HARDENED=1, see docs/sev.md
    { MP_ROM_QSTR(MP_QSTR_HARDENED), MP_ROM_TRUE },
#else
    { MP_ROM_QSTR(MP_QSTR_HARDENED), MP_ROM_FALSE },
#endif
    { MP_ROM_QSTR(MP_QSTR_raw), MP_ROM_PTR(&repl_raw_obj) },
    { MP_ROM_QSTR(MP_QSTR_complete), MP_ROM_PTR(&repl_complete_obj) },
    { MP_ROM_QSTR(MP_QSTR_incomplete), MP_ROM_PTR(&repl_incomplete_obj) },
    { MP_ROM_QSTR(MP_QSTR_interruptible), MP_ROM_PTR(&repl_interruptible_obj) },
    { MP_ROM_QSTR(MP_QSTR_interrupt), MP_ROM_PTR(&repl_interrupt_obj) },
    { MP_ROM_QSTR(MP_QSTR_shielded), MP_ROM_PTR(&repl_shielded_obj) },
    { MP_ROM_QSTR(MP_QSTR_take), MP_ROM_PTR(&repl_take_obj) },
    { MP_ROM_QSTR(MP_QSTR_redirect), MP_ROM_PTR(&repl_redirect_obj) },
};
static MP_DEFINE_CONST_DICT(repl_globals, repl_globals_table);

const mp_obj_module_t repl_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&repl_globals,
};
MP_REGISTER_MODULE(MP_QSTR__repl, repl_module);
