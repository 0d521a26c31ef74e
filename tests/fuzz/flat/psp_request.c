// A page of any content as a guest message to the emulator's secure processor: a byte that says whether it is sealed, as only who has
// the key can (so that payloads are reached, not just headers) and from which VMPL it comes, then the page.

#include "flat.h"

#include "sev/emulator/psp_guest.h"

static void always(void *out, size_t len) { // keys of which it does not matter which they are
    static uint32_t n;
    for (size_t i = 0; i < len; i++) {
        n = n * 1664525 + 1013904223;
        ((uint8_t *)out)[i] = n >> 24;
    }
}

static void new_guest(void) {
    static bool there;
    if (!there) {
        psp_launch_t launch;
        psp_launch_default(&launch);
        must(psp_start(&launch, always), "the ordinary guest is not to be had");
        there = true;
    }
    memset(guest.count, 0, sizeof(guest.count));
    messages_forget();
}

static void seal(uint8_t *page) {
    unsigned len = get(page + 0x36, 2), vmpck = page[0x3c] % PSP_VMPCKS;
    len = len <= PSP_PAGE_LEN - 0x60 ? len : PSP_PAGE_LEN - 0x60;
    must(crypto_seal(guest.vmpck[vmpck], get(page + 0x20, 8), page + 0x30, page + 0x60, len, page), "out of memory");
}

static void answered(const uint8_t *request, const uint8_t *response) {
    static uint8_t text[MESSAGE_MAX];
    unsigned vmpck = request[0x3c], len = get(response + 0x36, 2);
    must(vmpck < PSP_VMPCKS && guest.count[vmpck] == 2, "the counter does not fit");
    must(len >= 16 && len <= MESSAGE_MAX && response[0x34] == request[0x34] + 1, "not the answer");
    must(all_zero(response + 0x60 + len, PSP_PAGE_LEN - 0x60 - len), "something lies behind the answer");
    memcpy(text, response + 0x60, len);
    must(crypto_open(guest.vmpck[vmpck], 2, response + 0x30, text, len, response), "the answer is not authentic");
    must(get(text, 4) == PSP_SUCCESS || psp_complaint() != NULL, "refused without a complaint");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static uint8_t response[PSP_PAGE_LEN], untouched[PSP_PAGE_LEN];
    input_t in = { data, len };
    uint8_t how, *request = malloc(PSP_PAGE_LEN);
    take(&in, &how, 1);
    take(&in, request, PSP_PAGE_LEN);
    new_guest();
    if (how & 1) {
        seal(request);
    }
    memset(response, 0xee, sizeof(response));
    memset(untouched, 0xee, sizeof(untouched));
    uint32_t status = psp_guest_request(request, response, how >> 1 & 3);
    if (status == PSP_SUCCESS) {
        answered(request, response);
    } else {
        must(memcmp(response, untouched, sizeof(response)) == 0, "a response to a message that was refused");
        must(all_zero((const uint8_t *)guest.count, sizeof(guest.count)), "a counter moved with a message that was refused");
        must(psp_complaint() != NULL, "refused without a complaint");
    }
    free(request);
    return 0;
}
