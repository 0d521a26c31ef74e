// What requests for reports and for derived keys have in common: the key, the VMPL, reserved bytes, the form of an answer.

#include <string.h>

#include "psp_guest.h"

enum { SEL_EITHER, SEL_VCEK, SEL_VLEK };    // KEY_SEL

uint32_t select_key(unsigned key_sel, unsigned *key) {
    if (key_sel > SEL_VLEK) {
        complain("key selection %u is reserved", (uint64_t)key_sel);
        return PSP_INVALID_PARAM;
    }
    if (key_sel == SEL_VLEK && !guest.launch.vlek) {
        complain("the VLEK was asked for, and none is loaded");
        return PSP_INVALID_KEY;
    }
    *key = key_sel == SEL_VLEK || (key_sel == SEL_EITHER && guest.launch.vlek) ? KEY_VLEK : KEY_VCEK;
    return PSP_SUCCESS;
}

bool select_vmpl(const message_t *message, uint32_t vmpl) {
    if (vmpl > 3 || vmpl < message->vmpl) {
        complain("VMPL %u was asked for by VMPL %u", (uint64_t)vmpl, (uint64_t)message->vmpl);
        return false;
    }
    return true;
}

bool reserved_zero(const message_t *message, unsigned at, unsigned len) {
    if (all_zero(message->payload + at, len)) {
        return true;
    }
    complain("message of type %u, version %u: reserved bytes at %x of the payload are not zero", (uint64_t)message->type,
        (uint64_t)message->version, (uint64_t)at);
    return false;
}

void answer(message_t *message, unsigned len, uint32_t status) {
    memset(message->reply, 0, sizeof(message->reply));
    put(message->reply, status, 4);
    message->reply_len = len;
}
