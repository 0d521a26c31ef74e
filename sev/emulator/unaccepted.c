// Memory that the firmware leaves unaccepted, as OVMF does above 4 GiB: the memory map says so, and the first ExitBootServices accepts it
// all, unless the loader has said before that it will do that itself.
// Source: UEFI 2.10, 7.2.3 (EfiUnacceptedMemoryType); OVMF_SEV_MEMORY_ACCEPTANCE_PROTOCOL. Left out: EDKII_MEMORY_ACCEPT_PROTOCOL, of which
// loaders make no use, and memory that the firmware accepts for itself.
//
// Runs in the guest, as part of its firmware, until boot services end.

#include "firmware.h"

#define OUR_TYPE 0x80000001u                // as the firmware below has it
#define UNACCEPTED_TYPE 15u

typedef struct acceptance { EFI_STATUS (EFIAPI *allow)(struct acceptance *); } acceptance_t;

static EFI_GET_MEMORY_MAP real_map;
static EFI_EXIT_BOOT_SERVICES real_exit;
static range_t range;
static bool allowed, accepted;

static void validate(uint64_t page) {
    uint32_t code;
    __asm__ volatile (".byte 0xf2, 0x0f, 0x01, 0xff" : "=a" (code) : "a" (page), "c" (0), "d" (1) : "memory", "cc");
}

static EFI_STATUS EFIAPI get_memory_map(UINTN *len, EFI_MEMORY_DESCRIPTOR *map, UINTN *key, UINTN *step, UINT32 *version) {
    EFI_STATUS status = real_map(len, map, key, step, version);
    for (uint8_t *p = (uint8_t *)map; status == EFI_SUCCESS && p < (uint8_t *)map + *len; p += *step) {
        EFI_MEMORY_DESCRIPTOR *d = (EFI_MEMORY_DESCRIPTOR *)p;
        if (d->Type == OUR_TYPE) {
            d->Type = accepted ? EfiConventionalMemory : UNACCEPTED_TYPE;
        }
    }
    return status;
}

static EFI_STATUS EFIAPI exit_boot_services(EFI_HANDLE image, UINTN key) {
    if (allowed || accepted) {
        return real_exit(image, key);
    }
    for (uint64_t page = range.start; page < range.end; page += PAGE_SIZE) {
        validate(page);
    }
    accepted = true;
    return EFI_INVALID_PARAMETER;           // the map is another one now
}

static EFI_STATUS EFIAPI allow(acceptance_t *self) {
    allowed = true;
    return EFI_SUCCESS;
}

// Take so many bytes from the firmware. false: it has not got them.
bool unaccepted_take(setup_t *setup, uint64_t len) {
    static acceptance_t protocol = { allow };
    static EFI_GUID guid = { 0xc5a010fe, 0x38a7, 0x4531, { 0x8a, 0x4a, 0x05, 0x00, 0xd2, 0xfd, 0x16, 0x49 } };
    EFI_PHYSICAL_ADDRESS at = ~0ull;
    EFI_HANDLE handle = NULL;
    if (len == 0) {
        return true;
    }
    if (BS->AllocatePages(AllocateMaxAddress, OUR_TYPE, len / PAGE_SIZE, &at) != EFI_SUCCESS) {
        return false;
    }
    setup->unaccepted = range = (range_t) { at, at + len / PAGE_SIZE * PAGE_SIZE };
    real_map = BS->GetMemoryMap;
    real_exit = BS->ExitBootServices;
    BS->GetMemoryMap = get_memory_map;
    BS->ExitBootServices = exit_boot_services;
    BS->Hdr.CRC32 = 0;
    BS->CalculateCrc32(&BS->Hdr, BS->Hdr.HeaderSize, &BS->Hdr.CRC32);
    return BS->InstallProtocolInterface(&handle, &guid, EFI_NATIVE_INTERFACE, &protocol) == EFI_SUCCESS;
}
