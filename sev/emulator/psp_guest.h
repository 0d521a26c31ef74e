// Inside the secure processor: the guest, a message, and what the files of psp*.c do for each other.
#ifndef KEELBACK_PSP_GUEST_H
#define KEELBACK_PSP_GUEST_H

#include "psp.h"
#include "psp_identity.h"

#define MESSAGE_MAX 4000                    // bytes of a payload
#define KEY_LEN     32

// ---- psp.c -------------------------------------------------------------------------------------------------------
typedef struct {
    psp_launch_t launch;
    const psp_identity_t *chip;
    bool turin;                             // another order of a TCB's bytes, and a chip id of 8 bytes
    uint64_t tcb;                           // reported
    uint8_t vmpck[PSP_VMPCKS][KEY_LEN];
    uint64_t count[PSP_VMPCKS];             // the last sequence number used, that of an answer
    uint8_t report_id[32], vmrk[KEY_LEN];
} guest_t;

extern guest_t guest;

// ---- psp_message.c ---------------------------------------------------------------------------------------------
typedef struct {
    uint64_t number;
    unsigned type, version, vmpck, len;
    unsigned vmpl;                          // the least that the sender may state
    uint8_t payload[MESSAGE_MAX];
    uint8_t reply[MESSAGE_MAX];
    unsigned reply_len;
} message_t;

void messages_forget(void);

// -> the status. The payload is decrypted where it is PSP_SUCCESS.
uint32_t message_open(message_t *message, const uint8_t *page);

// Note a message that only the host has seen.
void message_note(message_t *message, const uint8_t *page);

// Write the answer with its header. False: out of memory.
bool message_seal(const message_t *message, uint8_t *page);

extern unsigned messages_reused;

// ---- requests: status of the firmware, the answer in message->reply ----------------------------------------------
uint32_t report_request(message_t *message);    // psp_report.c
uint32_t key_request(message_t *message);       // psp_key.c
uint32_t tsc_request(message_t *message);       // psp.c
uint32_t migration_request(message_t *message); // psp.c

// ---- psp_select.c: what reports and derived keys have in common ----------------------------------------------------
enum { KEY_VCEK, KEY_VLEK, KEY_NONE = 7 };      // as SIGNING_KEY of a report has them

// Set *key to what the guest chose; complains. -> the status of the answer.
uint32_t select_key(unsigned key_sel, unsigned *key);

// May the message state this VMPL? Complains.
bool select_vmpl(const message_t *message, uint32_t vmpl);

// Are these bytes of the payload zero? Complains.
bool reserved_zero(const message_t *message, unsigned at, unsigned len);

// Make the reply len bytes that state this and are else zero.
void answer(message_t *message, unsigned len, uint32_t status);

// ---- psp_fault.c -------------------------------------------------------------------------------------------------
typedef enum {
    FAULT_NONE, FAULT_BAD_TAG, FAULT_WRONG_SEQUENCE, FAULT_SHORT_REPLY, FAULT_OVERSIZE, FAULT_EMPTY, FAULT_WRONG_TYPE, FAULT_WRONG_VERSION,
    FAULT_WRONG_VMPCK, FAULT_WRONG_HEADER, FAULT_BAD_STATUS, FAULT_WRONG_SIZE, FAULT_BAD_SIGNATURE, FAULT_OTHER_DATA, FAULT_OTHER_VMPL,
    FAULT_OTHER_CHIP, FAULT_OTHER_TCB, FAULT_REFUSED, FAULT_SILENT, FAULT_REPLAY,
} fault_t;

// True, once, if this fault was asked for.
bool fault_now(fault_t fault);

// ---- psp_crypto.c: all of it fails only for want of memory ---------------------------------------------------------
bool crypto_start(void (*random)(void *, size_t));
// Decrypt in place. False: the tag is wrong.
bool crypto_open(const uint8_t key[KEY_LEN], uint64_t number, const uint8_t *aad, uint8_t *text, size_t len, const uint8_t tag[16]);
bool crypto_seal(const uint8_t key[KEY_LEN], uint64_t number, const uint8_t *aad, uint8_t *text, size_t len, uint8_t tag[16]);
void crypto_sha384(const uint8_t *data, size_t len, uint8_t out[48]);
bool crypto_hmac384(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len, uint8_t out[48]);
// Sign for P-384; r and s little-endian.
bool crypto_sign(const uint8_t key[48], const uint8_t *data, size_t len, uint8_t r[48], uint8_t s[48]);

// ---- psp_text.c ----------------------------------------------------------------------------------------------------
// Set psp_complaint(). %s text, %u uint64_t, %x the same in hexadecimal. complain_not() takes it back.
void complain(const char *format, ...);
void complain_not(void);

// ---- bytes -----------------------------------------------------------------------------------------------------------
static inline uint64_t get(const uint8_t *p, unsigned len) {
    uint64_t value = 0;
    for (unsigned i = len; i-- > 0;) {
        value = value << 8 | p[i];
    }
    return value;
}

static inline void put(uint8_t *p, uint64_t value, unsigned len) {
    for (unsigned i = 0; i < len; i++) {
        p[i] = value >> 8 * i;
    }
}

bool all_zero(const uint8_t *p, size_t len);    // psp_text.c
bool same_text(const char *a, const char *b);

#endif
