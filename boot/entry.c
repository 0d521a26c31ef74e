// The order of bring-up: from the firmware's entry point to keelback_main(), and back out again.
// Source: UEFI 2.10, 4.1 (image entry point), 7.4 (ExitBootServices).

#include "internal.h"
#include "cpu.h"

EFI_SYSTEM_TABLE *ST;
EFI_BOOT_SERVICES *BS;
EFI_RUNTIME_SERVICES *RT;

STACK(main_stack, MAIN_STACK_LEN);
char *const main_stack_bottom = (char *)main_stack + PAGE_SIZE;
char *const main_stack_top = (char *)main_stack + sizeof(main_stack);

// Of a hardened build the options are the attacker's, and to the firmware's code and memory no way leads back.
static bool keeps_boot_services(void) {
    const char *mode = option_get("boot_services");
    bool asked = mode != NULL && __builtin_strcmp(mode, "keep") == 0;
    if (asked && KEELBACK_HARDENED) {
        console_puts("boot_services=keep: not in a hardened build\n");
    }
    return asked && !KEELBACK_HARDENED;
}

// Run the interpreter in the mode that the options ask for.
static int run(void) {
    if (keeps_boot_services()) {
        console_puts("keeping EFI boot services\n");
        time_calibrate();
        firmware_console_take();
        firmware_guard_init();
        firmware_poll_start();
    } else {
        console_puts("exiting EFI boot services\n");
        if (!exit_boot_services()) {
            console_puts("error: the firmware refuses to exit boot services\n");
            return 1;
        }
    }
    if (boot_info.files_note != NULL) {
        console_printf("%s\n", boot_info.files_note);
    }
    int status = keelback_main();
    if (!boot_services_alive()) {
        machine_power(POWER_OFF);           // here: the firmware's stack, to which this would return, has been given out
    }
    return status;
}

// guard.S: call fn on another stack and return what it returns.
int call_on_stack(int (*fn)(void), uint64_t stack_top);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st) {
    ST = st;
    BS = st->BootServices;
    RT = st->RuntimeServices;
    time_start();
    serial_init();
    console_puts("initializing EFI services\n");
    collect(image, st);
    madt_parse();
    chart_mark("collect");
    int status = call_on_stack(run, STACK_TOP(main_stack));
    firmware_poll_stop();
    firmware_guard_end();
    firmware_console_return();
    return status == 0 ? EFI_SUCCESS : EFI_ABORTED;
}
