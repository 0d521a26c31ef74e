// Two facts out of the firmware's ACPI tables. Source: ACPI 6.5, 5.2.5 (RSDP), 5.2.9 (FADT), 5.2.12 (MADT).
// The firmware is trusted here: it is the machine that the emulator stands on.

#include "firmware.h"

static const uint8_t *find(const uint8_t *rsdp, const char *signature) {
    const uint8_t *xsdt = *(const uint8_t **)(rsdp + 24);
    uint32_t len = *(const uint32_t *)(xsdt + 4);
    for (uint32_t at = 36; at + 8 <= len; at += 8) {
        const uint8_t *table = *(const uint8_t *const *)(xsdt + at);
        if (__builtin_memcmp(table, signature, 4) == 0) {
            return table;
        }
    }
    return NULL;
}

static void add_processor(setup_t *setup, unsigned apic_id, unsigned own) {
    if (apic_id != own && setup->vcpu_count < VCPUS_MAX) {
        setup->apic_ids[setup->vcpu_count++] = apic_id;
    }
}

void acpi_collect(setup_t *setup) {
    static const EFI_GUID guid = { 0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } };
    uint32_t a = 1, own, c = 0, d;
    __asm__ volatile ("cpuid" : "+a" (a), "=b" (own), "+c" (c), "=d" (d));
    own >>= 24;
    setup->apic_ids[0] = own;
    setup->vcpu_count = 1;
    const uint8_t *rsdp = NULL;
    for (UINTN i = 0; i < ST->NumberOfTableEntries; i++) {
        if (__builtin_memcmp(&ST->ConfigurationTable[i].VendorGuid, &guid, sizeof(guid)) == 0) {
            rsdp = ST->ConfigurationTable[i].VendorTable;
        }
    }
    const uint8_t *fadt = rsdp ? find(rsdp, "FACP") : NULL, *madt = rsdp ? find(rsdp, "APIC") : NULL;
    setup->pm1a_cnt = fadt ? *(const uint32_t *)(fadt + 64) : 0;
    for (uint32_t at = 44; madt && at + 2 <= *(const uint32_t *)(madt + 4) && madt[at + 1] >= 2; at += madt[at + 1]) {
        if (madt[at] == 0 && (madt[at + 4] & 1)) {      // a local APIC that is enabled
            add_processor(setup, madt[at + 3], own);
        }
    }
}
