// What entry.c needs of the firmware's interfaces, grouped by the file that implements it.
#ifndef SNPEMU_FIRMWARE_H
#define SNPEMU_FIRMWARE_H

#include <efi.h>

#include "emu.h"

extern EFI_SYSTEM_TABLE *ST;
extern EFI_BOOT_SERVICES *BS;

// ---- volume.c ----------------------------------------------------------------------------------------
char *volume_file(EFI_HANDLE device, const char *path, size_t max, size_t *len);     // NULL: not there, or larger
size_t load_options(EFI_HANDLE image, EFI_LOADED_IMAGE *self, char *out, size_t room);
bool image_load(EFI_HANDLE parent, EFI_HANDLE device, const char *path, EFI_HANDLE *target);

// ---- relocate.c ----------------------------------------------------------------------------------------
typedef const char *(*machine_init_t)(setup_t *, vcpu_t **, void (**)(vcpu_t *));
uint64_t image_pages(void);
machine_init_t image_stay(uint64_t end, machine_init_t function);   // copy the image so that it ends there -> the copy's function

// ---- acpi.c ----------------------------------------------------------------------------------------------
void acpi_collect(setup_t *setup);          // processors, and the port that turns the machine off

// ---- unaccepted.c ----------------------------------------------------------------------------------------
bool unaccepted_take(setup_t *setup, uint64_t len);

#endif
