// The secure processor of one guest: its launch, its secrets page, and the way of a guest message to its answer.

#include <string.h>

#include "psp_guest.h"

guest_t guest;
static uint8_t last[PSP_PAGE_LEN];          // answer, for who wants it once more

// Secrets page: ABI, SNP_LAUNCH_UPDATE; the guest's area in it: GHCB specification.
enum {
    AT_VERSION = 0x000, AT_FMS = 0x008, AT_GOSVW = 0x010, AT_VMPCK = 0x020, AT_NUMBERS = 0x0a0, AT_NUMBERS_HIGH = 0x0b8, AT_AREA_VERSION = 0x0de,
    AT_TSC_FACTOR = 0x160, AT_LAUNCH_MIT = 0x168,
};

// Guest policy: ABI, 4.3.
#define POLICY_MUST_BE_ONE (1ull << 17)
#define POLICY_KNOWN       ((1ull << 26) - 1)
#define ABI_MAJOR 1
#define ABI_MINOR 58

// What the platform must be, or not be, for a policy.
static const struct {
    const char *name;
    uint8_t policy_bit, platform_bit;
    bool forbidden;                         // else required
} demands[] = { { "no SMT", 16, 0, true }, { "RAPL off", 23, 3, false }, { "ciphertext hiding", 24, 4, false } };

// ---- launch ------------------------------------------------------------------------------------------------------------
static const struct {
    uint8_t family, first, last, chip;      // of models; index into psp_identities
} models[] = { { 0x19, 0x00, 0x0f, 0 }, { 0x19, 0x10, 0x1f, 1 }, { 0x19, 0xa0, 0xaf, 1 }, { 0x1a, 0x00, 0x11, 2 } };

void psp_launch_default(psp_launch_t *launch) {
    *launch = (psp_launch_t) {
        .policy = 0x30000, .report_version = 5, .family = 0x19, .model = 0x11, .stepping = 1, .platform_info = 0x25,
        .tsc_scale = 1ull << 32, .launch_mit = 1, .current_mit = 1,
    };
}

static const psp_identity_t *chip_of(const psp_launch_t *launch) {
    for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
        if (models[i].family == launch->family && models[i].first <= launch->model && launch->model <= models[i].last) {
            return &psp_identities[models[i].chip];
        }
    }
    return NULL;
}

static bool platform_holds(const psp_launch_t *launch) {
    for (size_t i = 0; i < sizeof(demands) / sizeof(*demands); i++) {
        bool set = launch->policy >> demands[i].policy_bit & 1, has = launch->platform_info >> demands[i].platform_bit & 1;
        if (demands[i].forbidden ? !set && has : set && !has) {
            complain("policy %x wants %s, the platform has %x", launch->policy, demands[i].name, launch->platform_info);
            return false;
        }
    }
    return true;
}

static bool policy_holds(uint64_t policy) {
    unsigned major = policy >> 8 & 0xff, minor = policy & 0xff;
    if (!(policy & POLICY_MUST_BE_ONE) || policy & ~POLICY_KNOWN) {
        complain("policy %x, whose reserved bits are wrong", policy);
        return false;
    }
    if (major > ABI_MAJOR || (major == ABI_MAJOR && minor > ABI_MINOR)) {
        complain("policy %x wants firmware %u.%u", policy, (uint64_t)major, (uint64_t)minor);
        return false;
    }
    return true;
}

static bool launch_holds(const psp_launch_t *launch) {
    if (launch->report_version < 2 || launch->report_version > 5) {
        complain("report version %u, there are 2 to 5", (uint64_t)launch->report_version);
        return false;
    }
    if (chip_of(launch) == NULL) {
        complain("family %x, model %x is no Milan, Genoa or Turin", (uint64_t)launch->family, (uint64_t)launch->model);
        return false;
    }
    for (unsigned i = 0; i < PSP_VMPCKS; i++) {
        if (launch->used[i] % 2 != 0) {
            complain("VMPCK%u: the last number used, %u, is no answer's", (uint64_t)i, launch->used[i]);
            return false;
        }
    }
    return policy_holds(launch->policy) && platform_holds(launch);
}

