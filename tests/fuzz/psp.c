// Fuzzer of the emulator's secure processor: guests of every kind, messages good and bad, faults, tables.
//
// In each round (choices.h) a new guest sends some hundred messages. No sanitizer may speak. A message that is refused changes nothing: not
// the response page, not the counters. One that is answered moves one counter by two, its answer authenticates, and its page
// is zero behind it. A complaint says why, or says nothing. Good messages are answered, whatever came before.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choices.h"
#include "sev/emulator/psp_guest.h"

#define STEPS 200

static unsigned answered, refused, launched;

static void check(bool holds, const char *what) {
    if (!holds) {
        fuzz_where();
        fprintf(stderr, "%s (%s)\n", what, psp_complaint() != NULL ? psp_complaint() : "no complaint");
        abort();
    }
}

// ---- guests --------------------------------------------------------------------------------------------------------------
static void some_numbers(psp_launch_t *launch) {
    static const uint64_t ends[] = { 0, 2, 0xfffffffe, 1ull << 40, UINT64_MAX - 1, UINT64_MAX - 101, UINT64_MAX };
    for (unsigned i = 0; i < PSP_VMPCKS; i++) {
        launch->used[i] = one_in(4) ? ends[below(sizeof(ends) / sizeof(*ends))] : 0;
        launch->used[i] -= one_in(20) ? 0 : launch->used[i] % 2;
    }
}

static bool some_guest(void) {
    static const uint8_t cpus[][2] = { { 0x19, 1 }, { 0x19, 0x11 }, { 0x19, 0xa0 }, { 0x1a, 2 }, { 0x17, 1 } };
    psp_launch_t launch;
    psp_launch_default(&launch);
    unsigned cpu = one_in(20) ? 4 : below(4);
    launch.family = cpus[cpu][0];
    launch.model = one_in(20) ? rnd() : cpus[cpu][1];
    launch.stepping = rnd();
    launch.report_version = one_in(20) ? rnd() : 2 + below(4);
    launch.policy = one_in(20) ? rnd() : 0x30000 | below(4) << 18;
    launch.guest_svn = below(3);
    launch.launch_mit = rnd();
    launch.vlek = one_in(2);
    launch.mask_chip_key = one_in(6);
    launch.mask_chip_id = one_in(6);
    launch.committed_tcb = one_in(3) ? rnd() : 0;
    noise(launch.measurement, sizeof(launch.measurement));
    some_numbers(&launch);
    bool ok = psp_start(&launch, noise);
    check(ok == (psp_complaint() == NULL), "a launch and its complaint do not agree");
    return ok;
}

// ---- messages --------------------------------------------------------------------------------------------------------------
static const struct {
    uint8_t type, version, len;
} known[] = { { 3, 1, 32 }, { 3, 1, 64 }, { 3, 2, 40 }, { 5, 1, 96 }, { 5, 1, 96 }, { 17, 1, 128 }, { 13, 1, 64 } };

static uint64_t edgy(void) {
    static const uint64_t edges[] = { 0, 1, 2, 3, 4, 5, 6, 7, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0x10000, 0xffffffff, UINT64_MAX };
    return one_in(4) ? (uint64_t)rnd() << 32 | rnd() : edges[below(sizeof(edges) / sizeof(*edges))];
}

static unsigned some_payload(uint8_t *page, unsigned len) {
    memset(page + 0x60, 0, len);
    switch (below(4)) {
        case 0:
            fill(page + 0x60, len);
            break;
        case 1:
            for (unsigned i = 1 + below(4); i > 0; i--) {
                put(page + 0x60 + below(len - 7) / 8 * 8, edgy(), 8);
            }
            break;
        case 2:
            fill(page + 0x60, len < 64 ? len : 64);
            break;
        default:
            break;
    }
    return len;
}

// Write a message, authentic or not, its number right or not.
static void some_message(uint8_t *page) {
    memset(page, 0, PSP_PAGE_LEN);
    unsigned i = below(sizeof(known) / sizeof(*known)), vmpck = one_in(3) ? below(4) : 0;
    unsigned len = one_in(8) ? 8 + below(MESSAGE_MAX - 7) : known[i].len;
    uint64_t number = guest.count[vmpck] + (one_in(6) ? (uint64_t)below(60) - 40 : 1);
    len = some_payload(page, len);
    put(page + 0x20, number, 8);
    page[0x30] = page[0x31] = 1;
    page[0x32] = 0x60;
    page[0x34] = one_in(10) ? rnd() : known[i].type;
    page[0x35] = one_in(10) ? below(4) : known[i].version;
    put(page + 0x36, len, 2);
    page[0x3c] = vmpck;
    if (one_in(10)) {
        page[0x10 + below(0x50)] = edgy();  // a wrong header, well sealed
    }
    check(crypto_seal(guest.vmpck[vmpck], get(page + 0x20, 8), page + 0x30, page + 0x60, len, page), "out of memory");
    for (unsigned n = one_in(8) ? 1 + below(4) : 0; n > 0; n--) {
        page[one_in(2) ? below(0x60) : below(PSP_PAGE_LEN)] ^= 1 << below(8);
    }
}

