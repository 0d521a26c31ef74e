// The launch measurement: one digest after another, each over the one before and what is added. Source: SEV-SNP Firmware ABI (56860),
// 8.17.2 (PAGE_INFO).

#include <string.h>

#include "psp_guest.h"

enum { INFO_LEN = 0x70, PAGE_NORMAL = 1 };

void psp_measure(uint8_t digest[48], const uint8_t page[PSP_PAGE_LEN], uint64_t gpa) {
    uint8_t info[INFO_LEN] = { 0 };
    memcpy(info, digest, 48);
    crypto_sha384(page, PSP_PAGE_LEN, info + 0x30);
    info[0x60] = INFO_LEN;
    info[0x62] = PAGE_NORMAL;
    for (int i = 0; i < 8; i++) {
        info[0x68 + i] = gpa >> (8 * i);
    }
    crypto_sha384(info, sizeof(info), digest);
}