bool psp_start(const psp_launch_t *launch, void (*random)(void *, size_t)) {
    complain_not();
    memset(&guest, 0, sizeof(guest));
    memset(last, 0, sizeof(last));
    if (!launch_holds(launch)) {
        return false;
    }
    guest = (guest_t) { .launch = *launch, .chip = chip_of(launch), .turin = launch->family >= 0x1a };
    guest.tcb = get(guest.chip->tcb, 8);
    uint64_t *tcbs[] = { &guest.launch.current_tcb, &guest.launch.committed_tcb, &guest.launch.launch_tcb };
    for (size_t i = 0; i < sizeof(tcbs) / sizeof(*tcbs); i++) {
        *tcbs[i] = *tcbs[i] == 0 ? guest.tcb : *tcbs[i];
    }
    random(guest.vmpck, sizeof(guest.vmpck));
    random(guest.report_id, sizeof(guest.report_id));
    random(guest.vmrk, sizeof(guest.vmrk));
    memcpy(guest.count, launch->used, sizeof(guest.count));
    messages_forget();
    if (!crypto_start(random)) {
        complain("out of memory");
        return false;
    }
    return true;
}

// CPUID 1 EAX of a family from 0Fh on.
static uint32_t fms(const psp_launch_t *launch) {
    return (launch->family - 0xfu) << 20 | (launch->model >> 4) << 16 | 0xf << 8 | (launch->model & 0xf) << 4 | (launch->stepping & 0xf);
}

void psp_secrets_page(uint8_t page[PSP_PAGE_LEN]) {
    const psp_launch_t *launch = &guest.launch;
    unsigned version = launch->report_version == 5 ? 4 : launch->report_version == 2 ? 2 : 3;
    memset(page, 0, PSP_PAGE_LEN);
    put(page + AT_VERSION, version, 4);
    put(page + AT_FMS, fms(launch), 4);
    memcpy(page + AT_GOSVW, launch->gosvw, sizeof(launch->gosvw));
    memcpy(page + AT_VMPCK, guest.vmpck, sizeof(guest.vmpck));
    for (unsigned i = 0; i < PSP_VMPCKS; i++) {
        put(page + AT_NUMBERS + 4 * i, launch->used[i], 4);
        put(page + AT_NUMBERS_HIGH + 4 * i, launch->used[i] >> 32, 4);
    }
    put(page + AT_AREA_VERSION, !all_zero(page + AT_NUMBERS_HIGH, 16), 2);  // who used them knew of the high halves
    if (version >= 3) {
        put(page + AT_TSC_FACTOR, launch->tsc_factor, 4);
    }
    if (version >= 4) {
        put(page + AT_LAUNCH_MIT, launch->launch_mit, 8);
    }
}

// ---- requests ----------------------------------------------------------------------------------------------------------
#define TSC_LEN 128

uint32_t tsc_request(message_t *message) {
    if (!reserved_zero(message, 0, TSC_LEN)) {
        return PSP_INVALID_PARAM;
    }
    answer(message, TSC_LEN, PSP_SUCCESS);
    put(message->reply + 0x08, guest.launch.tsc_scale, 8);
    put(message->reply + 0x10, guest.launch.tsc_offset, 8);
    put(message->reply + 0x18, guest.launch.tsc_factor, 4);
    return PSP_SUCCESS;
}

// Only a migration agent may send these, and there is none.
uint32_t migration_request(message_t *message) {
    complain("message of type %u is a migration agent's", (uint64_t)message->type);
    answer(message, 16, PSP_INVALID_PARAM);
    return PSP_SUCCESS;
}

// What is known: type, versions, least and greatest length. Derived keys are asked for with zeroes behind by some.
static const struct {
    uint8_t type, version;
    uint16_t least, most;
    uint32_t (*handle)(message_t *);
} requests[] = {
    { 3, 1, 32, 64, key_request }, { 3, 2, 40, 64, key_request }, { 5, 1, 96, 96, report_request }, { 17, 1, TSC_LEN, TSC_LEN, tsc_request },
    { 7, 1, 1, MESSAGE_MAX, migration_request }, { 9, 1, 1, MESSAGE_MAX, migration_request }, { 11, 1, 1, MESSAGE_MAX, migration_request },
    { 13, 1, 1, MESSAGE_MAX, migration_request }, { 15, 1, 1, MESSAGE_MAX, migration_request },
};