static void check_answer(const uint8_t *request, const uint8_t *response, const uint64_t *before) {
    static uint8_t text[MESSAGE_MAX];
    unsigned vmpck = request[0x3c], len = get(response + 0x36, 2);
    answered++;
    for (unsigned i = 0; i < PSP_VMPCKS; i++) {
        check(guest.count[i] == before[i] + (i == vmpck ? 2 : 0), "a counter does not fit");
    }
    check(get(response + 0x20, 8) == guest.count[vmpck] && response[0x34] == request[0x34] + 1 && len >= 16 && len <= MESSAGE_MAX, "not the answer");
    check(all_zero(response + 0x60 + len, PSP_PAGE_LEN - 0x60 - len), "something lies behind the answer");
    memcpy(text, response + 0x60, len);
    check(crypto_open(guest.vmpck[vmpck], guest.count[vmpck], response + 0x30, text, len, response), "the answer is not authentic");
    check(get(text, 4) == PSP_SUCCESS || psp_complaint() != NULL, "refused without a complaint");
}

// fault: one was asked for, and may or may not be in the answer.
static void send(const uint8_t *request, bool fault) {
    static uint8_t response[PSP_PAGE_LEN], untouched[PSP_PAGE_LEN];
    uint64_t before[PSP_VMPCKS];
    memcpy(before, guest.count, sizeof(before));
    memset(response, 0xee, sizeof(response));
    memset(untouched, 0xee, sizeof(untouched));
    uint32_t status = psp_guest_request(request, response, one_in(20) ? rnd() : one_in(4) ? below(4) : 0);
    if (status == PSP_SUCCESS) {
        if (!fault) {
            check_answer(request, response, before);
        }
        return;
    }
    refused++;
    check(status == PSP_INVALID_PARAM || status == PSP_BAD_MEASUREMENT || status == PSP_AEAD_OFLOW, "no status of the firmware's");
    check(memcmp(response, untouched, sizeof(response)) == 0, "a response to a message that was refused");
    check(memcmp(before, guest.count, sizeof(before)) == 0, "a counter moved with a message that was refused");
    check(fault || psp_complaint() != NULL, "refused without a complaint");
}

static void good_message(void) {
    uint8_t page[PSP_PAGE_LEN] = { 0 };
    for (unsigned vmpck = 0; vmpck < PSP_VMPCKS; vmpck++) {
        if (guest.count[vmpck] > UINT64_MAX - 2) {
            continue;
        }
        uint64_t before = guest.count[vmpck];
        memset(page, 0, sizeof(page));
        put(page + 0x20, before + 1, 8);
        memcpy(page + 0x30, "\1\1\x60\0\x11\1\x80\0", 8);
        page[0x3c] = vmpck;
        check(crypto_seal(guest.vmpck[vmpck], before + 1, page + 0x30, page + 0x60, 128, page), "out of memory");
        send(page, false);
        check(guest.count[vmpck] == before + 2, "a good message is not answered");
    }
}

// ---- the host ----------------------------------------------------------------------------------------------------------------
// Ask for a fault; until an answer was bad in that way nothing is said of answers.
static void some_fault(void) {
    const char *what, *name = psp_fault_name(below(24), &what);
    if (name != NULL) {
        check(psp_fault(name), "a fault without a name");
        uint8_t page[PSP_PAGE_LEN];
        for (unsigned i = 0; i < 3; i++) {
            some_message(page);
            send(page, true);
        }
        check(psp_fault(""), "a fault is not taken back");
    }
}

static void some_table(void) {
    const char *what, *name = psp_certificates_name(below(12), &what);
    size_t room = one_in(3) ? below(9000) : 0x4000;
    uint8_t *out = malloc(room);
    if (name != NULL) {
        check(psp_certificates_form(name), "a form without a name");
    }
    size_t need = psp_certificates(out, room);
    check(need >= 24 && need <= 0x4000 && psp_certificates(NULL, 0) == need, "not the size of a table");
    free(out);
}

void harness_start(void) {
}

void harness_round(void) {
    uint8_t page[PSP_PAGE_LEN];
    check(psp_fault("") && psp_certificates_form("der"), "no fault and ordinary certificates are not to be had");
    if (!some_guest()) {
        return;
    }
    launched++;
    psp_secrets_page(page);
    for (unsigned i = 0; go_on(i, STEPS); i++) {
        some_message(page);
        if (one_in(10)) {
            psp_observe(page);
        }
        send(page, false);
        if (one_in(20)) {
            some_fault();
        }
        if (one_in(20)) {
            some_table();
        }
    }
    good_message();
}

bool harness_end(unsigned rounds) {
    printf("%u guests of %d messages, %u answered, %u refused\n", launched, STEPS, answered, refused);
    return launched > rounds / 4 && answered > refused / 16;
}
