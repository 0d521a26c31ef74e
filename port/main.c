// The interpreter's life: start, boot.py, main.py, the shell; a soft reset begins again.
//
// The files of the boot volume and the heap's first area outlive a soft reset, nothing else does.
// In a hardened build (docs/sev.md) the boot volume and the console are the host's: no code comes from there.

#include "py/builtin.h"
#include "py/cstack.h"
#include "py/frozenmod.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/runtime/pyexec.h"
#include "boot/boot.h"
#include "frames.h"
#include "gc_sites.h"
#include "genhdr/mpversion.h"
#include "heap.h"
#include "irq.h"
#include "net.h"
#include "sample.h"
#include "sysstdio.h"
#include "tls.h"
#include "moddma.h"
#include "vfs_ram.h"

const char keelback_banner[] = "keelback • micropython/x86_64 (" MICROPY_GIT_TAG ") • UEFI x64";

// Everything that a soft reset starts anew.
static bool python_start(void) {
    mp_cstack_init_with_top(main_stack_top, main_stack_top - main_stack_bottom);
    if (!heap_init()) {
        return false;
    }
    mp_init();
    net_start();
    frames_reset();
    stdio_reset();
    mp_hal_redirect(mp_const_none);
    mp_hal_set_interrupt_char(-1);
#if KEELBACK_HARDENED
    mp_obj_list_init(MP_OBJ_TO_PTR(mp_sys_path), 0);
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__dot_frozen));
#else
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__slash_lib));
#endif
    vfs_ram_mount();
    return true;
}

static void python_stop(void) {
    sample_free();
    gc_sites_free();
    netif_deinit();
    irq_deinit();
    tls_deinit();
    gc_sweep_all();     // finalisers: files are closed
    dma_free_all();
    mp_deinit();
    exec_reset();
}

// Run a frozen file of that name and then the boot volume's, unless that is the host's. An error prints its traceback, no more.
static void run_file(const char *name) {
    if (mp_find_frozen_module(name, NULL, NULL) == MP_IMPORT_STAT_FILE) {
        pyexec_frozen_module(name, true);
    }
    if (!KEELBACK_HARDENED && mp_import_stat(name) == MP_IMPORT_STAT_FILE) {
        pyexec_file(name);
    }
}

// Import a module and call its function. -> true if that ended without an exception.
static bool run_module(qstr module_name, qstr function_name) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t module = mp_import_name(module_name, mp_const_true, MP_OBJ_NEW_SMALL_INT(0));
        mp_call_function_0(mp_load_attr(module, function_name));
        nlr_pop();
        return true;
    }
    mp_hal_set_interrupt_char(-1);
    mp_hal_redirect(mp_const_none);
    mp_handle_pending(false);
    mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    return false;
}

// -> true for a soft reset, false if the shell was left for good.
static bool session(void) {
    run_file("_boot.py");
    run_file("boot.py");
    chart_mark("boot.py");
    if (pyexec_mode_kind == PYEXEC_MODE_RAW_REPL) {
        if (pyexec_raw_repl() != 0) {
            return true;
        }
    } else {
        run_file("main.py");
        chart_mark("main.py");
    }
    if (run_module(MP_QSTR_shell_dot_main, MP_QSTR_run)) {
        return false;
    }
    if (KEELBACK_HARDENED) {
        return false;
    }
    while (pyexec_friendly_repl() == 0) {
        if (pyexec_mode_kind == PYEXEC_MODE_RAW_REPL && pyexec_raw_repl() != 0) {
            break;
        }
    }
    return true;
}

int keelback_main(void) {
    bool again = true;
    while (again) {
        if (!python_start()) {
            panic("no memory for Python's heap");
        }
        chart_mark("python");
        nlr_buf_t nlr;
        nlr_set_abort(&nlr);
        if (nlr_push(&nlr) == 0) {
            again = session();
            nlr_pop();
        } else if (nlr.ret_val != NULL) {
            mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
        }
        nlr_set_abort(NULL);
        frames_reset();
        mp_hal_redirect(mp_const_none);
        if (again) {
            mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
        }
        python_stop();
    }
    return 0;
}

// An exception that nothing caught: every entry into Python has a handler, so this is a bug of ours.
void nlr_jump_fail(void *val) {
    panic("uncaught exception %lx", (uint64_t)val);
}
