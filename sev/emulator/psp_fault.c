// Answers that are wrong on request, so that a guest can be seen to notice.

#include "psp_guest.h"

static const struct {
    const char *name;
    fault_t fault;
    const char *what;
} faults[] = {
    { "bad-tag", FAULT_BAD_TAG, "one bit of the tag is flipped" },
    { "wrong-sequence", FAULT_WRONG_SEQUENCE, "sealed under a sequence number two too high" },
    { "wrong-type", FAULT_WRONG_TYPE, "sealed as an answer to another request" },
    { "wrong-version", FAULT_WRONG_VERSION, "sealed with the next message version" },
    { "wrong-vmpck", FAULT_WRONG_VMPCK, "sealed as for another key" },
    { "wrong-header", FAULT_WRONG_HEADER, "sealed with header version 2" },
    { "short-reply", FAULT_SHORT_REPLY, "only the first half of the payload" },
    { "empty-reply", FAULT_EMPTY, "a payload of no bytes" },
    { "oversize", FAULT_OVERSIZE, "a header that speaks of 65535 bytes, and 4000 of them" },
    { "bad-status", FAULT_BAD_STATUS, "invalid parameters, whatever was asked" },
    { "wrong-size", FAULT_WRONG_SIZE, "a report whose length is said to be one byte more" },
    { "bad-signature", FAULT_BAD_SIGNATURE, "a report with one bit of the signature flipped" },
    { "other-data", FAULT_OTHER_DATA, "a report, well signed, with one bit of the report data flipped" },
    { "other-vmpl", FAULT_OTHER_VMPL, "a report, well signed, of another VMPL" },
    { "other-chip", FAULT_OTHER_CHIP, "a report, well signed, with another chip id than the certificate's" },
    { "other-tcb", FAULT_OTHER_TCB, "a report, well signed, with another microcode than the certificate's" },
    { "refused", FAULT_REFUSED, "no answer: the firmware's status is invalid parameters" },
    { "silent", FAULT_SILENT, "no answer, but success" },
    { "replay", FAULT_REPLAY, "the answer before this one once more" },
};

static fault_t wanted;

bool psp_fault(const char *name) {
    if (*name == 0) {
        wanted = FAULT_NONE;
        return true;
    }
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        if (same_text(name, faults[i].name)) {
            wanted = faults[i].fault;
            return true;
        }
    }
    return false;
}

const char *psp_fault_name(unsigned i, const char **what) {
    if (i >= sizeof(faults) / sizeof(*faults)) {
        return NULL;
    }
    *what = faults[i].what;
    return faults[i].name;
}

bool fault_now(fault_t fault) {
    if (wanted != fault) {
        return false;
    }
    wanted = FAULT_NONE;
    return true;
}
