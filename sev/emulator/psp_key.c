// MSG_KEY_REQ, versions 1 and 2: a key derived from the chip or the guest's root key, and from what the guest is.
//
// How the firmware derives is its own business, and no guest can tell: here it is HMAC-SHA-384, keyed with the root, over a
// label and every value in a fixed place, zero where it was not selected. Source: ABI 1.58, 7.2.

#include <string.h>

#include "psp_guest.h"

enum {
    REQ_ROOT = 0x00, ROOT_VMRK = 1 << 0, ROOT_KEY_SEL = 1, ROOT_BITS = 3,
    REQ_RESERVED = 0x04, REQ_FIELDS = 0x08, REQ_VMPL = 0x10, REQ_SVN = 0x14, REQ_TCB = 0x18, REQ_MIT = 0x20,
    RSP_LEN = 64, RSP_KEY = 0x20,
};

enum { GUEST_POLICY, IMAGE_ID, FAMILY_ID, MEASUREMENT, GUEST_SVN, TCB_VERSION, LAUNCH_MIT_VECTOR };    // bits of REQ_FIELDS

typedef struct {
    uint64_t fields, tcb, mit;
    uint32_t root, vmpl, svn;
    unsigned key;
} asked_t;

// Take the request; bits that are reserved in its version must be zero. -> the firmware's status.
static uint32_t take(const message_t *message, asked_t *asked) {
    const uint8_t *p = message->payload;
    unsigned len = message->version == 1 ? 32 : 40;
    asked->root = get(p + REQ_ROOT, 4);
    asked->fields = get(p + REQ_FIELDS, 8);
    asked->vmpl = get(p + REQ_VMPL, 4);
    asked->svn = get(p + REQ_SVN, 4);
    asked->tcb = get(p + REQ_TCB, 8);
    asked->mit = message->version == 1 ? 0 : get(p + REQ_MIT, 8);
    if (asked->root >> ROOT_BITS != 0 || asked->fields >> (message->version == 1 ? LAUNCH_MIT_VECTOR : LAUNCH_MIT_VECTOR + 1) != 0) {
        complain("key request with root %x, fields %x, whose reserved bits are not zero", (uint64_t)asked->root, asked->fields);
        return PSP_INVALID_PARAM;
    }
    return reserved_zero(message, REQ_RESERVED, 4) && reserved_zero(message, len, message->len - len) ? PSP_SUCCESS : PSP_INVALID_PARAM;
}

static bool tcb_allowed(uint64_t tcb) {
    for (unsigned i = 0; i < 64; i += 8) {
        if ((tcb >> i & 0xff) > (guest.launch.committed_tcb >> i & 0xff)) {
            return false;
        }
    }
    return true;
}

// -> the status of the answer.
static uint32_t judge(const message_t *message, asked_t *asked) {
    if (!select_vmpl(message, asked->vmpl)) {
        return PSP_INVALID_PARAM;
    }
    if (asked->svn > guest.launch.guest_svn) {
        complain("key for SVN %u, the guest has %u", (uint64_t)asked->svn, (uint64_t)guest.launch.guest_svn);
        return PSP_INVALID_PARAM;
    }
    if (!tcb_allowed(asked->tcb)) {
        complain("key for TCB %x, committed is %x", asked->tcb, guest.launch.committed_tcb);
        return PSP_INVALID_PARAM;
    }
    if ((asked->mit & ~guest.launch.launch_mit) != 0) {
        complain("key for mitigation vector %x, at launch it was %x", asked->mit, guest.launch.launch_mit);
        return PSP_INVALID_PARAM;
    }
    return asked->root & ROOT_VMRK ? PSP_SUCCESS : select_key(asked->root >> ROOT_KEY_SEL, &asked->key);
}

// Append to what is hashed: the value, or zeroes where its field was not selected.
static uint8_t *mix(uint8_t *out, const asked_t *asked, unsigned field, const void *value, size_t len) {
    if (asked->fields >> field & 1) {
        memcpy(out, value, len);
    }
    return out + len;
}

static bool derive(const asked_t *asked, uint8_t key[KEY_LEN]) {
    static const char label[32] = "derived key of the emulated PSP";
    uint8_t text[256] = { 0 }, number[24], mac[48], *out = text + sizeof(label);
    memcpy(text, label, sizeof(label));
    put(out, asked->root & ROOT_VMRK, 1);   // KEY_SEL is not mixed in: the key that it came to is
    put(out + 1, asked->root & ROOT_VMRK ? 0 : asked->key, 1);
    put(out + 2, asked->vmpl, 4);
    put(out + 6, asked->fields, 8);
    put(number, guest.launch.policy, 8);
    out = mix(out + 14, asked, GUEST_POLICY, number, 8);
    out = mix(out, asked, IMAGE_ID, guest.launch.image_id, 16);
    out = mix(out, asked, FAMILY_ID, guest.launch.family_id, 16);
    out = mix(out, asked, MEASUREMENT, guest.launch.measurement, 48);
    put(number, asked->svn, 4);
    put(number + 4, asked->tcb, 8);
    put(number + 12, asked->mit, 8);
    out = mix(out, asked, GUEST_SVN, number, 4);
    out = mix(out, asked, TCB_VERSION, number + 4, 8);
    out = mix(out, asked, LAUNCH_MIT_VECTOR, number + 12, 8);
    const uint8_t *chip_key = asked->key == KEY_VLEK ? guest.chip->vlek_key : guest.chip->vcek_key;
    bool ok = asked->root & ROOT_VMRK ? crypto_hmac384(guest.vmrk, KEY_LEN, text, out - text, mac) : crypto_hmac384(chip_key, 48, text, out - text, mac);
    memcpy(key, mac, KEY_LEN);
    return ok;
}

uint32_t key_request(message_t *message) {
    asked_t asked = { .key = KEY_VCEK };
    uint32_t status = take(message, &asked);
    if (status != PSP_SUCCESS) {
        return status;
    }
    status = judge(message, &asked);
    answer(message, RSP_LEN, status);
    return status != PSP_SUCCESS || derive(&asked, message->reply + RSP_KEY) ? PSP_SUCCESS : PSP_RESOURCE_LIMIT;
}
