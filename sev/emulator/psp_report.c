// MSG_REPORT_REQ: the attestation report, versions 2 to 5, signed by the VCEK or the VLEK.
//
// Source: ABI 1.58, 7.3 (ATTESTATION_REPORT); offsets as in sev/report.py, which reads it. Reserved bytes are zero.

#include <string.h>

#include "psp_guest.h"

enum {
    REQUEST_LEN = 96, REQ_DATA = 0x00, REQ_VMPL = 0x40, REQ_KEY_SEL = 0x44, REQ_RESERVED = 0x48,
    RSP_REPORT_LEN = 0x04, RSP_REPORT = 0x20, REFUSED_LEN = 0x20,
    REPORT_LEN = 0x4a0, SIGNED_LEN = 0x2a0, ECDSA_P384_SHA384 = 1,
};

// Offsets in the report.
enum {
    AT_VERSION = 0x00, AT_GUEST_SVN = 0x04, AT_POLICY = 0x08, AT_FAMILY_ID = 0x10, AT_IMAGE_ID = 0x20, AT_VMPL = 0x30, AT_ALGORITHM = 0x34,
    AT_CURRENT_TCB = 0x38, AT_PLATFORM_INFO = 0x40, AT_KEY_INFO = 0x48, AT_REPORT_DATA = 0x50, AT_MEASUREMENT = 0x90, AT_HOST_DATA = 0xc0,
    AT_ID_KEY_DIGEST = 0xe0, AT_AUTHOR_KEY_DIGEST = 0x110, AT_REPORT_ID = 0x140, AT_REPORT_ID_MA = 0x160, AT_REPORTED_TCB = 0x180,
    AT_CPUID = 0x188, AT_CHIP_ID = 0x1a0, AT_COMMITTED_TCB = 0x1e0, AT_CURRENT_VERSION = 0x1e8, AT_COMMITTED_VERSION = 0x1ec,
    AT_LAUNCH_TCB = 0x1f0, AT_LAUNCH_MIT = 0x1f8, AT_CURRENT_MIT = 0x200, AT_R = 0x2a0, AT_S = 0x2e8,
};

// Build, minor and major version of the firmware that writes reports of version 2, 3, 4, 5.
static const uint8_t firmware[4][3] = { { 3, 51, 1 }, { 29, 55, 1 }, { 40, 57, 1 }, { 1, 58, 1 } };

static void put_guest(uint8_t *report) {
    const psp_launch_t *launch = &guest.launch;
    put(report + AT_GUEST_SVN, launch->guest_svn, 4);
    put(report + AT_POLICY, launch->policy, 8);
    memcpy(report + AT_FAMILY_ID, launch->family_id, 16);
    memcpy(report + AT_IMAGE_ID, launch->image_id, 16);
    memcpy(report + AT_MEASUREMENT, launch->measurement, 48);
    memcpy(report + AT_HOST_DATA, launch->host_data, 32);
    memcpy(report + AT_ID_KEY_DIGEST, launch->id_key_digest, 48);
    memcpy(report + AT_AUTHOR_KEY_DIGEST, launch->author_key_digest, 48);
    memcpy(report + AT_REPORT_ID, guest.report_id, 32);
    memset(report + AT_REPORT_ID_MA, 0xff, 32);     // no migration agent
}

static void put_platform(uint8_t *report) {
    const psp_launch_t *launch = &guest.launch;
    unsigned version = launch->report_version;
    put(report + AT_VERSION, version, 4);
    put(report + AT_CURRENT_TCB, launch->current_tcb, 8);
    put(report + AT_PLATFORM_INFO, launch->platform_info, 8);
    put(report + AT_REPORTED_TCB, guest.tcb, 8);
    put(report + AT_COMMITTED_TCB, launch->committed_tcb, 8);
    put(report + AT_LAUNCH_TCB, launch->launch_tcb, 8);
    if (!launch->mask_chip_id) {
        memcpy(report + AT_CHIP_ID, guest.chip->chip_id, 64);
    }
    memcpy(report + AT_CURRENT_VERSION, firmware[version - 2], 3);
    memcpy(report + AT_COMMITTED_VERSION, firmware[version - 2], 3);
    if (version >= 3) {
        report[AT_CPUID] = launch->family;
        report[AT_CPUID + 1] = launch->model;
        report[AT_CPUID + 2] = launch->stepping;
    }
    if (version >= 5) {
        put(report + AT_LAUNCH_MIT, launch->launch_mit, 8);
        put(report + AT_CURRENT_MIT, launch->current_mit, 8);
    }
}

static void put_faults(uint8_t *report) {
    report[AT_REPORT_DATA] ^= fault_now(FAULT_OTHER_DATA);
    report[AT_VMPL] ^= fault_now(FAULT_OTHER_VMPL);
    report[AT_CHIP_ID] ^= fault_now(FAULT_OTHER_CHIP);
    report[AT_REPORTED_TCB + 7] ^= fault_now(FAULT_OTHER_TCB);      // of the microcode
}

// Sign, unless the host does without the VCEK. False: out of memory.
static bool sign(uint8_t *report, unsigned key) {
    report[AT_KEY_INFO] = guest.launch.author_key | guest.launch.mask_chip_key << 1;
    if (key == KEY_VCEK && guest.launch.mask_chip_key) {
        report[AT_KEY_INFO] |= KEY_NONE << 2;
        return true;
    }
    report[AT_KEY_INFO] |= key << 2;
    const uint8_t *private_key = key == KEY_VLEK ? guest.chip->vlek_key : guest.chip->vcek_key;
    bool ok = crypto_sign(private_key, report, SIGNED_LEN, report + AT_R, report + AT_S);
    report[AT_R] ^= fault_now(FAULT_BAD_SIGNATURE);
    return ok;
}

static bool put_report(message_t *message, unsigned key) {
    answer(message, RSP_REPORT + REPORT_LEN, PSP_SUCCESS);
    put(message->reply + RSP_REPORT_LEN, REPORT_LEN + fault_now(FAULT_WRONG_SIZE), 4);
    uint8_t *report = message->reply + RSP_REPORT;
    put_guest(report);
    put_platform(report);
    put(report + AT_VMPL, get(message->payload + REQ_VMPL, 4), 4);
    put(report + AT_ALGORITHM, ECDSA_P384_SHA384, 4);
    memcpy(report + AT_REPORT_DATA, message->payload + REQ_DATA, 64);
    put_faults(report);
    return sign(report, key);
}

uint32_t report_request(message_t *message) {
    uint32_t key_sel = get(message->payload + REQ_KEY_SEL, 4);
    if (key_sel >> 2 != 0) {
        complain("report request with key selection %x, whose reserved bits are not zero", (uint64_t)key_sel);
        return PSP_INVALID_PARAM;
    }
    if (!reserved_zero(message, REQ_RESERVED, REQUEST_LEN - REQ_RESERVED)) {
        return PSP_INVALID_PARAM;
    }
    unsigned key;
    uint32_t status = select_vmpl(message, get(message->payload + REQ_VMPL, 4)) ? select_key(key_sel, &key) : PSP_INVALID_PARAM;
    if (status != PSP_SUCCESS) {
        answer(message, REFUSED_LEN, status);
        return PSP_SUCCESS;
    }
    return put_report(message, key) ? PSP_SUCCESS : PSP_RESOURCE_LIMIT;
}
