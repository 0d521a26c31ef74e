// The host's certificate table for extended requests, in the forms that hosts give it, and some that none should.
//
// Source: GHCB specification, 4.1.8.1: entries of GUID, offset, length; an entry of zeroes; the certificates.

#include <string.h>

#include "psp_guest.h"

typedef enum { FORM_DER, FORM_CRL, FORM_REVOKED, FORM_PEM, FORM_EMPTY, FORM_NO_CHAIN, FORM_DAMAGED, FORM_BEYOND, FORM_ENDLESS } form_t;

static const struct {
    const char *name;
    form_t form;
    const char *what;
} forms[] = {
    { "der", FORM_DER, "ARK, ASK and VCEK, or ARK, ASVK and VLEK" },
    { "crl", FORM_CRL, "the same and the ARK's list of the revoked, which is empty" },
    { "revoked", FORM_REVOKED, "the same with ASK and ASVK in that list" },
    { "pem", FORM_PEM, "the certificates in PEM" },
    { "empty", FORM_EMPTY, "no entry" },
    { "no-chain", FORM_NO_CHAIN, "only the VCEK or VLEK" },
    { "damaged", FORM_DAMAGED, "one bit of the VCEK's or VLEK's signature is flipped" },
    { "beyond", FORM_BEYOND, "an entry that reaches beyond every buffer" },
    { "endless", FORM_ENDLESS, "entries up to the end of 4 KiB, and none that ends them" },
};

static form_t form;

// GUIDs in the order of their text, as AMD's tools have them.
typedef uint8_t guid_t[16];
static const guid_t ark_guid = { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae };
static const guid_t ask_guid = { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 };
static const guid_t vcek_guid = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
static const guid_t vlek_guid = { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1 };
static const guid_t crl_guid = { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea };

#define ENTRY_LEN   24
#define ENTRIES_MAX 4

typedef struct {
    const uint8_t *guid;
    psp_bytes_t content;
} entry_t;

bool psp_certificates_form(const char *name) {
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        if (same_text(name, forms[i].name)) {
            form = forms[i].form;
            return true;
        }
    }
    return false;
}

const char *psp_certificates_name(unsigned i, const char **what) {
    if (i >= sizeof(forms) / sizeof(*forms)) {
        return NULL;
    }
    *what = forms[i].what;
    return forms[i].name;
}

// ---- what is in it -------------------------------------------------------------------------------------------------------
static unsigned choose(entry_t entries[ENTRIES_MAX]) {
    const psp_identity_t *chip = guest.chip;
    unsigned count = 0;
    if (form == FORM_EMPTY || chip == NULL) {
        return 0;
    }
    entries[count++] = guest.launch.vlek ? (entry_t) { vlek_guid, chip->vlek } : (entry_t) { vcek_guid, chip->vcek };
    if (form != FORM_NO_CHAIN) {
        entries[count++] = (entry_t) { ask_guid, guest.launch.vlek ? chip->asvk : chip->ask };
        entries[count++] = (entry_t) { ark_guid, chip->ark };
    }
    if (form == FORM_CRL || form == FORM_REVOKED) {
        entries[count++] = (entry_t) { crl_guid, form == FORM_CRL ? chip->crl : chip->crl_revoked };
    }
    return count;
}

// ---- PEM -------------------------------------------------------------------------------------------------------------------
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----\n"
#define PEM_END   "-----END CERTIFICATE-----\n"
#define LINE      48                        // bytes in a line of 64 characters

static size_t pem_len(size_t len) {
    return sizeof(PEM_BEGIN) - 1 + sizeof(PEM_END) - 1 + (len + 2) / 3 * 4 + (len + LINE - 1) / LINE;
}

static void put_base64(uint8_t *out, const uint8_t *data, size_t len) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = data[0] << 16 | (len > 1 ? data[1] << 8 : 0) | (len > 2 ? data[2] : 0);
    for (unsigned i = 0; i < 4; i++) {
        out[i] = i <= len ? digits[bits >> (18 - 6 * i) & 63] : '=';
    }
}

static void put_pem(uint8_t *out, psp_bytes_t content) {
    memcpy(out, PEM_BEGIN, sizeof(PEM_BEGIN) - 1);
    out += sizeof(PEM_BEGIN) - 1;
    for (size_t i = 0; i < content.len; i += 3, out += 4) {
        if (i != 0 && i % LINE == 0) {
            *out++ = '\n';
        }
        size_t left = content.len - i;
        put_base64(out, content.data + i, left < 3 ? left : 3);
    }
    *out++ = '\n';
    memcpy(out, PEM_END, sizeof(PEM_END) - 1);
}

// ---- the table ---------------------------------------------------------------------------------------------------------------
static size_t content_len(const entry_t *entry) {
    return form == FORM_PEM ? pem_len(entry->content.len) : entry->content.len;
}

static void put_entry(uint8_t *out, const uint8_t *guid, size_t at, size_t len) {
    memcpy(out, guid, 16);
    put(out + 16, at, 4);
    put(out + 20, len, 4);
}

static void put_table(uint8_t *out, const entry_t *entries, unsigned count) {
    size_t at = (count + 1) * ENTRY_LEN;
    memset(out, 0, at);
    for (unsigned i = 0; i < count; i++) {
        const psp_bytes_t *content = &entries[i].content;
        put_entry(out + i * ENTRY_LEN, entries[i].guid, at, content_len(&entries[i]));
        if (form == FORM_PEM) {
            put_pem(out + at, *content);
        } else {
            memcpy(out + at, content->data, content->len);
        }
        at += content_len(&entries[i]);
    }
    if (form == FORM_DAMAGED) {
        out[(count + 1) * ENTRY_LEN + entries[0].content.len - 1] ^= 1;
    } else if (form == FORM_BEYOND) {
        put(out + 16, 0xfffff000, 4);
    }
}

static size_t endless(uint8_t *out, size_t room) {
    for (size_t at = 0; room >= PSP_PAGE_LEN && at < PSP_PAGE_LEN; at += ENTRY_LEN) {
        uint8_t entry[ENTRY_LEN];
        put_entry(entry, vcek_guid, 0, PSP_PAGE_LEN);
        memcpy(out + at, entry, PSP_PAGE_LEN - at < ENTRY_LEN ? PSP_PAGE_LEN - at : ENTRY_LEN);
    }
    return PSP_PAGE_LEN;
}

size_t psp_certificates(uint8_t *out, size_t room) {
    if (form == FORM_ENDLESS) {
        return endless(out, room);
    }
    entry_t entries[ENTRIES_MAX];
    unsigned count = choose(entries);
    size_t len = (count + 1) * ENTRY_LEN;
    for (unsigned i = 0; i < count; i++) {
        len += content_len(&entries[i]);
    }
    if (len <= room) {
        put_table(out, entries, count);
    }
    return len;
}
