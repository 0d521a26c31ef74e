// The launch of the guest: what its secure processor, secrets page and CPUID page say. Source: SEV-SNP Firmware ABI (56860), 8.17.

#include "vmcb.h"
#include "psp.h"

typedef struct { char name[8]; uint8_t family, model, stepping; } product_t;

static const product_t products[] = { { "milan", 0x19, 0x01, 0x01 }, { "genoa", 0x19, 0x11, 0x01 }, { "turin", 0x1a, 0x02, 0x01 } };

static bool set_product(psp_launch_t *launch, const char *name) {
    for (unsigned i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
        if (__builtin_strcmp(products[i].name, name) == 0) {
            launch->family = products[i].family;
            launch->model = products[i].model;
            launch->stepping = products[i].stepping;
            return true;
        }
    }
    return false;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Text of hexadecimal digits into len bytes; no text: they stay.
static bool set_bytes(uint8_t *out, size_t len, const char *text) {
    size_t n = __builtin_strlen(text);
    for (size_t i = 0; i < n; i++) {
        if (hex_digit(text[i]) < 0) {
            return false;
        }
    }
    for (size_t i = 0; i < len && n == 2 * len; i++) {
        out[i] = hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]);
    }
    return n == 0 || n == 2 * len;
}

// -> NULL or what is wrong.
const char *launch(void) {
    const options_t *o = machine.options;
    psp_launch_t launch;
    psp_launch_default(&launch);
    if (!set_product(&launch, o->product)) {
        return "product is milan, genoa or turin";
    }
    if (!psp_certificates_form(o->certs)) {
        return "there is no certificate table of that name";
    }
    __builtin_memcpy(launch.measurement, machine.setup->measurement, 48);
    if (!set_bytes(launch.measurement, 48, o->measurement) || !set_bytes(launch.host_data, 32, o->host_data)) {
        return "measurement is 48 bytes in hexadecimal, host_data 32";
    }
    launch.report_version = o->report;
    launch.policy = o->policy;
    launch.vlek = o->vlek;
    launch.guest_svn = o->guest_svn;
    launch.mask_chip_id = o->mask_chip;
    if (o->used != 0) {
        launch.used[0] = o->used;
    }
    if (!psp_start(&launch, host_random)) {
        return psp_complaint();
    }
    psp_secrets_page(guest_page(machine.setup->secrets));
    cpuid_page(guest_page(machine.setup->cpuid));
    return NULL;
}
