// The emulator as a UEFI application: collect what the firmware knows, stay in memory, become the host, start the target.
// Source: UEFI 2.10, 7.2 (memory), 7.4 (images), 4.6 (configuration tables), 13.4 (files); GHCB specification (56421), blob.

#include <efi.h>

#include "emu.h"
#include "firmware.h"
#include "psp.h"

#define CONFIG_MAX 65536
#define TARGET_MAX (256u << 20)

EFI_SYSTEM_TABLE *ST;
EFI_BOOT_SERVICES *BS;
static setup_t *setup;

static const EFI_GUID blob_guid = { 0x067b1f5f, 0xcf26, 0x44c5, { 0x85, 0x54, 0x93, 0xd7, 0x77, 0x91, 0x2d, 0x42 } };

void print(const char *text) {
    CHAR16 line[256];
    size_t n = 0;
    for (; text[n] != 0 && n < 255; n++) {
        line[n] = text[n];
    }
    line[n] = 0;
    ST->ConOut->OutputString(ST->ConOut, line);
}

static EFI_STATUS fail(const char *what) {
    print("snpemu: ");
    print(what);
    print("\r\n");
    return EFI_ABORTED;
}

// Reserved memory, zeroed, at or below limit; 0: there is none.
static uint64_t reserve(uint64_t pages, uint64_t limit) {
    EFI_PHYSICAL_ADDRESS at = limit;
    if (BS->AllocatePages(AllocateMaxAddress, EfiReservedMemoryType, pages, &at) != EFI_SUCCESS) {
        return 0;
    }
    __builtin_memset((void *)at, 0, pages * PAGE_SIZE);
    return at;
}

static bool is_usable(uint32_t type) {
    return type != EfiReservedMemoryType && type < EfiMemoryMappedIO;
}

// Where RAM ends below and above 4 GiB.
static bool find_ram(void) {
    UINTN len = 0, key, step;
    UINT32 version;
    EFI_MEMORY_DESCRIPTOR *map = NULL;
    BS->GetMemoryMap(&len, NULL, &key, &step, &version);
    len += 8 * step;
    if (BS->AllocatePool(EfiLoaderData, len, (void **)&map) != EFI_SUCCESS || BS->GetMemoryMap(&len, map, &key, &step, &version) != EFI_SUCCESS) {
        return false;
    }
    uint64_t four = 1ull << 32;
    setup->ram[1] = (range_t) { four, four };
    for (uint8_t *p = (uint8_t *)map; p < (uint8_t *)map + len; p += step) {
        EFI_MEMORY_DESCRIPTOR *d = (EFI_MEMORY_DESCRIPTOR *)p;
        uint64_t end = d->PhysicalStart + d->NumberOfPages * PAGE_SIZE;
        range_t *ram = &setup->ram[end > four];
        if (is_usable(d->Type) && end > ram->end) {
            ram->end = end;
        }
    }
    BS->FreePool(map);
    return setup->ram[0].end != 0;
}

// What the emulator needs itself: the views and RMP of all pages, tables, a few pages for each processor, its own image.
static bool reserve_host(void) {
    uint64_t pages = (setup->ram[0].end + setup->ram[1].end - setup->ram[1].start) / PAGE_SIZE;
    uint64_t need = 3 * (pages / 512 + 1024) + pages / 4096 + 600 + VCPUS_MAX * 20 + image_pages();
    setup->host.start = reserve(need, 0xffffffff);
    setup->host.end = setup->host.start + need * PAGE_SIZE;
    setup->secrets = reserve(1, 0xffffffff);
    setup->cpuid = reserve(1, 0xffffffff);
    setup->firmware_ghcb = reserve(2, 0xffffffff);
    setup->trampoline = reserve(1, 0x9ffff);
    uint64_t split = setup->options.split / PAGE_SIZE;
    if (split > 0) {
        setup->split.start = reserve(split, ~0ull);
        setup->split.end = setup->split.start + split * PAGE_SIZE;
    }
    return setup->host.start && (split == 0 || setup->split.start) && setup->secrets && setup->cpuid && setup->firmware_ghcb && setup->trampoline;
}

