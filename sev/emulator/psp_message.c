// Guest messages on their page: what the firmware checks of one, in its order, and how an answer is written.
//
// Payload length, the key's index, constants of the header, the sequence number, the tag. What is wrong before the tag was checked anybody
// may have made so, the host too; a complaint says what it knows of that. Source: ABI, 8.26 and the message header's table.

#include <string.h>

#include "psp_guest.h"

// Offsets on the page, and what must stand there.
enum {
    AT_TAG = 0x00, TAG_LEN = 16, AT_TAG_REST = 0x10,
    AT_NUMBER = 0x20,                       // u64
    AT_AAD = 0x30,                          // what is authenticated: up to the payload
    AT_ALGORITHM = 0x30, AES_256_GCM = 1,
    AT_HEADER_VERSION = 0x31, HEADER_VERSION = 1,
    AT_HEADER_LEN = 0x32, HEADER_LEN = 0x60,    // u16
    AT_TYPE = 0x34, AT_VERSION = 0x35,
    AT_LEN = 0x36,                          // u16
    AT_VMPCK = 0x3c,
};

static const struct {
    const char *name;
    uint8_t at, len;
    uint16_t value;
} constants[] = {
    { "tag's second half", AT_TAG_REST, 16, 0 }, { "reserved bytes at 0x28", 0x28, 8, 0 }, { "algorithm", AT_ALGORITHM, 1, AES_256_GCM },
    { "header version", AT_HEADER_VERSION, 1, HEADER_VERSION }, { "header length", AT_HEADER_LEN, 2, HEADER_LEN },
    { "reserved bytes at 0x38", 0x38, 4, 0 }, { "reserved bytes at 0x3d", 0x3d, 35, 0 },
};

// ---- texts that went out ---------------------------------------------------------------------------------------------
#define TEXTS 16                            // of the last numbers of each key

typedef struct {
    uint64_t number;
    uint8_t digest[48];
} text_t;

static text_t texts[PSP_VMPCKS][TEXTS];
unsigned messages_reused;

void messages_forget(void) {
    memset(texts, 0, sizeof(texts));
    messages_reused = 0;
}

static text_t *text_of(const message_t *message) {
    return &texts[message->vmpck][message->number / 2 % TEXTS];
}

// Note what a guest encrypted, once it is known to be its. -> is it the second text under this number? An answer had each even one.
static bool second_text(const message_t *message, const uint8_t *page) {
    if (message->number % 2 == 0) {
        bool answered = message->number != 0 && message->number <= guest.count[message->vmpck];
        messages_reused += answered;
        return answered;
    }
    uint8_t digest[48];
    crypto_sha384(page + AT_AAD, HEADER_LEN - AT_AAD + message->len, digest);   // the host may have changed the rest
    text_t *text = text_of(message);
    if (text->number == message->number) {
        bool second = memcmp(text->digest, digest, sizeof(digest)) != 0;
        messages_reused += second;
        return second;
    }
    if (text->number < message->number) {
        text->number = message->number;
        memcpy(text->digest, digest, sizeof(digest));
    }
    return false;
}

// ---- opening ---------------------------------------------------------------------------------------------------------
static bool constants_hold(const uint8_t *page) {
    for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++) {
        const uint8_t *at = page + constants[i].at;
        if (constants[i].value == 0 ? !all_zero(at, constants[i].len) : get(at, constants[i].len) != constants[i].value) {
            complain("message with wrong %s", constants[i].name);
            return false;
        }
    }
    return true;
}

// Take the header apart; false: there is no message to look at.
static bool take_header(message_t *message, const uint8_t *page) {
    message->number = get(page + AT_NUMBER, 8);
    message->type = page[AT_TYPE];
    message->version = page[AT_VERSION];
    message->len = get(page + AT_LEN, 2);
    message->vmpck = page[AT_VMPCK];
    if (message->len == 0 || message->len > MESSAGE_MAX) {
        complain("message with a payload of %u bytes", (uint64_t)message->len);
        return false;
    }
    if (message->vmpck >= PSP_VMPCKS) {
        complain("message for VMPCK%u, there are 0 to 3", (uint64_t)message->vmpck);
        return false;
    }
    return true;
}

