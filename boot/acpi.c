// Find an ACPI table: RSDP, then XSDT or RSDT. Only what bring-up needs (MADT, FADT); drivers/acpi.py does the rest.
// The tables come from the host: lengths are bounded, checksums verified, addresses must be mapped.
// Source: ACPI 6.5, 5.2.5 (RSDP), 5.2.6 (header), 5.2.7 and 5.2.8 (RSDT, XSDT).

#include "internal.h"

#define TABLE_MAX (1u << 20)
#define HEADER_LEN 36

static uint64_t get(const uint8_t *p, int len) {
    uint64_t v = 0;
    __builtin_memcpy(&v, p, len);
    return v;
}

static bool sum_ok(const uint8_t *p, uint32_t len) {
    uint8_t sum = 0;
    for (uint32_t i = 0; i < len; i++) {
        sum += p[i];
    }
    return sum == 0;
}

// A table at addr whose header, length and checksum hold, or NULL.
static const uint8_t *table_at(uint64_t addr, const char *signature, uint32_t *len) {
    const uint8_t *t = (const uint8_t *)addr;
    if (addr == 0 || !map_check(addr, HEADER_LEN, MAP_R)) {
        return NULL;
    }
    *len = get(t + 4, 4);
    if (__builtin_memcmp(t, signature, 4) != 0 || *len < HEADER_LEN || *len > TABLE_MAX || !map_check(addr, *len, MAP_R)) {
        return NULL;
    }
    return sum_ok(t, *len) ? t : NULL;
}

const uint8_t *acpi_find(const char *signature, uint32_t *len) {
    const uint8_t *rsdp = (const uint8_t *)boot_info.rsdp;
    if (rsdp == NULL || !map_check(boot_info.rsdp, 36, MAP_R) || !sum_ok(rsdp, 20)) {
        return NULL;
    }
    bool extended = rsdp[15] >= 2 && get(rsdp + 24, 8) != 0;
    uint32_t root_len;
    const uint8_t *root = extended ? table_at(get(rsdp + 24, 8), "XSDT", &root_len) : table_at(get(rsdp + 16, 4), "RSDT", &root_len);
    int width = extended ? 8 : 4;
    for (uint32_t i = HEADER_LEN; root != NULL && i + width <= root_len; i += width) {
        const uint8_t *t = table_at(get(root + i, width), signature, len);
        if (t != NULL) {
            return t;
        }
    }
    return NULL;
}
