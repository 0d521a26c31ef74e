// The test identity: certificates and keys of three chips, as tools/snpidentity.py makes them into a C file.
//
// The keys are no secret: they are made with each build, and nobody but who was told to trusts them.
#ifndef KEELBACK_PSP_IDENTITY_H
#define KEELBACK_PSP_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#define PSP_PRODUCTS 3

typedef struct {
    const uint8_t *data;
    size_t len;
} psp_bytes_t;

typedef struct {
    const char *product;                    // as AMD's certificates have it
    uint8_t tcb[8], chip_id[64];            // what the certificates state
    uint8_t vcek_key[48], vlek_key[48];     // private keys for P-384, big-endian
    psp_bytes_t ark, ask, vcek, asvk, vlek; // DER
    psp_bytes_t crl, crl_revoked;           // the ARK's list: an empty one, and one with ASK and ASVK in it
} psp_identity_t;

extern const psp_identity_t psp_identities[PSP_PRODUCTS];

#endif
