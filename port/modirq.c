// Module irq: interrupts of devices and of the clock, and the Python functions that answer them.
//
// The interrupt itself only notes that it came. The function is called from the scheduler: between two
// bytecodes, or by whoever waits; once for however many came since, and never while one of them runs.
// Ctrl-C does not tear it apart: what it does to a device must be finished.

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "boot/boot.h"
#include "irq.h"

#define VECTORS_MAX 16
#define FIRST_TICK 256                      // numbers of what is no interrupt vector

typedef struct {
    soft_alarm_t soft;                      // of an interrupt, only its node is used
    uint64_t period_ns;                     // 0: not the clock's
    int vector;                             // 0: not in use
} slot_t;

static slot_t slots[VECTORS_MAX];
static bool running;

// ---- Ctrl-C while a function runs -----------------------------------------------------------------------
bool irq_defers_interrupt(void) {
    return running;
}

bool irq_defer_interrupt(bool on) {
    bool before = running;
    running = on;
    if (!on) {
        interrupt_deferred();
    }
    return before;
}

// Call a function that must run to its end; what it raises is printed.
static void call(mp_obj_t function, size_t n_args, const mp_obj_t *args) {
    nlr_buf_t nlr;
    bool outer = irq_defer_interrupt(true);
    if (nlr_push(&nlr) == 0) {
        mp_call_function_n_kw(function, n_args, 0, args);
        nlr_pop();
    } else {
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    irq_defer_interrupt(outer);
}

// ---- from the interrupt to the function --------------------------------------------------------------
static void run(mp_sched_node_t *node) {
    slot_t *slot = (slot_t *)((char *)node - offsetof(slot_t, soft.node));
    mp_obj_t callback = MP_STATE_PORT(irq_callbacks)[slot - slots];
    if (slot->vector != 0 && callback != MP_OBJ_NULL) {
        mp_obj_t vector = MP_OBJ_NEW_SMALL_INT(slot->vector);
        call(callback, 1, &vector);
    }
    if (slot->period_ns != 0 && slot->vector != 0) {
        alarm_set(&slot->soft.alarm, clock_ns() + slot->period_ns);
    }
}

static void on_interrupt(void *arg) {
    soft_alarm_ring(arg);
}

// ---- what Python sees -------------------------------------------------------------------------------------
static slot_t *slot_of(mp_obj_t vector_in) {
    int vector = mp_obj_get_int(vector_in);
    for (slot_t *slot = slots; slot < slots + VECTORS_MAX; slot++) {
        if (vector != 0 && slot->vector == vector) {
            return slot;
        }
    }
    mp_raise_ValueError(MP_ERROR_TEXT("no such vector"));
}

static slot_t *free_slot(void) {
    for (slot_t *slot = slots; slot < slots + VECTORS_MAX; slot++) {
        if (slot->vector == 0) {
            slot->soft.fn = run;
            return slot;
        }
    }
    mp_raise_OSError(MP_ENOSPC);
}

// alloc(callback) -> vector; callback(vector) is called softly. OSError: firmware mode (ENODEV), none is left (ENOSPC).
static mp_obj_t irq_alloc_(mp_obj_t callback) {
    if (boot_services_alive()) {
        mp_raise_OSError(MP_ENODEV);
    }
    slot_t *slot = free_slot();
    int vector = irq_alloc(on_interrupt, slot);
    if (vector < 0) {
        mp_raise_OSError(MP_ENOSPC);
    }
    slot->vector = vector;
    slot->period_ns = 0;
    MP_STATE_PORT(irq_callbacks)[slot - slots] = callback;
    return MP_OBJ_NEW_SMALL_INT(vector);
}
static MP_DEFINE_CONST_FUN_OBJ_1(irq_alloc_obj, irq_alloc_);

// tick(callback, ms) -> number, for free(); callback(number) is called softly ms after it last returned, for devices
// that do not interrupt. Firmware mode rounds up to the firmware's own tick. OSError(ENOSPC): none is left.
static mp_obj_t irq_tick(mp_obj_t callback, mp_obj_t ms_in) {
    mp_int_t ms = mp_obj_get_int(ms_in);
    if (ms < 1 || ms > INT32_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("not a number of milliseconds"));
    }
    slot_t *slot = free_slot();
    slot->vector = FIRST_TICK + (slot - slots);
    slot->period_ns = ms * 1000000;
    slot->soft.alarm.fn = soft_alarm_ring;
    MP_STATE_PORT(irq_callbacks)[slot - slots] = callback;
    alarm_set(&slot->soft.alarm, clock_ns() + slot->period_ns);
    return MP_OBJ_NEW_SMALL_INT(slot->vector);
}
static MP_DEFINE_CONST_FUN_OBJ_2(irq_tick_obj, irq_tick);

static void release(slot_t *slot) {
    if (slot->period_ns != 0) {
        alarm_set(&slot->soft.alarm, ALARM_OFF);
    } else {
        irq_free(slot->vector);
    }
    slot->vector = 0;
    MP_STATE_PORT(irq_callbacks)[slot - slots] = MP_OBJ_NULL;
}

// free(vector or number): its device must be silent by now
static mp_obj_t irq_free_(mp_obj_t vector) {
    release(slot_of(vector));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(irq_free_obj, irq_free_);

// message(vector) -> (address, data): what an MSI or MSI-X device writes to interrupt this processor
static mp_obj_t irq_message(mp_obj_t vector) {
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(0xfee00000 | (apic_id() & 0xff) << 12),    // Intel SDM, volume 3, 11.11
        MP_OBJ_NEW_SMALL_INT(slot_of(vector)->vector),
    };
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(irq_message_obj, irq_message);

void irq_shield(mp_obj_t function) {
    call(function, 0, NULL);
}

// mp_init() would keep the scheduler's nodes: what waits in there belongs to what ends here. (A node's callback is its mark
// that it is in the list: to clear that alone leaves a call of address 0.)
static void forget_scheduled(void) {
    mp_uint_t atomic_state = MICROPY_BEGIN_ATOMIC_SECTION();
    for (mp_sched_node_t *node = MP_STATE_VM(sched_head); node != NULL; node = node->next) {
        node->callback = NULL;
    }
    MP_STATE_VM(sched_head) = MP_STATE_VM(sched_tail) = NULL;
    MICROPY_END_ATOMIC_SECTION(atomic_state);
}

void irq_deinit(void) {
    for (slot_t *slot = slots; slot < slots + VECTORS_MAX; slot++) {
        if (slot->vector != 0) {
            release(slot);
        }
    }
    forget_scheduled();
    running = false;
}

static const mp_rom_map_elem_t irq_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_irq) },
    { MP_ROM_QSTR(MP_QSTR_alloc), MP_ROM_PTR(&irq_alloc_obj) },
    { MP_ROM_QSTR(MP_QSTR_tick), MP_ROM_PTR(&irq_tick_obj) },
    { MP_ROM_QSTR(MP_QSTR_free), MP_ROM_PTR(&irq_free_obj) },
    { MP_ROM_QSTR(MP_QSTR_message), MP_ROM_PTR(&irq_message_obj) },
};
static MP_DEFINE_CONST_DICT(irq_globals, irq_globals_table);

const mp_obj_module_t mp_module_irq = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&irq_globals,
};

MP_REGISTER_MODULE(MP_QSTR_irq, mp_module_irq);
MP_REGISTER_ROOT_POINTER(mp_obj_t irq_callbacks[16]);