static bool authentic(message_t *message, const uint8_t *page) {
    memcpy(message->payload, page + HEADER_LEN, message->len);
    return crypto_open(guest.vmpck[message->vmpck], message->number, page + AT_AAD, message->payload, message->len, page + AT_TAG);
}

// Say what is wrong with a number that is not the next. -> the status.
static uint32_t wrong_number(message_t *message, const uint8_t *page) {
    uint64_t count = guest.count[message->vmpck], next = count + 1;
    const char *what = "that is not the next";
    if (message->number != 0 && message->number <= count) {
        bool known = text_of(message)->number == message->number;
        if (!authentic(message, page)) {
            what = "again, and a wrong tag";
        } else if (second_text(message, page)) {
            what = message->number % 2 ? "again, for another text: the key stream is given away" : "that an answer had: the key stream is given away";
        } else {
            what = known ? "again, for the same text" : "again, of long ago";
        }
    }
    complain("VMPCK%u: sequence number %u %s (expected %u)", (uint64_t)message->vmpck, message->number, what, next);
    return PSP_AEAD_OFLOW;
}

uint32_t message_open(message_t *message, const uint8_t *page) {
    if (!take_header(message, page)) {
        return PSP_INVALID_PARAM;
    }
    if (!constants_hold(page)) {
        if (authentic(message, page)) {
            second_text(message, page);     // whatever is wrong with its header, its number is spent
        }
        return PSP_INVALID_PARAM;
    }
    uint64_t count = guest.count[message->vmpck];
    if (count > UINT64_MAX - 2) {
        complain("VMPCK%u: sequence numbers are used up", (uint64_t)message->vmpck);
        return PSP_AEAD_OFLOW;
    }
    if (message->number != count + 1) {
        return wrong_number(message, page);
    }
    if (!authentic(message, page)) {
        complain("VMPCK%u: sequence number %u: the tag is wrong", (uint64_t)message->vmpck, message->number);
        return PSP_BAD_MEASUREMENT;
    }
    if (second_text(message, page)) {
        complain("VMPCK%u: sequence number %u for a second text: the key stream is given away", (uint64_t)message->vmpck, message->number);
    }
    return PSP_SUCCESS;
}

void message_note(message_t *message, const uint8_t *page) {
    if (!take_header(message, page) || !authentic(message, page)) {
        complain_not();                     // the secure processor will tell, should it come to see it
    } else if (second_text(message, page)) {
        complain("VMPCK%u: sequence number %u for a second text: the key stream is given away", (uint64_t)message->vmpck, message->number);
    }
}

// ---- sealing ---------------------------------------------------------------------------------------------------------
static void write_header(const message_t *message, uint8_t *page) {
    memset(page, 0, PSP_PAGE_LEN);
    put(page + AT_NUMBER, message->number + (fault_now(FAULT_WRONG_SEQUENCE) ? 3 : 1), 8);
    page[AT_ALGORITHM] = AES_256_GCM;
    page[AT_HEADER_VERSION] = HEADER_VERSION + fault_now(FAULT_WRONG_HEADER);
    put(page + AT_HEADER_LEN, HEADER_LEN, 2);
    page[AT_TYPE] = message->type + (fault_now(FAULT_WRONG_TYPE) ? 3 : 1);
    page[AT_VERSION] = message->version + fault_now(FAULT_WRONG_VERSION);
    put(page + AT_LEN, message->reply_len, 2);
    page[AT_VMPCK] = message->vmpck ^ fault_now(FAULT_WRONG_VMPCK);
}

bool message_seal(const message_t *message, uint8_t *page) {
    write_header(message, page);
    unsigned len = message->reply_len < MESSAGE_MAX ? message->reply_len : MESSAGE_MAX;     // more is a fault on request
    memcpy(page + HEADER_LEN, message->reply, len);
    bool ok = crypto_seal(guest.vmpck[message->vmpck], get(page + AT_NUMBER, 8), page + AT_AAD, page + HEADER_LEN, len, page + AT_TAG);
    page[AT_TAG] ^= fault_now(FAULT_BAD_TAG);
    return ok;
}
