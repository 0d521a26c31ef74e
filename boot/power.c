// Power off, reset and halt: through the firmware's runtime service, then by the means a PC has.
// Source: UEFI 2.10, 8.5.1 (ResetSystem); ACPI 6.5, 4.8.3.2 (PM1 control), 4.8.3.6 (reset register);
// Intel ICH9, 13.7.5 (reset control register CF9h).

#include "internal.h"
#include "io.h"

#define RESET_CONTROL 0xcf9
#define RESET_CONTROL_HARD 0x06
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET 0xfe

static void runtime_reset(void *arg) {
    RT->ResetSystem(*(EFI_RESET_TYPE *)arg, EFI_SUCCESS, 0, NULL);
}

static void hardware_reset(void) {
    outb(RESET_CONTROL, RESET_CONTROL_HARD & ~4);
    outb(RESET_CONTROL, RESET_CONTROL_HARD);
    outb(KEYBOARD_COMMAND, KEYBOARD_RESET);
}

static void halt(void) {
    for (;;) {
        cli();
        __asm__ volatile ("hlt");
    }
}

void machine_power(int kind) {
    if (kind != POWER_HALT) {
        EFI_RESET_TYPE type = kind == POWER_OFF ? EfiResetShutdown : kind == POWER_COLD ? EfiResetCold : EfiResetWarm;
        fault_guard(runtime_reset, &type, NULL);
        if (kind != POWER_OFF) {
            hardware_reset();
        }
    }
    halt();
    __builtin_unreachable();
}