static bool publish_blob(void) {
    uint32_t *blob;
    EFI_GUID guid = blob_guid;
    if (BS->AllocatePool(EfiACPIReclaimMemory, 0x28, (void **)&blob) != EFI_SUCCESS) {
        return false;
    }
    uint32_t content[] = { 0x45444d41, 1, setup->secrets, 0, PAGE_SIZE, 0, setup->cpuid, 0, PAGE_SIZE, 0 };
    __builtin_memcpy(blob, content, sizeof(content));
    return BS->InstallConfigurationTable(&guid, blob) == EFI_SUCCESS;
}

// Options: the file on the volume, then the load options. -> NULL or what is wrong.
static const char *read_options(EFI_HANDLE image, EFI_LOADED_IMAGE *self) {
    static char words[2048];
    options_default(&setup->options);
    size_t len;
    char *text = volume_file(self->DeviceHandle, "\\snpemu.cfg", CONFIG_MAX, &len);
    const char *wrong = text == NULL ? NULL : options_parse(&setup->options, text, len, false);
    if (wrong != NULL) {
        return wrong;
    }
    len = load_options(image, self, words, sizeof(words));
    return options_parse(&setup->options, words, len, true);
}

// The measurement: the target's file as pages from GPA 0 on. Neither firmware nor processors are in it.
static bool measure(EFI_LOADED_IMAGE *self) {
    size_t len;
    char *file = volume_file(self->DeviceHandle, setup->options.target, TARGET_MAX, &len);
    for (size_t at = 0; file != NULL && at < len; at += PAGE_SIZE) {
        psp_measure(setup->measurement, (uint8_t *)file + at, at);
    }
    if (file != NULL) {
        BS->FreePages((EFI_PHYSICAL_ADDRESS)file, len / PAGE_SIZE + 1);
    }
    return file != NULL;
}

static EFI_STATUS start_target(EFI_HANDLE image, EFI_LOADED_IMAGE *self) {
    static CHAR16 args[sizeof(setup->options.args)];
    EFI_HANDLE target;
    EFI_LOADED_IMAGE *loaded;
    EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
    if (!measure(self) || !image_load(image, self->DeviceHandle, setup->options.target, &target)) {
        return fail("the target cannot be loaded: put target.efi on the volume, or name it");
    }
    BS->HandleProtocol(target, &guid, (void **)&loaded);
    size_t n = __builtin_strlen(setup->options.args);
    for (size_t i = 0; i <= n; i++) {
        args[i] = setup->options.args[i];
    }
    loaded->LoadOptions = args;
    loaded->LoadOptionsSize = n == 0 ? 0 : 2 * n + 2;

    vcpu_t *first;
    void (*entry)(vcpu_t *);
    machine_init_t init = image_stay(setup->host.end, machine_init);
    const char *wrong = init(setup, &first, &entry);
    if (wrong != NULL) {
        return fail(wrong);
    }
    print("snpemu: the rest runs as an SEV-SNP guest; emulated, no secret is safe\r\n");
    svm_launch(first, entry);
    return BS->StartImage(target, NULL, NULL);
}

static bool has_svm(void) {
    uint32_t a = 0x80000001, b, c = 0, d;
    __asm__ volatile ("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
    if (!(c & 4)) {
        return false;
    }
    a = 0x8000000a;
    __asm__ volatile ("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
    uint32_t nested = d & 1;
    a = 0x80000008;
    __asm__ volatile ("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
    return nested && (a & 255) >= 48;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st) {
    EFI_LOADED_IMAGE *self;
    EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
    ST = st;
    BS = st->BootServices;
    if (!has_svm()) {
        return fail("the processor has no SVM with nested paging and 48 address bits: -cpu EPYC,phys-bits=48");
    }
    EFI_PHYSICAL_ADDRESS at = 0xffffffff;
    UINTN pages = (sizeof(setup_t) + PAGE_SIZE - 1) / PAGE_SIZE;
    if (BS->AllocatePages(AllocateMaxAddress, EfiReservedMemoryType, pages, &at) != EFI_SUCCESS
        || BS->HandleProtocol(image, &guid, (void **)&self) != EFI_SUCCESS) {
        return fail("the firmware has no memory");
    }
    setup = __builtin_memset((void *)at, 0, pages * PAGE_SIZE);
    const char *wrong = read_options(image, self);
    if (wrong != NULL) {
        return fail(wrong);
    }
    if (!find_ram() || !reserve_host() || !publish_blob() || !unaccepted_take(setup, setup->options.unaccepted)) {
        return fail("the firmware has no memory");
    }
    acpi_collect(setup);
    return start_target(image, self);
}
