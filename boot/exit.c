// Leaving the firmware: ExitBootServices with the retry that UEFI 2.10, 7.4.6 asks for, then the take-over
// of the machine. Afterwards only runtime services are left, called under our page tables.

#include "internal.h"
#include "io.h"

#define EXIT_TRIES 8                        // a stale key is normal once; firmware that never settles is broken

bool boot_services_alive(void) {
    return BS != NULL;
}

// After a failed attempt the firmware may be half shut down: only GetMemoryMap and ExitBootServices
// may be called, so the map's buffer was allocated before with room to grow.
static bool leave(void) {
    for (int i = 0; i < EXIT_TRIES; i++) {
        if (!memmap_load()) {
            return false;
        }
        if (BS->ExitBootServices(boot_info.image_handle, memmap_key) == EFI_SUCCESS) {
            return true;
        }
    }
    return false;
}

// Everything that was the firmware's becomes ours. The order matters: memory that the firmware's page tables,
// descriptors and stacks live in is given out only after ours are in force. In an SEV-SNP guest the firmware serves our #VC until
// its tables go, and we do once ghcb_init() is through: what lies in between, here and in what is called, must not trap.
static void take_over(void) {
    memmap_add_conventional();
    paging_init();
    desc_init();
    idt_init();
    ghcb_init();
    time_secure();
    memmap_add_boot_services();
    exec_adopt();
    chart_mark("take over");
    apic_init();
    serial_irq_start();
    sti();
    chart_mark("interrupts");
}

bool exit_boot_services(void) {
    if (BS == NULL) {
        return true;
    }
    memmap_reserve();
    if (tsc_source == NULL) {
        time_calibrate();
    }
    chart_mark("calibrate");
    firmware_poll_stop();
    sev_keep_unaccepted();
    if (!leave()) {
        return false;
    }
    cli();
    BS = NULL;
    chart_mark("exit boot services");
    take_over();
    return true;
}