#define MIT_REPORT_VERSION 5                // of firmware that takes version 2 of MSG_KEY_REQ

static uint32_t handle(message_t *message) {
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        if (requests[i].type != message->type || requests[i].version != message->version) {
            continue;
        }
        if (message->type == 3 && message->version == 2 && guest.launch.report_version < MIT_REPORT_VERSION) {
            break;
        }
        if (requests[i].least <= message->len && message->len <= requests[i].most) {
            return requests[i].handle(message);
        }
        complain("message of type %u, version %u with a payload of %u bytes", (uint64_t)message->type, (uint64_t)message->version,
            (uint64_t)message->len);
        return PSP_INVALID_PARAM;
    }
    complain("message of type %u, version %u is not known", (uint64_t)message->type, (uint64_t)message->version);
    return PSP_INVALID_PARAM;
}

// ---- a message -----------------------------------------------------------------------------------------------------------
static void spoil_payload(message_t *message) {
    if (fault_now(FAULT_BAD_STATUS)) {
        answer(message, message->reply_len, PSP_INVALID_PARAM);
    } else if (fault_now(FAULT_SHORT_REPLY)) {
        message->reply_len /= 2;
    } else if (fault_now(FAULT_EMPTY)) {
        message->reply_len = 0;
    } else if (fault_now(FAULT_OVERSIZE)) {
        message->reply_len = 0xffff;
    }
}

// Hand the sealed answer over, or what a fault wants in its place.
static void deliver(const uint8_t *page, uint8_t *response) {
    if (fault_now(FAULT_SILENT)) {
        memset(response, 0, PSP_PAGE_LEN);
    } else if (fault_now(FAULT_REPLAY)) {
        memcpy(response, last, PSP_PAGE_LEN);
    } else {
        memcpy(response, page, PSP_PAGE_LEN);
    }
    memcpy(last, page, PSP_PAGE_LEN);
}

static uint32_t respond(message_t *message, const uint8_t *page, uint8_t *response) {
    static uint8_t sealed[PSP_PAGE_LEN];
    uint32_t status = message_open(message, page);
    if (status == PSP_SUCCESS && fault_now(FAULT_REFUSED)) {
        status = PSP_INVALID_PARAM;
    }
    if (status == PSP_SUCCESS) {
        status = handle(message);
    }
    if (status != PSP_SUCCESS) {
        return status;
    }
    spoil_payload(message);
    if (!message_seal(message, sealed)) {
        return PSP_RESOURCE_LIMIT;
    }
    guest.count[message->vmpck] += 2;
    deliver(sealed, response);
    return PSP_SUCCESS;
}

static uint8_t page[PSP_PAGE_LEN];          // a copy: the guest's other processors may write on
static message_t message;

uint32_t psp_guest_request(const uint8_t request[PSP_PAGE_LEN], uint8_t response[PSP_PAGE_LEN], unsigned caller_vmpl) {
    complain_not();
    if (guest.chip == NULL) {
        complain("there is no guest");
        return PSP_INVALID_GUEST;
    }
    memcpy(page, request, PSP_PAGE_LEN);
    memset(&message, 0, sizeof(message));
    message.vmpl = caller_vmpl > page[0x3c] ? caller_vmpl : page[0x3c];
    uint32_t status = respond(&message, page, response);
    memset(&message, 0, sizeof(message));   // it may have held a key
    return status;
}

void psp_observe(const uint8_t request[PSP_PAGE_LEN]) {
    complain_not();
    if (guest.chip == NULL) {
        return;
    }
    memcpy(page, request, PSP_PAGE_LEN);
    memset(&message, 0, sizeof(message));
    message_note(&message, page);
    memset(&message, 0, sizeof(message));
}

unsigned psp_reuses(void) {
    return messages_reused;
}
