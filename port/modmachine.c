// The machine module: what a computer has of a board. Included by extmod/modmachine.c.

#include "py/mphal.h"
#include "boot/boot.h"
#include "machine_rtc.h"

enum { RESET_POWER_ON = 1 };

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_RTC), MP_ROM_PTR(&machine_rtc_type) }, \
    { MP_ROM_QSTR(MP_QSTR_PWRON_RESET), MP_ROM_INT(RESET_POWER_ON) },

// SMBIOS 3.6, 5.2: where the 32-bit and the 64-bit entry point have the table's length and address;
// 7.2: the system's UUID in the structure of type 1.
enum { SMBIOS_LEN = 0x16, SMBIOS_ADDR = 0x18, SMBIOS3_LEN = 0x0c, SMBIOS3_ADDR = 0x10, SMBIOS_ENTRY_LEN = 0x20 };
enum { SYSTEM_INFORMATION = 1, UUID_OFFSET = 8, UUID_LEN = 16, END_OF_TABLE = 127 };

// idle(): until the next interrupt, at most a millisecond, as MicroPython promises.
static void mp_machine_idle(void) {
    mp_event_handle_nowait();
    cpu_idle_until(clock_ns() + 1000000);
}

NORETURN static void mp_machine_reset(void) {
    machine_power(POWER_COLD);
}

// Firmware does not say why it started us.
static mp_int_t mp_machine_reset_cause(void) {
    return RESET_POWER_ON;
}

// The first structure of the table that is a system information, or NULL.
static const uint8_t *smbios_system(const uint8_t *p, const uint8_t *end) {
    while (p + 4 <= end && p[1] >= 4 && p[0] != END_OF_TABLE) {
        if (p[0] == SYSTEM_INFORMATION) {
            return p + UUID_OFFSET + UUID_LEN <= end && p[1] >= UUID_OFFSET + UUID_LEN ? p : NULL;
        }
        for (p += p[1]; p + 2 <= end && (p[0] != 0 || p[1] != 0); p++) {
        }
        p += 2;     // past the strings' end
    }
    return NULL;
}

// The structure table: its address, or 0 where there is none that is mapped, and its length.
static uint64_t smbios_table(uint64_t *len) {
    uint64_t entry = boot_info.smbios3 != 0 ? boot_info.smbios3 : boot_info.smbios, addr;
    if (entry == 0 || !map_check(entry, SMBIOS_ENTRY_LEN, MAP_R)) {
        return 0;
    }
    if (boot_info.smbios3 != 0) {
        *len = *(const uint32_t *)(entry + SMBIOS3_LEN);
        addr = *(const uint64_t *)(entry + SMBIOS3_ADDR);
    } else {
        *len = *(const uint16_t *)(entry + SMBIOS_LEN);
        addr = *(const uint32_t *)(entry + SMBIOS_ADDR);
    }
    return map_check(addr, *len, MAP_R) ? addr : 0;
}

// The system's UUID from SMBIOS, 16 bytes as they lie there; empty where the firmware has none.
static mp_obj_t mp_machine_unique_id(void) {
    uint64_t len, table = smbios_table(&len);
    const uint8_t *system = table == 0 ? NULL : smbios_system((const uint8_t *)table, (const uint8_t *)table + len);
    return system == NULL ? mp_const_empty_bytes : mp_obj_new_bytes(system + UUID_OFFSET, UUID_LEN);
}

// Of the time stamp counter, Hz; it cannot be set.
static mp_obj_t mp_machine_get_freq(void) {
    return mp_obj_new_int_from_uint(tsc_hz);
}

static void mp_machine_set_freq(size_t n_args, const mp_obj_t *args) {
    mp_raise_NotImplementedError(MP_ERROR_TEXT("the frequency is fixed"));
}

// lightsleep(ms): hlt until then, handling events; without an argument as idle().
static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    if (n_args == 0) {
        mp_machine_idle();
    } else {
        mp_hal_delay_ms(mp_obj_get_int(args[0]));
    }
}

// deepsleep(ms): as boards do, sleep and then start anew.
NORETURN static void mp_machine_deepsleep(size_t n_args, const mp_obj_t *args) {
    if (n_args == 0) {
        machine_power(POWER_OFF);
    }
    mp_hal_delay_ms(mp_obj_get_int(args[0]));
    machine_power(POWER_COLD);
}
